"""Which files hold tests, and what kind of file one is."""

import ast
import fnmatch
import re

PATTERN = "test_*.py *_test.py tests.py test.py"
_TEXTS = (".md", ".rst", ".txt")
_SKIPPED = re.compile(r"(^|/)(\.[^/]+|node_modules|__pycache__|venv|site-packages|build|dist)/")
_LOOKS_TESTED = re.compile(rb"^\s*>>> |^\s*(async )?def test|^class .*TestCase|^assert ", re.M)
_EXAMPLE = re.compile(rb"^\s*>>> ", re.M)


def matches(path, pattern):
    """A glob without `/` is matched against the file's name, any other against the whole path."""
    if "/" in pattern:
        return re.fullmatch(_regex(pattern), path) is not None
    return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)


def _regex(pattern):
    out = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", pattern):
        known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part)
        if known is None:
            known = part.replace("[!", "[^") if part.startswith("[") and part.endswith("]") else re.escape(part)
        out.append(known)
    return "".join(out)


def discover(paths, pattern):
    """The test files among the workspace's paths, by their names."""
    patterns = re.split(r"[,\s]+", pattern.strip())
    return [p for p in paths if p.endswith(".py") and not _SKIPPED.search(p) and any(matches(p, q) for q in patterns)]


def named(paths, tests):
    """The files a task names; a folder means all test files in it. Raises LookupError for one that is not there."""
    known, files = set(paths), []
    for test in tests:
        if test in known:
            files.append(test)
            continue
        below = [p for p in paths if p.startswith(test.rstrip("/") + "/")]
        if not below:
            raise LookupError(test)
        files += discover(below, PATTERN)
    return list(dict.fromkeys(files))


def sources(paths, read, only_examples):
    """Files that are not tests by name but hold some: doctests, test functions, asserts at module level."""
    looks = _EXAMPLE if only_examples else _LOOKS_TESTED
    candidates = [p for p in paths if p.endswith(".py") and not _SKIPPED.search(p)]
    return [p for p in candidates if p.rpartition("/")[2] not in ("setup.py", "conftest.py") and looks.search(read(p))]


def is_text(path):
    return path.endswith(_TEXTS)


def has_examples(data):
    return _EXAMPLE.search(data) is not None


_QUIET = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Pass,
)  # fmt: skip


def script(data):
    """What a file without tests does by itself: "main" (a `__main__` block), "body" (statements), or None."""
    kind = None
    for statement in ast.parse(data).body:
        if isinstance(statement, ast.If) and isinstance(statement.test, ast.Compare):
            left = statement.test.left
            if isinstance(left, ast.Name) and left.id == "__name__":
                return "main"
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if not isinstance(statement, _QUIET):
            kind = "body"
    return kind
