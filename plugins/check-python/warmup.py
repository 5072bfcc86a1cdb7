"""Runs a few checks at build time, so that what a check needs is in the component's memory already:
compiled regular expressions, the interpreter's specialised bytecode, caches of types and imports."""

from pycheck.session import check

SOURCE = '''"""A module to check."""
import re


def slugify(text):
    """
    >>> slugify("A b")
    'a-b'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        if not self.items:
            raise IndexError("empty")
        return self.items.pop()
'''

UNITTEST = '''import unittest
from slug import Stack, slugify


class TestSlug(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()

    def test_good(self):
        self.assertEqual(slugify("Hello World"), "hello-world")
        self.assertTrue(slugify("x"))
        self.assertIn("a", [slugify("a")])

    def test_raises(self):
        with self.assertRaises(IndexError):
            self.stack.pop()

    def test_bad(self):
        self.assertEqual(slugify("a"), "b")

    def test_error(self):
        self.stack.pop()

    def test_sub(self):
        for n in range(2):
            with self.subTest(n=n):
                self.assertEqual(n, n)


if __name__ == "__main__":
    unittest.main()
'''

PYTEST = '''import pytest
from slug import Stack, slugify


def test_good():
    assert slugify("A b") == "a-b"
    assert slugify("x") and not slugify("")
    assert isinstance(slugify("x"), str)


def test_bad():
    assert slugify("A b") == "a_b"


def test_list():
    assert [slugify(c) for c in "abcd"] == ["a", "b", "d", "c"]


def test_error():
    Stack().pop()


@pytest.mark.parametrize("text,expected", [("A", "a"), ("B c", "b-c")])
def test_all(text, expected):
    assert slugify(text) == expected


@pytest.fixture
def stack():
    return Stack()


class TestStack:
    def test_empty(self, stack):
        with pytest.raises(IndexError, match="empty"):
            stack.pop()

    def test_close(self):
        assert 0.1 + 0.2 == pytest.approx(0.3)
'''

ASSERTS = '''from slug import slugify

def check(candidate):
    assert candidate("A b") == "a-b"
    assert candidate("") == "", "empty"

check(slugify)
'''

TREES = (
    ({"slug.py": SOURCE, "test_slug.py": UNITTEST}, ()),
    ({"slug.py": SOURCE, "test_slug.py": PYTEST}, ()),
    ({"src/slug.py": SOURCE, "tests/test_slug.py": PYTEST, "README.md": "a text"}, ("tests/test_slug.py",)),
    ({"slug.py": SOURCE}, ()),
    ({"slug.py": SOURCE, "test_slug.py": ASSERTS}, ("test_slug.py",)),
    ({"slug.py": SOURCE + "\ndef f(:\n", "test_slug.py": ASSERTS}, ()),
)
# Bytecode is specialised after a few runs.
TIMES = 12


def run(box):
    box.guard.warm(True)
    for _ in range(TIMES):
        for tree, tests in TREES:
            check(box, list(tree), lambda path: tree[path].encode(), tests)
            box.reset()
    box.guard.warm(False)
