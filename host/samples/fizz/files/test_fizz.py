from fizz import fizz


def test_five():
    assert fizz(5) == ["1", "2", "Fizz", "4", "Buzz"]


def test_fifteen():
    assert fizz(15)[-1] == "FizzBuzz"


def test_none():
    assert fizz(0) == []
