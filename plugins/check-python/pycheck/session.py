"""One check, from the tree to the report."""

import builtins
import contextlib
import gc
import importlib
import importlib.util
import io
import linecache
import os
import random
import sys
import traceback
import types
import unittest

from . import (
    capture, cases, clock, collect, disk, fixtures, functions, guard, imports, locks, pytest_shim, rewrite, sound, traces,
)  # fmt: skip
from .outcomes import Skipped
from .report import MOST_PROBLEMS, Problem, Report
from .settings import TESTS_IN_TOTAL, parse

ROOT = disk.ROOT


class Recorder:
    """Counts and problems, and the guard around each test."""

    def __init__(self, box):
        self.box = box
        self.report = Report("broken")
        self.seen = set()

    def start(self, label):
        self.box.tidy()
        self.box.sound.restore()
        self.box.output.label = label
        self.box.guard.start()

    def stop(self):
        self.box.guard.stop()
        self.box.tidy()

    def passed(self):
        self.report.passed += 1

    def skipped(self):
        self.report.skipped += 1

    def failed(self, test, problem, place=(None, None)):
        """`problem` is an exception; `place` is path and line for one that was not raised in the tree."""
        self.box.guard.stop()
        self.box.tidy()
        # Formatting calls the code's own __repr__ and __str__.
        self.box.guard.start_aftermath()
        try:
            path, line, message = traces.describe(problem)
        except BaseException as second:
            path, line = None, None
            message = f"{type(problem).__name__}; showing it raised {type(second).__name__}"
        with contextlib.suppress(BaseException):
            # What the test's frames hold is of no more use, and may be all of the memory.
            traceback.clear_frames(problem.__traceback__)
        self.box.guard.stop()
        if path is None:
            path, line = place
        if isinstance(problem, MemoryError):
            gc.collect()
        self.add(test, path, line, message)

    def not_run(self, test, function):
        self.add(test, *traces.place(function), "not run, because earlier tests used up all steps")

    def add(self, test, path, line, message):
        self.report.failed += 1
        key = (test, path, line, message)
        if key not in self.seen and len(self.report.problems) < MOST_PROBLEMS:
            self.seen.add(key)
            self.report.problems.append(Problem(test, path, line, message))


class Box:
    """The interpreter as tests see it: made once (in the component: at build time), used for one check."""

    def __init__(self):
        self.disk = disk.Disk()
        self.guard = guard.Guard()
        self.clock = clock.Clock()
        self.output = capture.Output()

    def install(self):
        """Puts all shims in place."""
        rewrite.install()
        calls = disk.Calls(self.disk)
        patches = [*calls.patches(), *guard.patches(), *self.clock.patches(), *locks.patches(self.clock)]
        # Tests run anyway; `unittest.main()` would run them again and end the process.
        patches.append((unittest, "main", lambda *_, **__: None))
        patches.append((sys, "setrecursionlimit", self._recursion_limit))
        for module, name, value in patches:
            setattr(module, name, value)
        self.streams = sys.stdin, sys.stdout, sys.stderr
        self.path, self.hooks, self.finders = list(sys.path), list(sys.path_hooks), list(sys.meta_path)
        self.argv, self.environ, self.modules = list(sys.argv), dict(os.environ), dict(sys.modules)
        self.limit = sys.getrecursionlimit()
        sys.path_hooks.insert(0, imports.hook(self.disk))
        self.test_hooks = list(sys.path_hooks)
        self.builtins = dict(vars(builtins))
        self.pytest = pytest_shim.module()
        self.sound = sound.Sound(self.pytest)
        self.guard.install()

    def reset(self):
        """Forgets a check, so that the next one begins as the first did."""
        self.disk.__init__()
        self.clock.slept = 0.0
        self.output.__init__()
        sys.stdin, sys.stdout, sys.stderr = self.streams
        sys.path[:], sys.argv[:] = self.path, self.argv
        sys.path_importer_cache.clear()
        linecache.clearcache()
        sys.modules.clear()
        sys.modules.update(self.modules)
        os.environ.clear()
        os.environ.update(self.environ)

    def tidy(self):
        """Undoes what a test may have left behind that would break the runner."""
        vars(builtins).update(self.builtins)
        sys.stdin, sys.stdout, sys.stderr = io.StringIO(), self.output.stdout, self.output.stderr
        if sys.getrecursionlimit() != self.limit:
            _set_limit(self.limit)
        if len(sys.modules) < len(self.modules):
            for name, module in self.modules.items():
                sys.modules.setdefault(name, module)
        sys.meta_path[:] = self.finders
        sys.path_hooks[:] = self.test_hooks

    def _recursion_limit(self, limit):
        _set_limit(min(limit, DEEPEST))


_set_limit = sys.setrecursionlimit
# A chain this long, of frames or of a traceback's entries, is freed link by link on the sandbox's stack.
DEEPEST = 10_000


class Session:
    def __init__(self, box, paths, read, tests, settings, seed):
        self.box, self.read, self.tests, self.settings = box, read, tests, parse(settings)
        self.paths = sorted(paths)
        self.recorder = Recorder(box)
        box.disk.mount(self.paths, read)
        steps = self.settings.steps_per_test
        box.guard.budget(steps, steps * TESTS_IN_TOTAL)
        random.seed(seed)
        roots = [ROOT, *(f"{ROOT}/{p.strip('/')}" for p in ("src", *self.settings.paths))]
        self.roots = [r for r in roots if r in box.disk.dirs]
        sys.path[:0] = self.roots
        sys.modules["pytest"] = box.pytest
        imports.uncover(box.disk, set(self.roots))

    def run(self):
        report = self.recorder.report
        try:
            files, doctests = self._files()
        except LookupError as missing:
            return self._broken(f"no such test file in the workspace: {missing.args[0]}")
        for index, path in enumerate(files):
            if self.box.guard.spent:
                left = ", ".join(files[index : index + 10])
                message = f"not run, because earlier tests used up all steps: {left}"
                self.recorder.add(None, path, None, message)
                break
            try:
                self._file(path, doctests(path))
            except BaseException as problem:  # the code broke out of unittest, or of the runner
                self.recorder.failed(path, problem, (path, None))
            finally:
                self.recorder.stop()
        if report.failed:
            report.verdict = "failed"
        elif report.passed:
            report.verdict = "passed"
        elif report.skipped:
            return self._broken(f"all {report.skipped} tests were skipped")
        else:
            return self._broken(self._nothing(files))
        report.output = self._output()
        return report

    def _files(self):
        """The files to run, and a function that says of which to run the doctests."""
        mode = self.settings.doctests
        if self.tests:
            return collect.named(self.paths, self.tests), lambda path: mode != "never"
        files = collect.discover(self.paths, self.settings.pattern)
        if files and mode != "always":
            return files, lambda path: False
        more = collect.sources(self.paths, self._data, bool(files))
        return list(dict.fromkeys([*files, *more])), lambda path: mode != "never" and path in more

    def _data(self, path):
        return self.box.disk.content(f"{ROOT}/{path}")

    def _file(self, path, doctests):
        recorder, before = self.recorder, self._count()
        if collect.is_text(path):
            test = cases.text_doctest(imports.decode(bytes(self._data(path))), path)
            if test is not None:
                self._doctest(test, path)
            return
        if not path.endswith(".py"):
            return
        module = self._import(path)
        if module is None:
            return
        self.box.sound.restore()
        cases.run_unittests(cases.unittests(module), recorder)
        self._functions(module, path)
        if doctests and collect.has_examples(self._data(path)):
            for test in cases.doctests(module):
                self._doctest(test, path)
        if self._count() == before:
            self._script(path)

    def _count(self):
        report = self.recorder.report
        return report.passed + report.failed + report.skipped

    def _import(self, path):
        """The test file as a module, or None when that failed, which is then in the report."""
        recorder = self.recorder
        recorder.start(path)
        try:
            for folder in _ancestors(path):
                if f"{ROOT}/{folder}conftest.py" in self.box.disk.files and not path.endswith("conftest.py"):
                    self._module(folder + "conftest.py", f"conftest:{folder}" if folder else "conftest")
            return self._module(path)
        except (Skipped, unittest.SkipTest):
            recorder.skipped()
        except SystemExit as end:
            if end.code in (None, 0) and traces.describe(end)[0] == path:
                recorder.passed()  # a script that says it is content
            else:
                recorder.failed(path, end)
        except BaseException as problem:
            recorder.failed(None, problem, (path, None))
        finally:
            recorder.stop()
        return None

    def _module(self, path, name=None):
        """Imports a file of the tree under the name its folder gives it, as pytest does."""
        disk_ = self.box.disk
        folder, _, base = f"{ROOT}/{path}".rpartition("/")
        given = name
        name = name or base[:-3]
        while given is None and f"{folder}/__init__.py" in disk_.files and folder != ROOT:
            folder, _, base = folder.rpartition("/")
            name = f"{base}.{name}"
        if given is None and base == "__init__.py":
            name = name.rpartition(".")[0] or "__init__"
        if folder not in sys.path:
            sys.path.insert(0, folder)
        known = sys.modules.get(name)
        if known is not None and getattr(known, "__file__", None) == f"{ROOT}/{path}":
            return known
        if known is None and given is None:
            return importlib.import_module(name)
        loader = imports.Loader(disk_, f"{ROOT}/{path}", False)
        spec = importlib.machinery.ModuleSpec(name, loader, origin=loader.filename)
        spec.has_location = True
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
        return module

    def _functions(self, module, path):
        found = list(functions.functions(module, path))
        if not found:
            return
        recorder = self.recorder
        known = fixtures.Fixtures(self.box.output)
        for folder in _ancestors(path):
            conftest = sys.modules.get(f"conftest:{folder}" if folder else "conftest")
            if conftest is not None:
                known.learn(vars(conftest))
        known.learn(vars(module))
        group = functions.Group(module, known)
        self._guarded(path, group.start)
        for owner, function, name in found:
            test = f"{path}::{owner.__name__}::{name}" if owner else f"{path}::{name}"
            if self.box.guard.spent:
                recorder.not_run(test, function)
                continue
            recorder.start(test)
            try:
                group.enter(owner)
                items = list(functions.items(module, path, known, owner, function, name))
            except BaseException as problem:
                recorder.failed(test, problem, traces.place(function))
                continue
            for item in items:
                if self.box.guard.spent:
                    recorder.not_run(item.id, function)
                    continue
                recorder.start(item.id)
                try:
                    functions.run(item, known)
                except (Skipped, unittest.SkipTest):
                    recorder.skipped()
                except BaseException as problem:
                    recorder.failed(item.id, problem, traces.place(function))
                else:
                    recorder.passed()
                finally:
                    recorder.stop()
        self._guarded(path, group.finish)

    def _guarded(self, label, call):
        self.recorder.start(label)
        self.box.guard.start_between()
        try:
            call()
        except BaseException as problem:
            self.recorder.failed(label, problem)
        finally:
            self.recorder.stop()

    def _doctest(self, test, path):
        recorder = self.recorder
        recorder.start(test.name)
        problems = cases.run_doctest(test)
        recorder.stop()
        if problems:
            for line, message in problems:
                recorder.add(test.name, path, line, message)
            recorder.report.failed -= len(problems) - 1
        else:
            recorder.passed()

    def _script(self, path):
        """A file without tests that does something by itself: passed when it ended well."""
        kind = collect.script(bytes(self._data(path)))
        if kind is None:
            return
        if kind == "main":
            code = rewrite.compile_source(bytes(self._data(path)), f"{ROOT}/{path}")
            main = types.ModuleType("__main__")
            main.__file__ = f"{ROOT}/{path}"
            sys.modules["__main__"] = main
            self.recorder.start(path)
            try:
                exec(code, main.__dict__)
            except SystemExit as end:
                if end.code not in (None, 0):
                    self.recorder.failed(path, end)
                    return
            except BaseException as problem:
                self.recorder.failed(path, problem)
                return
            finally:
                self.recorder.stop()
        self.recorder.passed()

    def _broken(self, message):
        report = self.recorder.report
        report.verdict = "broken"
        report.problems = [Problem(None, None, None, message)]
        report.output = self._output()
        return report

    def _nothing(self, files):
        if files:
            return f"no tests found in {', '.join(files[:10])}: no unittest, pytest-style function, doctest or assert"
        python = [p for p in self.paths if p.endswith(".py")]
        return (
            f"no tests found: no file matches {self.settings.pattern!r}, and none of the {len(python)} Python files "
            "holds a doctest, a test function or an assert at module level"
        )

    def _output(self):
        report = self.recorder.report
        summary = f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped"
        printed = self.box.output.text.text()
        return f"{printed.rstrip()}\n\n{summary}\n" if printed else summary + "\n"


def _ancestors(path):
    """The folders a file is in, outermost first, each with its slash; the root is empty."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:n]) + "/" if n else "" for n in range(len(parts) + 1)]


def check(box, paths, read, tests=(), settings=(), seed=0):
    """Runs the tests of a tree. Raises BadSetting; whatever the tree's code does ends up in the report."""
    return Session(box, paths, read, tests, settings, seed).run()
