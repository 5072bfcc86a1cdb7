from luhn import valid
def test_good(): assert valid("4539 3195 0343 6467")
def test_bad(): assert not valid("8273 1232 7352 0569")
def test_short(): assert not valid("0")
def test_letters(): assert not valid("055a 444 285")
