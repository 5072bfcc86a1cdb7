"""How `import` finds the tree's modules: a path hook for everything under the workspace's root."""

import importlib.machinery
import sys

from . import rewrite

# Loaded before any user code in every Python: a file of the tree with such a name is never imported.
STARTUP = frozenset(
    "abc builtins codecs encodings genericpath io marshal os posix posixpath site stat sys time warnings zipimport".split()
)


class Loader:
    """Loads one module from a Disk."""

    def __init__(self, disk, filename, package):
        self.disk, self.filename, self.package = disk, filename, package

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name):
        try:
            return rewrite.compile_source(bytes(self.disk.content(self.filename)), self.filename)
        except ValueError as problem:  # null bytes, before Python 3.12
            raise SyntaxError(str(problem), (self.filename, 1, None, None)) from None
        except SyntaxError as problem:
            # Of a file that is not text, Python does not say which.
            if problem.filename != self.filename:
                problem.filename, problem.lineno = self.filename, 1
            raise

    def get_source(self, name):
        return decode(self.get_data(self.filename))

    def get_data(self, path):
        try:
            return bytes(self.disk.content(self.disk.resolve(path)))
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def get_filename(self, name):
        return self.filename

    def is_package(self, name):
        return self.package


class Finder:
    """Finds modules in one folder of a Disk."""

    def __init__(self, disk, folder):
        self.disk, self.folder = disk, folder

    def find_spec(self, name, target=None):
        base = self.folder + "/" + name.rpartition(".")[2]
        init = base + "/__init__.py"
        if init in self.disk.files:
            spec = importlib.machinery.ModuleSpec(name, Loader(self.disk, init, True), origin=init, is_package=True)
            spec.submodule_search_locations.append(base)
        elif base + ".py" in self.disk.files:
            filename = base + ".py"
            spec = importlib.machinery.ModuleSpec(name, Loader(self.disk, filename, False), origin=filename)
        elif base in self.disk.dirs:
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [base]
            return spec
        else:
            return None
        spec.has_location = True
        return spec

    def invalidate_caches(self):
        """Nothing is cached."""


def hook(disk):
    """For sys.path_hooks."""

    def find(folder):
        resolved = disk.resolve(folder) if folder else disk.cwd
        if resolved not in disk.dirs or resolved == "/":
            raise ImportError(f"{folder} is not a folder of the workspace")
        return Finder(disk, resolved)

    return find


def decode(data):
    """Source bytes as text, by their coding line."""
    import importlib.util

    return importlib.util.decode_source(data)


def uncover(disk, roots):
    """Drops loaded modules that a module of the tree shadows, as it would in a fresh Python."""
    names = set()
    for path in disk.files:
        if path.endswith(".py"):
            folder, _, base = path.rpartition("/")
            if base == "__init__.py":
                folder, _, base = folder.rpartition("/")
            else:
                base = base[:-3]
            if folder in roots:
                names.add(base)
    names -= STARTUP
    covered = [n for n in names if n in sys.modules]
    for name in covered:
        for loaded in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            del sys.modules[loaded]
