"""Undoes what the code under test did to the tools it is tested with.

A module that replaces `TestCase.assertEqual` must not pass by it. This holds against what code does by
mistake or for convenience; against code that sets out to deceive, no checker is proof that shares its
interpreter.
"""

import doctest
import operator
import sys
import unittest
import unittest.async_case
import unittest.case
import unittest.loader
import unittest.result
import unittest.suite
from itertools import chain

from . import raises
from .approx import approx

_MODULES = unittest, unittest.case, unittest.suite, unittest.loader, unittest.result, unittest.async_case, doctest
_CLASSES = (
    unittest.TestCase, unittest.IsolatedAsyncioTestCase, unittest.case._Outcome, unittest.case._AssertRaisesContext,
    unittest.case._AssertRaisesBaseContext, unittest.case._BaseTestCaseContext, unittest.TestSuite, unittest.BaseTestSuite,
    unittest.TestLoader, unittest.TestResult, doctest.DocTestRunner, doctest.OutputChecker, doctest.DocTestFinder, raises.Raises,
    raises.ExceptionInfo, approx,
)  # fmt: skip


class Sound:
    """The namespaces of unittest, doctest and the stand-in for pytest, as they were."""

    def __init__(self, *modules):
        self.modules = {module.__name__: module for module in (*_MODULES, *modules)}
        owners = [unittest, unittest.case, *modules, *_CLASSES]
        self.kept = [(owner, dict(vars(owner))) for owner in owners]
        self.names = [vars(owner) for owner in owners]
        self.values = tuple(chain.from_iterable(map(dict.values, (kept for _, kept in self.kept))))

    def restore(self):
        """Before every test: without a loop in Python where nothing has changed."""
        # Compared by identity: an `__eq__` of the code's own must not run here.
        now = chain.from_iterable(map(_VALUES, self.names))
        if sum(map(len, self.names)) != len(self.values) or not all(map(operator.is_, now, self.values)):
            for owner, kept in self.kept:
                _put_back(owner, vars(owner), kept)
        if not all(map(operator.is_, map(sys.modules.get, self.modules), self.modules.values())):
            sys.modules.update(self.modules)


_VALUES = operator.methodcaller("values")


def _put_back(owner, names, sound):
    for name in [name for name in names if name not in sound]:
        delattr(owner, name)
    for name, value in sound.items():
        if names.get(name) is not value:
            setattr(owner, name, value)
