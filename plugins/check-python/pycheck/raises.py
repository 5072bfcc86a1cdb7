"""`pytest.raises`, `pytest.warns` and `pytest.deprecated_call`"""

import re
import traceback
import warnings as _warnings

from .outcomes import Failed
from .shows import show


class ExceptionInfo:
    """What `with pytest.raises(...) as info` gives."""

    def __init__(self):
        self.value = None

    @property
    def type(self):
        return type(self.value)

    @property
    def tb(self):
        return self.value.__traceback__

    @property
    def traceback(self):
        return traceback.extract_tb(self.tb)

    @property
    def typename(self):
        return self.type.__name__

    def exconly(self, tryshort=False):
        return "".join(traceback.format_exception_only(self.value)).strip()

    def errisinstance(self, kinds):
        return isinstance(self.value, kinds)

    def match(self, regexp):
        _match(regexp, str(self.value))
        return True


def _match(regexp, text):
    if re.search(regexp, text) is None:
        pattern = regexp if isinstance(regexp, str) else regexp.pattern
        raise AssertionError(f"the exception's text does not match\n  pattern: {pattern!r}\n  text:    {show(text)}")


def _names(kinds):
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    return " or ".join(getattr(k, "__name__", repr(k)) for k in kinds)


class Raises:
    def __init__(self, kinds, match=None, check=None):
        self.kinds, self.pattern, self.check, self.info = kinds, match, check, ExceptionInfo()

    def __enter__(self):
        return self.info

    def __exit__(self, kind, value, tb):
        if kind is None:
            raise Failed(f"DID NOT RAISE {_names(self.kinds)}")
        if not issubclass(kind, self.kinds):
            return False
        self.info.value = value
        if self.pattern is not None:
            text = "\n".join([str(value), *getattr(value, "__notes__", ())])
            _match(self.pattern, text)
        if self.check is not None and not self.check(value):
            raise AssertionError(f"the check of pytest.raises refused {show(value)}")
        return True


def raises(expected_exception=BaseException, *args, match=None, check=None, **kwargs):
    kinds = expected_exception if isinstance(expected_exception, tuple) else (expected_exception,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"pytest.raises takes exception classes, not {show(kind)}")
    context = Raises(expected_exception, match, check)
    if not args:
        return context
    function, *rest = args
    with context as info:
        function(*rest, **kwargs)
    return info


class Warns(_warnings.catch_warnings):
    """Records warnings; at least one must be of the kind."""

    def __init__(self, kinds=Warning, match=None):
        super().__init__(record=True)
        self.kinds, self.pattern = kinds, match

    def __enter__(self):
        self.list = super().__enter__()
        _warnings.simplefilter("always")
        return self.list

    def __exit__(self, kind, value, tb):
        super().__exit__(kind, value, tb)
        if kind is not None or self.kinds is None:
            return
        fitting = [w for w in self.list if issubclass(w.category, self.kinds)]
        if self.pattern is not None:
            fitting = [w for w in fitting if re.search(self.pattern, str(w.message))]
        if not fitting:
            seen = [f"{w.category.__name__}: {w.message}" for w in self.list]
            raise Failed(f"DID NOT WARN {_names(self.kinds)}; warnings seen: {show(seen)}")


def warns(expected_warning=Warning, *args, match=None, **kwargs):
    context = Warns(expected_warning, match)
    if not args:
        return context
    function, *rest = args
    with context:
        return function(*rest, **kwargs)


def deprecated_call(*args, **kwargs):
    return warns((DeprecationWarning, PendingDeprecationWarning, FutureWarning), *args, **kwargs)
