from search import first
def test_found(): assert first([1,2,2,2,3], 2) == 1
def test_missing(): assert first([1,3], 2) == -1
def test_all(): assert first([5,5,5], 5) == 0
def test_empty(): assert first([], 1) == -1
