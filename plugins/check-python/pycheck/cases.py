"""unittest and doctest"""

import doctest
import unittest

from . import traces
from .shows import cut


class Result(unittest.TestResult):
    """Hands every end of a unittest test to the recorder."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def startTest(self, test):
        self.recorder.start(_name(test))

    def stopTest(self, test):
        self.recorder.stop()

    def addSuccess(self, test):
        self.recorder.passed()

    def addError(self, test, err):
        self.recorder.failed(_name(test), err[1])

    def addFailure(self, test, err):
        self.recorder.failed(_name(test), err[1])

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.recorder.failed(f"{_name(test)} {subtest._subDescription()}", err[1])

    def addSkip(self, test, reason):
        self.recorder.skipped()

    def addExpectedFailure(self, test, err):
        self.recorder.skipped()

    def addUnexpectedSuccess(self, test):
        self.recorder.failed(_name(test), AssertionError("passed, but is marked expectedFailure"))

    def wasSuccessful(self):
        return True


def _name(test):
    # An error in setUpClass comes with a stand-in: `setUpClass (test_a.TestA)`.
    return test.id()


def unittests(module):
    """The module's TestCase classes as a suite."""
    return unittest.TestLoader().loadTestsFromModule(module)


class _Runner(doctest.DocTestRunner):
    """Collects what goes wrong in one docstring."""

    def __init__(self):
        super().__init__(verbose=False)
        self.problems = []

    def report_start(self, out, test, example):
        """Nothing to say."""

    def report_success(self, out, test, example, got):
        """Nothing to say."""

    def report_failure(self, out, test, example, got):
        self._add(test, example, f"Expected:\n{_indent(example.want or 'nothing')}\nGot:\n{_indent(got or 'nothing')}")

    def report_unexpected_exception(self, out, test, example, exc_info):
        self._add(test, example, traces.describe(exc_info[1])[2])

    def _add(self, test, example, message):
        line = None if test.lineno is None else test.lineno + example.lineno + 1
        self.problems.append((line, f"Example:\n{_indent(example.source)}\n{message}"))


def _indent(text):
    return "\n".join("    " + line for line in cut(text.rstrip("\n"), 2_000).split("\n"))


def doctests(module):
    """The module's docstrings that hold examples."""
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__)
    return sorted((t for t in tests if t.examples), key=lambda t: t.lineno or 0)


def text_doctest(text, path):
    """A text file's examples, as one test; None where it has none."""
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, path, path, 0)
    return test if test.examples else None


def run_doctest(test):
    """Runs one docstring: a list of (line, message), empty when all is well."""
    runner = _Runner()
    runner.run(test, out=lambda text: None, clear_globs=False)
    return runner.problems
