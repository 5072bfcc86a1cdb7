from stats import summary


def test_odd():
    assert summary([1, 2, 2, 3, 7]) == {"mean": 3, "median": 2, "mode": 2}


def test_even():
    assert summary([1, 1, 2, 4])["median"] == 1.5


def test_tie_takes_the_smallest():
    assert summary([2, 2, 1, 1])["mode"] == 1


def test_empty():
    assert summary([]) == {"mean": None, "median": None, "mode": None}
