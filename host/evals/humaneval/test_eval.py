"""python -m unittest discover host/evals/humaneval"""

import difflib
import unittest

import eval as harness
import model
import product
import score


def entry(verdict, passed, failed, solution, hidden):
    return {"kind": "build", "verdict": verdict, "passed": passed, "failed": failed, "solution": solution, "hidden": hidden}


class Kept(unittest.TestCase):
    def test_first_green_else_the_best_report_else_the_earlier(self):
        bad, better, same, green = (entry("failed", 0, 2, "a", False), entry("failed", 1, 1, "b", False),
                                    entry("failed", 1, 1, "c", True), entry("passed", 2, 0, "d", True))
        self.assertIs(harness.kept([bad, better, same]), better)
        self.assertIs(harness.kept([bad, green, entry("passed", 2, 0, "e", False)]), green)
        self.assertIsNone(harness.kept([]))

    def test_table_counts_after_each_round(self):
        record = {"mode": "product", "pipeline": "p", "outcome": "green", "tokens": 10, "seconds": 1.0,
                  "rounds": [entry("failed", 0, 2, "a", False), entry("passed", 2, 0, "d", True)]}
        shown = harness.table([record]).splitlines()
        self.assertIn("0 (0.0%)", shown[1])
        self.assertIn("1 (100.0%)", shown[2])


class Patched(unittest.TestCase):
    def test_is_the_inverse_of_diff(self):
        one = "def f():\n    return 1\n\n\n" + "".join(f"x{i} = {i}\n" for i in range(30))
        two = one.replace("return 1", "return 2").replace("x20 = 20\n", "").replace("x28 = 28\n", "x28 = 28\ny = 1\n")
        for before, after in (("", one), (one, two), (two, one)):
            diff = "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "a/solution.py", "b/solution.py"))
            self.assertEqual(product.patched(before, diff, "solution.py"), after)

    def test_other_files_and_the_missing_last_newline(self):
        diff = ("diff --git a/other.py b/other.py\n--- a/other.py\n+++ b/other.py\n@@ -0,0 +1 @@\n+no\n"
                "diff --git a/solution.py b/solution.py\n--- /dev/null\n+++ b/solution.py\n@@ -0,0 +1,2 @@\n+a\n+b\n"
                "\\ No newline at end of file\n")
        self.assertEqual(product.patched("", diff, "solution.py"), "a\nb")


class Product(unittest.TestCase):
    def test_rounds_carry_the_file_as_each_left_it(self):
        first = "--- /dev/null\n+++ b/solution.py\n@@ -0,0 +1 @@\n+x = 1\n"
        second = "--- a/solution.py\n+++ b/solution.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
        report = {"verdict": "failed", "counts": {"passed": 1, "failed": 2, "skipped": 0}}
        answer = {"task": {
            "spec": {"tree": "t0"}, "spend": {"input_tokens": 5, "output_tokens": 6}, "outcome": {"reason": {"kind": "green"}},
            "rounds": [{"kind": "build", "base": "t0", "tree": "t1", "report": report, "diff": first},
                       {"kind": "build", "base": "t0", "tree": None, "report": None, "diff": ""},
                       {"kind": "fix", "base": "t1", "tree": "t2", "report": report, "diff": second}]}}
        result = product.read(answer, 1.0)
        self.assertEqual([r.solution for r in result.rounds], ["x = 1\n", "", "x = 2\n"])
        self.assertEqual((result.tokens, result.outcome, result.rounds[0].failed), (11, "green", 2))


class Score(unittest.TestCase):
    PROBLEM = {"test": "def check(f):\n    assert f(1) == 2\n", "entry_point": "f"}

    def test_right_wrong_and_ways_out(self):
        self.assertEqual(score.hidden(self.PROBLEM, "def f(x):\n    return x + 1\n"), (True, ""))
        self.assertIn("AssertionError", score.hidden(self.PROBLEM, "def f(x):\n    return x\n")[1])
        self.assertFalse(score.hidden(self.PROBLEM, "import sys\ndef f(x):\n    sys.exit(0)\n")[0])
        self.assertFalse(score.hidden(self.PROBLEM, "def f(x):\n    while True: pass\n", 1)[0])


class Answers(unittest.TestCase):
    def test_the_fence_that_defines_the_function(self):
        self.assertEqual(model.code_of("Use:\n```python\nprint(f(1), 'a long line of no use')\n```\nand\n```py\ndef f(x):\n    return x\n```", "f"),
                         "def f(x):\n    return x\n")
        self.assertEqual(model.code_of("```python\ndef f(x):\n    return x", "f"), "def f(x):\n    return x")
        self.assertEqual(model.code_of("def f(x): return x", "f"), "def f(x): return x")

    def test_preamble(self):
        self.assertEqual(model.preamble("import math\n\ndef g(): pass\n\ndef f(x):\n    '''d'''\n", "f"), "import math\n\ndef g(): pass\n\n")


if __name__ == "__main__":
    unittest.main()
