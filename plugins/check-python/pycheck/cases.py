"""unittest and doctest"""

import doctest
import re
import unittest

from . import traces
from .shows import cut


class Result(unittest.TestResult):
    """Hands every end of a unittest test to the recorder."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder
        # The last one that began, and whether its end has not been told.
        self.test, self.is_open = None, False

    def startTest(self, test):
        self.test, self.is_open = test, True
        self.recorder.start(_name(test))

    def stopTest(self, test):
        self.recorder.stop()
        if self.recorder.box.guard.spent:
            self.stop()
        # For the set-up and tear-down of classes.
        self.recorder.box.guard.start_between()

    def addSuccess(self, test):
        self.is_open = False
        self.recorder.passed()

    def addError(self, test, err):
        self.is_open = False
        self.recorder.failed(_name(test), err[1])

    def addFailure(self, test, err):
        self.is_open = False
        self.recorder.failed(_name(test), err[1])

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.recorder.failed(f"{_name(test)} {subtest._subDescription()}", err[1])

    def addSkip(self, test, reason):
        self.is_open = False
        self.recorder.skipped()

    def addExpectedFailure(self, test, err):
        self.is_open = False
        self.recorder.skipped()

    def addUnexpectedSuccess(self, test):
        self.is_open = False
        problem = AssertionError("passed, but is marked expectedFailure")
        self.recorder.failed(_name(test), problem, traces.place(getattr(test, test._testMethodName)))

    def wasSuccessful(self):
        return True


def _name(test):
    # An error in setUpClass comes with a stand-in: `setUpClass (test_a.TestA)`.
    return test.id()


def unittests(module):
    """The tests of the module's TestCase classes, in the order they run in."""
    return list(_flat(unittest.TestLoader().loadTestsFromModule(module)))


def _flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def run_unittests(tests, recorder):
    """Runs them all: what breaks out of unittest ends one test, or one class whose set-up it is."""
    while tests:
        result = Result(recorder)
        recorder.start(tests[0].__module__)
        try:
            unittest.TestSuite(tests).run(result)
            recorder.stop()
            if result.shouldStop:
                for test in tests[tests.index(result.test) + 1 :]:
                    recorder.not_run(_name(test), getattr(test, test._testMethodName))
            return
        except BaseException as problem:
            # unittest lets a KeyboardInterrupt through, and more from the set-up of a class or module.
            last = -1 if result.test is None else tests.index(result.test)
            if result.is_open:
                recorder.failed(_name(result.test), problem)
                tests = tests[last + 1 :]
            else:
                broken = type(tests[last + 1]) if last + 1 < len(tests) else None
                recorder.failed(f"setUpClass ({_class(broken)})" if broken else None, problem)
                tests = [test for test in tests[last + 1 :] if type(test) is not broken]


def _class(case):
    return f"{case.__module__}.{case.__qualname__}"


# In a traceback: doctest's own frame, with the lines of source and marks below it.
_OWN_FRAME = re.compile(r'^  File "[^"]*doctest\.py", line .*\n(?:    .*\n)*', re.M)


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
        got = _OWN_FRAME.sub("", got)
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
