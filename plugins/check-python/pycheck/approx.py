"""`pytest.approx`"""

import cmath
import decimal
import math


class approx:
    """Equal to a number within max(rel * |expected|, abs), or to a collection of such numbers."""

    # Comparisons with numpy-like left sides come to this class first.
    __array_ufunc__ = None
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, expected, rel=None, abs=None, nan_ok=False):
        self.expected, self.rel, self.abs, self.nan_ok = expected, rel, abs, nan_ok

    def _with(self, expected):
        return approx(expected, self.rel, self.abs, self.nan_ok)

    def __eq__(self, actual):
        expected = self.expected
        if isinstance(expected, dict):
            return (
                isinstance(actual, dict)
                and actual.keys() == expected.keys()
                and all(self._with(v) == actual[k] for k, v in expected.items())
            )
        if isinstance(expected, (list, tuple)) or (
            hasattr(expected, "__len__") and hasattr(expected, "__getitem__") and not isinstance(expected, (str, bytes))
        ):
            try:
                return len(actual) == len(expected) and all(self._with(e) == a for e, a in zip(expected, actual))
            except TypeError:
                return False
        return self._number(actual)

    def _number(self, actual):
        expected = self.expected
        try:
            if actual == expected:
                return True
            if isinstance(expected, (bool, str, bytes)) or expected is None:
                return False
            if cmath.isnan(complex(expected)) or cmath.isnan(complex(actual)):
                return self.nan_ok and cmath.isnan(complex(expected)) and cmath.isnan(complex(actual))
            if cmath.isinf(complex(expected)) or cmath.isinf(complex(actual)):
                return False
            return abs(expected - actual) <= self.tolerance
        except TypeError:
            return False
        except ValueError:  # complex("abc")
            return False

    @property
    def tolerance(self):
        """As in pytest: an absolute tolerance given alone switches the relative one off."""
        exact = isinstance(self.expected, decimal.Decimal)
        number = decimal.Decimal if exact else float
        absolute = number("1e-12") if self.abs is None else number(self.abs)
        if self.rel is None and self.abs is not None:
            return absolute
        relative = (number("1e-6") if self.rel is None else number(self.rel)) * number(abs(self.expected))
        if absolute < 0 or relative < 0 or (not exact and math.isnan(relative)):
            raise ValueError("tolerances can't be negative or nan")
        return max(absolute, relative)

    def __ne__(self, actual):
        return not self == actual

    def __bool__(self):
        raise AssertionError("approx() is not supported in a boolean context; did you mean `assert a == approx(b)`?")

    def __repr__(self):
        expected = self.expected
        if isinstance(expected, (int, float, decimal.Decimal)) and not isinstance(expected, bool):
            return f"{expected!r} ± {float(self.tolerance):.1e}"
        return f"approx({expected!r})"
