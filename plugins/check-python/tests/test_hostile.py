"""Guests that try, or happen, to break the runner. Each must still end in a proper report."""

import sys
import unittest

from tests.support import run

# The guard counts by sys.monitoring, which came with Python 3.12.
counted = unittest.skipUnless(hasattr(sys, "monitoring"), "needs Python 3.12")

GOOD = "def test_after():\n    assert 1 + 1 == 2\n"


class Hostile(unittest.TestCase):
    def failing(self, body, settings=(("steps_per_test", "200000"),), **files):
        """The one problem of a test file with this test; a good test after it must still pass."""
        report = run({"test_a.py": body, "test_b.py": GOOD, **files}, settings=settings)
        self.assertEqual((report.verdict, report.passed, report.failed), ("failed", 1, 1), report)
        return report.problems[0]

    @counted
    def test_endless_loops(self):
        for body in (
            "def test_x():\n    while True:\n        pass\n",
            "def test_x():\n    while True:\n        try:\n            int('x')\n        except Exception:\n            pass\n",
            "import itertools\ndef test_x():\n    assert all(n >= 0 for n in itertools.count())\n",
            "def f(n):\n    return f(n - 1) + f(n - 2) if n > 1 else n\ndef test_x():\n    f(80)\n",
            "import unittest\nclass T(unittest.TestCase):\n    def test_x(self):\n        while 1: pass\n",
        ):
            with self.subTest(body):
                problem = self.failing(body)
                self.assertIn("an endless loop?", problem.message)
                self.assertEqual(problem.path, "test_a.py")
                self.assertIsNotNone(problem.test)

    @counted
    def test_endless_loop_while_importing(self):
        problem = self.failing("import loop\ndef test_x(): pass\n", **{"loop.py": "while True:\n    pass\n"})
        self.assertEqual((problem.path, problem.test), ("loop.py", None))

    @counted
    def test_endless_loops_in_every_test_end_within_the_total(self):
        loops = "".join(f"def test_{n}():\n    while True: pass\n" for n in range(9))
        report = run({"test_a.py": loops, "test_b.py": GOOD}, settings=[("steps_per_test", "50000")])
        self.assertEqual((report.verdict, report.passed), ("failed", 0))
        self.assertIn("used up all steps", report.problems[-1].message)

    def test_huge_print(self):
        report = run({"test_a.py": "def test_x():\n    for n in range(3000):\n        print('x' * 1000)\n    assert 0\n"})
        self.assertLess(len(report.output), 64 * 1024)
        self.assertIn("characters left out", report.output)
        self.assertEqual(report.failed, 1)

    def test_deep_recursion(self):
        problem = self.failing("def f(n):\n    return f(n + 1)\ndef test_x():\n    f(0)\n")
        self.assertTrue(problem.message.startswith("RecursionError"), problem.message)
        self.assertIn("more frames", problem.message)

    def test_ends_of_the_process(self):
        for call, text in (
            ("sys.exit(0)", "sys.exit(0)"),
            ("sys.exit('done')", "sys.exit('done')"),
            ("os._exit(0)", "os._exit(0)"),
            ("os.abort()", "os.abort()"),
            ("os.kill(1, 9)", "os.kill"),
            ("exit(1)", "exit"),
        ):
            with self.subTest(call):
                problem = self.failing(f"import os, sys\nfrom builtins import *\ndef test_x():\n    {call}\n")
                self.assertIn(text, problem.message)

    def test_exit_of_a_module_under_test(self):
        for line in ("raise SystemExit", "import sys; sys.exit(0)", "import os; os._exit(3)"):
            with self.subTest(line):
                problem = self.failing("import solution\ndef test_x(): pass\n", **{"solution.py": f"\n{line}\n"})
                self.assertEqual((problem.path, problem.line), ("solution.py", 2))
                self.assertIn("ended the process", problem.message)

    def test_syntax_error(self):
        problem = self.failing("import solution\ndef test_x(): pass\n", **{"solution.py": "a = 1\ndef f(:\n    pass\n"})
        self.assertEqual((problem.test, problem.path, problem.line), (None, "solution.py", 2))
        self.assertIn("SyntaxError: ", problem.message)
        self.assertIn("def f(:", problem.message)

    def test_not_text(self):
        problem = self.failing("import solution\n", **{"solution.py": b"\xff\xfe\x00"})
        self.assertIn("solution.py", problem.message + str(problem.path))

    def test_missing_module(self):
        problem = self.failing("import solution\nimport numpy\n", **{"solution.py": ""})
        self.assertIn("No module named 'numpy'", problem.message)
        self.assertEqual((problem.path, problem.line), ("test_a.py", 2))

    def test_huge_values_in_messages(self):
        for body in (
            "def test_x():\n    assert list(range(10**6)) == []\n",
            "def test_x():\n    assert 'x' * 10**6 == 'y'\n",
            "def test_x():\n    raise ValueError('x' * 10**6)\n",
            "import unittest\nclass T(unittest.TestCase):\n    def test_x(self):\n        self.assertEqual('x' * 10**5, 'y')\n",
        ):
            with self.subTest(body):
                self.assertLess(len(self.failing(body).message), 8 * 1024)

    def test_values_that_can_not_be_shown(self):
        body = "class Bad:\n    def __repr__(self):\n        {}\n    def __eq__(self, other): return False\ndef test_x():\n    assert Bad() == 1\n"
        self.assertIn("its repr raised", self.failing(body.format("raise OSError('no')")).message)

    @counted
    def test_values_whose_repr_never_ends(self):
        body = "class Bad:\n    def __repr__(self):\n        while True: pass\n    def __eq__(self, other): return False\ndef test_x():\n    assert Bad() == 1\n"
        self.assertIn("test_a.py", str(self.failing(body)))

    def test_an_exception_that_can_not_be_shown(self):
        body = "class E(Exception):\n    def __str__(self): raise SystemExit(3)\ndef test_x(): raise E\n"
        self.assertIn("its str() raised SystemExit", self.failing(body).message)

    def test_broken_builtins_and_modules(self):
        for line in (
            "import builtins; builtins.len = builtins.isinstance = builtins.getattr = None",
            "import sys; sys.modules.clear()",
            "import sys; sys.stdout = sys.stderr = None",
            "import sys; sys.meta_path.clear(); sys.path_hooks.clear()",
            "import os; os.chdir('/tmp')",
            "import sys; sys.setrecursionlimit(60)",
            "import io, builtins; builtins.open = io.open = None",
            "import sys; sys.stdout.close()",
        ):
            with self.subTest(line):
                problem = self.failing(f"def test_x():\n    {line}\n    assert False, 'reached'\n")
                self.assertIn("reached", problem.message)

    def test_base_exceptions(self):
        for name in ("KeyboardInterrupt", "GeneratorExit", "BaseException", "MemoryError"):
            with self.subTest(name):
                self.assertIn(name, self.failing(f"def test_x():\n    raise {name}('here')\n").message)

    def test_exits_inside_unittest_hooks(self):
        body = "import unittest, os\nclass T(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls): os._exit(0)\n    def test_x(self): pass\n"
        self.assertIn("os._exit(0)", self.failing(body).message)

    def test_input_has_ended(self):
        self.assertIn("EOFError", self.failing("def test_x():\n    input('name? ')\n").message)
