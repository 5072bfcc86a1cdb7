"""Stops endless loops, and turns attempts to end the process into exceptions.

There are no threads or signals in the sandbox, and its clock does not run by itself: so steps are
counted. A step is a backward jump or a function entered; loops within C code are left to the host's
compute budget.
"""

import os
import sys
import types

_OWN = os.path.dirname(__file__)
# Steps for handlers before it is raised again, while a test swallows it.
_SLACK = 1_000
# From then on it is raised at every step, and again in each handler that catches it.
_PATIENCE = 20
# For showing a problem, and for what is left to do when all steps are used up.
_AFTERMATH = 200_000

# Whose loops all end, and which run in every check. Not what may wait for ever: asyncio, queue, threading.
_FINITE = (
    "ast", "collections", "contextlib", "copyreg", "doctest", "enum", "fnmatch", "functools", "importlib", "inspect", "linecache",
    "pycheck", "re", "reprlib", "textwrap", "traceback", "types", "tokenize", "unittest", "warnings",
)  # fmt: skip


class OutOfSteps(BaseException):
    """A test ran for too long. Not an Exception, so that `except Exception` does not swallow it."""


class ProcessExit(BaseException):
    """Code called `os._exit` or the like."""


class Guard:
    """Counts steps while a test runs."""

    def __init__(self):
        self.per_test = self.total = self.left = 0
        self.allowed = self.limit = self.raised = 0
        self.until = ""

    def budget(self, per_test, total):
        """Steps one test may take, and all of them together."""
        self.per_test, self.total = per_test, total

    def start(self):
        last = self.total < self.per_test
        self._allow(min(self.per_test, self.total), "when all tests together had used up their" if last else None)

    def start_aftermath(self):
        """For the code's own `__repr__`, which is called even when all steps are used up."""
        self._allow(min(self.per_test, _AFTERMATH))

    def start_between(self):
        """For what belongs to several tests: set-up, and tear-down even when all steps are used up."""
        if self.spent:
            self.start_aftermath()
        else:
            self.start()

    def _allow(self, steps, until=None):
        self.left = self.limit = self.allowed = max(0, steps)
        self.until = until or f"after {steps:,}"
        self.raised = 0

    def stop(self):
        """Ends a test's count. What the guard does between tests is free."""
        if self.limit:
            self.total -= min(self.limit - self.left, self.allowed)
        self.limit = self.raised = 0
        self.left = sys.maxsize

    @property
    def spent(self):
        """Whether nothing is left for further tests."""
        return self.total <= 0

    def _raise(self):
        self.raised += 1
        if self.raised < _PATIENCE:
            self.left += _SLACK
            self.limit += _SLACK
        raise OutOfSteps(f"still running {self.until} steps (loop turns and calls): an endless loop?")

    def install(self):
        """Starts counting."""
        self.left = sys.maxsize
        monitoring = sys.monitoring

        def count(code, offset, target=None):
            self.left -= 1
            # Not in the checker itself, which is on its way to call `stop`.
            if self.left < 0 and not code.co_filename.startswith(_OWN):
                self._raise()

        def handled(code, offset, exception):
            # From here it goes to the handlers further out only, of which there are finitely many.
            if self.raised >= _PATIENCE and type(exception) is OutOfSteps and not code.co_filename.startswith(_OWN):
                self._raise()

        tool, events = monitoring.DEBUGGER_ID, monitoring.events
        monitoring.use_tool_id(tool, "check-python")
        for event in (events.JUMP, events.PY_START):
            monitoring.register_callback(tool, event, count)
        monitoring.register_callback(tool, events.EXCEPTION_HANDLED, handled)
        monitoring.set_events(tool, events.JUMP | events.PY_START | events.EXCEPTION_HANDLED)

        def warm(switch):
            """While on, what runs of the finite modules is taken out of the count for good."""
            finite = _files() if switch else ()
            ends = lambda code, offset, target=None: monitoring.DISABLE if code.co_filename in finite else None
            for event in (events.JUMP, events.PY_START):
                monitoring.register_callback(tool, event, ends if switch else count)

        self.warm = warm


def _files():
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in _FINITE]
    members = [member for module in modules for member in vars(module).values()]
    for kind in [member for member in members if isinstance(member, type)]:
        members += vars(kind).values()
    functions = [member for member in members if isinstance(member, types.FunctionType)]
    named = [f for f in functions if f.__module__.partition(".")[0] in _FINITE]
    return {function.__code__.co_filename for function in named}


def _exit(status=0):
    raise ProcessExit(f"the code ended the process with os._exit({status!r})")


def _abort():
    raise ProcessExit("the code ended the process with os.abort()")


def _kill(pid, signal):
    raise ProcessExit(f"the code sent signal {signal} with os.kill")


def _system(command):
    raise PermissionError(f"no processes in this checker: {command!r}")


def patches():
    """(module, name, value) of every function to replace."""
    yield os, "_exit", _exit
    yield os, "abort", _abort
    yield os, "kill", _kill
    yield os, "system", _system
