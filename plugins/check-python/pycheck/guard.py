"""Stops endless loops, and turns attempts to end the process into exceptions.

There are no threads or signals in the sandbox, and its clock does not run by itself: so steps are
counted. A step is a backward jump or a function entered; loops within C code are left to the host's
compute budget.
"""

import os
import sys

# Raised again this often while a test swallows it.
_SLACK = 1_000


class OutOfSteps(BaseException):
    """A test ran for too long. Not an Exception, so that `except Exception` does not swallow it."""


class ProcessExit(BaseException):
    """Code called `os._exit` or the like."""


class Guard:
    """Counts steps while a test runs."""

    def __init__(self):
        self.per_test = self.total = self.left = 0
        self.allowed = self.limit = 0

    def budget(self, per_test, total):
        """Steps one test may take, and all of them together."""
        self.per_test, self.total = per_test, total

    def start(self):
        self.left = self.limit = self.allowed = max(0, min(self.per_test, self.total))

    def stop(self):
        """Ends a test's count. What the guard does between tests is free."""
        if self.limit:
            self.total -= self.limit - self.left
        self.limit = 0
        self.left = sys.maxsize

    @property
    def spent(self):
        """Whether nothing is left for further tests."""
        return self.total <= 0

    def _raise(self):
        # Room for handlers, then the next step raises again.
        self.left += _SLACK
        self.limit += _SLACK
        raise OutOfSteps(f"still running after {self.allowed:,} steps (loop turns and calls): an endless loop?")

    def install(self):
        """Starts counting. Returns a function that ends it."""
        self.left = sys.maxsize
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is None:  # Python before 3.12, where only this module's own tests run
            def trace(frame, event, argument):
                self.left -= 1
                if self.left < 0:
                    self._raise()
                return trace

            sys.settrace(trace)
            return lambda: sys.settrace(None)

        def count(code, offset, target=None):
            self.left -= 1
            if self.left < 0:
                self._raise()

        tool, events = monitoring.DEBUGGER_ID, monitoring.events
        monitoring.use_tool_id(tool, "check-python")
        for event in (events.JUMP, events.PY_START):
            monitoring.register_callback(tool, event, count)
        monitoring.set_events(tool, events.JUMP | events.PY_START)

        def uninstall():
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)

        return uninstall


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
