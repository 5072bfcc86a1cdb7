"""Sets up and tears down what pytest-style tests ask for by parameter."""

import inspect
import io
import os
import pathlib
import sys

from . import marks
from .outcomes import Failed

_SCOPES = ("function", "class", "module", "package", "session")
_UNSET = object()


class Fixtures:
    """The fixtures one test file can see, and those that are set up now."""

    def __init__(self, output):
        self.output = output
        self.known = {}
        self.live = []  # (scope, key, teardown)
        self.values = {}

    def learn(self, namespace, owner=None):
        """Takes over the fixtures of a module or class; a nearer one replaces one of the same name."""
        for value in list(namespace.values()):
            if isinstance(value, marks.FixtureDefinition):
                self.known[value.name] = value, owner, self.known.get(value.name)

    def forget(self, owner):
        """Drops the fixtures of a class."""
        for name, (_, belongs, hidden) in list(self.known.items()):
            if belongs is owner:
                if hidden is None:
                    del self.known[name]
                else:
                    self.known[name] = hidden

    def automatic(self):
        return [name for name, (definition, _, _) in self.known.items() if definition.autouse]

    def needs(self, function, given, seen=None):
        """The parametrized fixtures a test depends on, by name."""
        seen = {} if seen is None else seen
        for name in [*wanted(function), *(self.automatic() if not seen else ())]:
            if name in given or name in seen or name not in self.known:
                continue
            definition = self.known[name][0]
            seen[name] = definition
            self.needs(definition.function, given, seen)
        return {name: d for name, d in seen.items() if d.params is not None}

    def value(self, name, request):
        """Sets a fixture up, unless it is, and gives its value."""
        if name == "request":
            return request
        if name in request.given and name not in request.indirect:
            return request.given[name]
        if name in self.known:
            definition, owner, hidden = self.known[name]
            if request.outer is not None and request.outer[0] == name:
                # A fixture that asks for its own name means the one it replaces.
                if hidden is None:
                    raise Failed(f"fixture {name!r} asks for itself")
                definition, owner, _ = hidden
            return self._set_up(definition, owner, request)
        if name in BUILTIN:
            key = (name, request.item)
            if key not in self.values:
                generator = BUILTIN[name](self, request)
                self._keep("function", key, generator)
            return self.values[key]
        known = sorted([*self.known, *BUILTIN, "request"])
        raise Failed(f"fixture {name!r} not found; this checker knows: {', '.join(known)}")

    def _set_up(self, definition, owner, request):
        name = definition.name
        parameter = request.given.get(name, _UNSET)
        key = (definition, None if parameter is _UNSET else id(parameter), request.item if definition.scope == "function" else None)
        if key in self.values:
            return self.values[key]
        inner = Request(self, request.item, request.given, request.indirect, request.node, (name, definition), request.instance)
        if parameter is not _UNSET:
            inner.param = parameter
        scope = definition.scope if definition.scope in _SCOPES else "function"
        arguments = {n: self.value(n, inner) for n in wanted(definition.function)}
        function = definition.function
        if owner is not None and request.instance is not None:
            function = function.__get__(request.instance)
        if inspect.isgeneratorfunction(function):
            self._keep(scope, key, function(**arguments), inner)
        else:
            result = function(**arguments)
            self.values[key] = _await(result)
            self.live.append((scope, key, inner.run_finalizers))
        return self.values[key]

    def _keep(self, scope, key, generator, request=None):
        self.values[key] = next(generator)

        def finish():
            if request is not None:
                request.run_finalizers()
            for _ in generator:
                raise Failed("a fixture yielded twice")

        self.live.append((scope, key, finish))

    def tear_down(self, scope):
        """Ends everything of this scope and narrower ones, newest first. The first problem is raised."""
        problem = None
        wider = _SCOPES[_SCOPES.index(scope) + 1 :]
        for entry in reversed(list(self.live)):
            if entry[0] in wider:
                continue
            self.live.remove(entry)
            self.values.pop(entry[1], None)
            try:
                entry[2]()
            except BaseException as found:
                problem = problem or found
        if problem is not None:
            raise problem


def _await(value):
    if inspect.iscoroutine(value):
        import asyncio

        return asyncio.run(value)
    return value


def wanted(function):
    """The parameters of a function that fixtures must fill."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return []
        names = [p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    else:
        positional = code.co_varnames[: code.co_argcount]
        defaults = len(function.__defaults__ or ())
        names = list(positional[: len(positional) - defaults])
        only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        names += [n for n in only if n not in (function.__kwdefaults__ or {})]
    return [n for n in names if n not in ("self", "cls")]


class Node:
    """`request.node`"""

    def __init__(self, name, nodeid, found):
        self.name, self.nodeid, self.own_markers = name, nodeid, found

    def get_closest_marker(self, name):
        return next((m for m in reversed(self.own_markers) if m.name == name), None)


class Request:
    """The fixture `request`"""

    def __init__(self, fixtures, item, given, indirect, node, outer=None, instance=None):
        self.fixtures, self.item, self.given, self.indirect = fixtures, item, given, indirect
        self.node, self.outer, self.instance = node, outer, instance
        self.fixturename = outer[0] if outer else None
        self.function, self.cls = item.function, item.owner
        self.module = item.module
        self._finalizers = []

    def getfixturevalue(self, name):
        return self.fixtures.value(name, self)

    def addfinalizer(self, finalizer):
        self._finalizers.append(finalizer)

    def run_finalizers(self):
        while self._finalizers:
            self._finalizers.pop()()


class MonkeyPatch:
    """The fixture `monkeypatch`"""

    def __init__(self):
        self._undo = []

    @classmethod
    def context(cls):
        import contextlib

        @contextlib.contextmanager
        def manage():
            patch = cls()
            try:
                yield patch
            finally:
                patch.undo()

        return manage()

    def setattr(self, target, name, value=_UNSET, raising=True):
        if value is _UNSET:
            import importlib

            path, _, attribute = target.rpartition(".")
            target, name, value = importlib.import_module(path), attribute, name
        old = getattr(target, name, _UNSET)
        if raising and old is _UNSET:
            raise AttributeError(f"{target!r} has no attribute {name!r}")
        own = vars(target).get(name, _UNSET) if isinstance(target, type) else old
        self._undo.append(lambda: delattr(target, name) if own is _UNSET else setattr(target, name, own))
        setattr(target, name, value)

    def delattr(self, target, name, raising=True):
        if not hasattr(target, name):
            if raising:
                raise AttributeError(name)
            return
        old = getattr(target, name)
        self._undo.append(lambda: setattr(target, name, old))
        delattr(target, name)

    def setitem(self, mapping, name, value):
        old = mapping.get(name, _UNSET)
        self._undo.append(lambda: mapping.pop(name, None) if old is _UNSET else mapping.__setitem__(name, old))
        mapping[name] = value

    def delitem(self, mapping, name, raising=True):
        if name not in mapping:
            if raising:
                raise KeyError(name)
            return
        old = mapping.pop(name)
        self._undo.append(lambda: mapping.__setitem__(name, old))

    def setenv(self, name, value, prepend=None):
        if prepend and name in os.environ:
            value = value + prepend + os.environ[name]
        self.setitem(os.environ, name, value)

    def delenv(self, name, raising=True):
        self.delitem(os.environ, name, raising)

    def syspath_prepend(self, path):
        old = list(sys.path)
        self._undo.append(lambda: sys.path.__setitem__(slice(None), old))
        sys.path.insert(0, str(path))

    def chdir(self, path):
        old = os.getcwd()
        self._undo.append(lambda: os.chdir(old))
        os.chdir(path)

    def undo(self):
        while self._undo:
            self._undo.pop()()


class CaptureFixture:
    """The fixture `capsys`"""

    def __init__(self, output):
        self.streams = output.stdout, output.stderr
        for stream in self.streams:
            stream.listener = []

    def readouterr(self):
        texts = ["".join(stream.listener) for stream in self.streams]
        for stream in self.streams:
            stream.listener.clear()
        return _Captured(*texts)


class _Captured(tuple):
    def __new__(cls, out, err):
        return tuple.__new__(cls, (out, err))

    out = property(lambda self: self[0])
    err = property(lambda self: self[1])


def _monkeypatch(fixtures, request):
    patch = MonkeyPatch()
    yield patch
    patch.undo()


def _capsys(fixtures, request):
    capture = CaptureFixture(fixtures.output)
    yield capture
    for stream in capture.streams:
        rest, stream.listener = stream.listener, None
        stream.write("".join(rest))


def _tmp_path(fixtures, request):
    number = 0
    while os.path.exists(f"/tmp/pytest-{number}"):
        number += 1
    os.mkdir(f"/tmp/pytest-{number}")
    yield pathlib.Path(f"/tmp/pytest-{number}")


class _Factory:
    def mktemp(self, basename, numbered=True):
        number = 0
        while os.path.exists(f"/tmp/{basename}{number}"):
            number += 1
        os.mkdir(f"/tmp/{basename}{number}")
        return pathlib.Path(f"/tmp/{basename}{number}")


def _tmp_path_factory(fixtures, request):
    yield _Factory()


def _log(fixtures, request):
    import logging

    class Caplog(logging.Handler):
        def __init__(self):
            super().__init__()
            self.records, self.stream = [], io.StringIO()

        def emit(self, record):
            self.records.append(record)
            self.stream.write(f"{record.levelname} {record.name}:{record.lineno} {record.getMessage()}\n")

        text = property(lambda self: self.stream.getvalue())
        messages = property(lambda self: [r.getMessage() for r in self.records])
        record_tuples = property(lambda self: [(r.name, r.levelno, r.getMessage()) for r in self.records])

        def clear(self):
            self.records.clear()
            self.stream = io.StringIO()

        def set_level(self, level, logger=None):
            logging.getLogger(logger).setLevel(level)
            self.setLevel(level)

        def at_level(self, level, logger=None):
            import contextlib

            @contextlib.contextmanager
            def manage():
                target = logging.getLogger(logger)
                old = target.level
                target.setLevel(level)
                try:
                    yield
                finally:
                    target.setLevel(old)

            return manage()

    handler, root = Caplog(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


BUILTIN = {
    "monkeypatch": _monkeypatch, "capsys": _capsys, "capfd": _capsys, "tmp_path": _tmp_path,
    "tmp_path_factory": _tmp_path_factory, "caplog": _log,
}  # fmt: skip
