"""The part of pytest that this checker knows, as the module `pytest`."""

import types

from . import fixtures, marks, outcomes, raises
from .approx import approx


class _Missing(types.ModuleType):
    def __getattr__(self, name):
        raise AttributeError(f"pytest.{name}: this checker knows only a part of pytest; use check-command for the real one")


def module():
    """A fresh module object for sys.modules."""
    shim = _Missing("pytest", __doc__)
    shim.__version__, shim.__path__, shim.__file__ = "8.0.0", [], "<check-python>"
    for name in ("fail", "skip", "xfail", "exit", "importorskip"):
        setattr(shim, name, getattr(outcomes, name))
    for function, kind in (("fail", "Failed"), ("skip", "Skipped"), ("xfail", "XFailed"), ("exit", "Exit")):
        getattr(outcomes, function).Exception = getattr(outcomes, kind)
    for name in ("raises", "warns", "deprecated_call", "ExceptionInfo"):
        setattr(shim, name, getattr(raises, name))
    shim.RaisesExc = raises.Raises
    shim.approx, shim.mark, shim.param, shim.fixture = approx, marks.Marks(), marks.param, marks.fixture
    shim.yield_fixture = marks.fixture
    shim.MonkeyPatch, shim.FixtureRequest = fixtures.MonkeyPatch, fixtures.Request
    shim.CaptureFixture = fixtures.CaptureFixture
    shim.main = _main
    return shim


def _main(args=None, plugins=None):
    """For `if __name__ == "__main__": pytest.main()`: the checker runs the tests anyway."""
    return 0
