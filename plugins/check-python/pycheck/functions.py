"""Pytest-style tests: functions and classes with plain asserts."""

import inspect
import types
import unittest

from . import marks
from .fixtures import Node, Request, wanted
from .outcomes import Failed, Skipped, XFailed


class Item:
    """One test function with one set of parameters."""

    def __init__(self, module, owner, function, name, test_id, given, indirect, found):
        self.module, self.owner, self.function = module, owner, function
        self.name, self.id, self.given, self.indirect, self.marks = name, test_id, given, indirect, found


def functions(module, path):
    """(class or None, function, name) of every test, in the order of the file."""
    for name, value in list(module.__dict__.items()):
        if name.startswith("test") and isinstance(value, types.FunctionType):
            if getattr(value, "__test__", True):
                yield None, value, name
        elif name.startswith("Test") and isinstance(value, type) and not issubclass(value, unittest.TestCase):
            if value.__init__ is object.__init__ and getattr(value, "__test__", True):
                yield from ((value, f, n) for n, f in _methods(value))


def _methods(owner):
    names = {}
    for base in reversed(owner.__mro__):
        names.update(dict.fromkeys(vars(base)))
    for name in names:
        if name.startswith("test"):
            method = inspect.getattr_static(owner, name)
            function = method.__func__ if isinstance(method, (staticmethod, classmethod)) else method
            if isinstance(function, types.FunctionType):
                yield name, function


def items(module, path, fixtures, owner, function, name):
    """The test once per set of parameters."""
    found = marks.of(module, owner, function)
    base = f"{path}::{owner.__name__}::{name}" if owner else f"{path}::{name}"
    for given, label, extra, indirect in marks.parameter_sets(found[::-1]):
        sets = [(given, label, extra, indirect)]
        for fixture, definition in fixtures.needs(function, given).items():
            sets = [
                ({**g, fixture: value}, "-".join(filter(None, [lab, text])), [*ex, *more], ind | {fixture})
                for g, lab, ex, ind in sets
                for value, text, more in _parameters(definition)
            ]
        for given_, label_, extra_, indirect_ in sets:
            suffix = f"[{label_}]" if label_ else ""
            yield Item(module, owner, function, name + suffix, base + suffix, given_, indirect_, [*found, *extra_])


def _parameters(definition):
    for index, value in enumerate(definition.params):
        extra = []
        if isinstance(value, marks.Param):
            value, extra = value.values[0], value.marks
        text = marks._id(definition.ids, index, [definition.name], (value,))
        yield value, text, extra


def skip_reason(found):
    """Why the marks say to skip; None to run."""
    for mark in found:
        if mark.name == "skip":
            return mark.kwargs.get("reason") or (mark.args[0] if mark.args else "skipped")
        if mark.name == "skipif" and _holds(mark):
            return mark.kwargs.get("reason", "skipif")
    return None


def _holds(mark):
    conditions = mark.args or (mark.kwargs.get("condition", True),)
    for condition in conditions:
        if isinstance(condition, str):
            import os
            import platform
            import sys

            condition = eval(condition, {"os": os, "sys": sys, "platform": platform})
        if condition:
            return True
    return False


def run(item, fixtures):
    """Runs one item. Returns normally when it passed, else raises: Skipped, or why it failed."""
    reason = skip_reason(item.marks)
    if reason is not None:
        raise Skipped(reason)
    expected = next((m for m in item.marks if m.name == "xfail" and _holds(m)), None)
    try:
        _call(item, fixtures)
    except XFailed as problem:
        raise Skipped(f"xfail: {problem}") from None
    except Skipped:
        raise
    except BaseException as problem:
        kinds = expected.kwargs.get("raises") if expected else None
        if expected is None or (kinds is not None and not isinstance(problem, kinds)):
            raise
        raise Skipped(f"xfail: {expected.kwargs.get('reason', '')}") from None
    if expected is not None and expected.kwargs.get("strict"):
        raise Failed(f"passed, but is marked xfail(strict): {expected.kwargs.get('reason', '')}")


def _call(item, fixtures):
    instance = item.owner() if item.owner else None
    node = Node(item.name, item.id, item.marks)
    request = Request(fixtures, item, item.given, item.indirect, node, None, instance)
    method = item.function
    bound = method if instance is None else getattr(instance, method.__name__, None) or method.__get__(instance)
    failed = None
    try:
        for name in fixtures.automatic():
            fixtures.value(name, request)
        for mark in item.marks:
            if mark.name == "usefixtures":
                for name in mark.args:
                    fixtures.value(name, request)
        _hook(instance, "setup_method", bound)
        if instance is None:
            _hook(item.module, "setup_function", bound)
        names = wanted(method)
        arguments = {name: fixtures.value(name, request) for name in names}
        # A parameter with a default is still filled when `parametrize` names it.
        arguments.update({n: v for n, v in item.given.items() if n not in item.indirect and n not in arguments})
        result = bound(**arguments)
        if inspect.iscoroutine(result):
            import asyncio

            asyncio.run(result)
    except BaseException as problem:
        failed = problem
    try:
        try:
            _hook(instance, "teardown_method", bound)
            if instance is None:
                _hook(item.module, "teardown_function", bound)
        finally:
            request.run_finalizers()
            fixtures.tear_down("function")
    except BaseException as problem:
        failed = failed or problem
    try:
        if failed is not None:
            raise failed
    finally:
        # Else the exception holds this frame, and this frame it.
        failed = None


def _hook(owner, name, *arguments):
    """Calls a set-up or tear-down function with as many arguments as it takes."""
    function = getattr(owner, name, None) if owner is not None else None
    if function is None or isinstance(function, marks.FixtureDefinition):
        return
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    takes = 0
    if code is not None:
        takes = code.co_argcount - (1 if inspect.ismethod(function) else 0)
    function(*arguments[:takes])


class Group:
    """Set-up and tear-down around the tests of one module and its classes."""

    def __init__(self, module, fixtures):
        self.module, self.fixtures, self.owner = module, fixtures, None
        self.broken = None

    def enter(self, owner):
        """Moves on to the tests of a class (or of none). Raises what `setup_class` raises, for each test."""
        if owner is self.owner:
            if self.broken is not None:
                raise self.broken
            return
        self.leave()
        self.owner, self.broken = owner, None
        if owner is not None:
            for base in reversed(owner.__mro__):
                self.fixtures.learn(vars(base), owner)
            try:
                _hook(owner, "setup_class", owner)
            except BaseException as problem:
                self.broken = problem
                raise

    def leave(self):
        owner, self.owner = self.owner, None
        if owner is not None:
            self.fixtures.tear_down("class")
            self.fixtures.forget(owner)
            _hook(owner, "teardown_class", owner)

    def start(self):
        _hook(self.module, "setup_module", self.module)

    def finish(self):
        self.leave()
        self.fixtures.tear_down("session")
        _hook(self.module, "teardown_module", self.module)
