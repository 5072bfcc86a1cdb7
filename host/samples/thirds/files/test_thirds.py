from thirds import sort_thirds


def test_short():
    assert sort_thirds([1, 2, 3]) == [1, 2, 3]


def test_sorts_every_third():
    assert sort_thirds([5, 6, 3, 4, 8, 9, 2]) == [2, 6, 3, 4, 8, 9, 5]


def test_leaves_its_argument_alone():
    items = [4, 0, 0, 1]
    sort_thirds(items)
    assert items == [4, 0, 0, 1]
