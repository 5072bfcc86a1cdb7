import pytest

from roman import from_roman, to_roman


@pytest.mark.parametrize("n, text", [(1, "I"), (4, "IV"), (9, "IX"), (40, "XL"), (1994, "MCMXCIV"), (3999, "MMMCMXCIX")])
def test_both_ways(n, text):
    assert to_roman(n) == text
    assert from_roman(text) == n


@pytest.mark.parametrize("n", [0, -1, 4000])
def test_out_of_range(n):
    with pytest.raises(ValueError):
        to_roman(n)


@pytest.mark.parametrize("text", ["", "IIII", "IC", "VX", "abc"])
def test_not_roman(text):
    with pytest.raises(ValueError):
        from_roman(text)
