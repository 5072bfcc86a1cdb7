"""python -m unittest discover host/evals/humaneval"""

import io
import tarfile
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

    def test_the_product_s_own_choice_counts_at_its_end(self):
        record = {"kept": 2, "rounds": [entry("failed", 1, 1, "a", False), entry("failed", 1, 1, "b", True)]}
        self.assertEqual([harness.after(record, number)["solution"] for number in (1, 2, 3)], ["a", "b", "b"])

    def test_table_counts_after_each_round(self):
        record = {"mode": "product", "pipeline": "p", "outcome": "green", "tokens": 10, "seconds": 1.0,
                  "rounds": [entry("failed", 0, 2, "a", False), entry("passed", 2, 0, "d", True)]}
        shown = harness.table([record]).splitlines()
        self.assertIn("0 (0.0%)", shown[1])
        self.assertIn("1 (100.0%)", shown[2])


class Product(unittest.TestCase):
    def test_rounds_carry_the_file_as_each_left_it(self):
        report = {"verdict": "failed", "counts": {"passed": 1, "failed": 2, "skipped": 0}}
        task = {
            "id": "T", "spend": {"input_tokens": 5, "output_tokens": 6}, "started_at": 1000, "ended_at": 3500,
            "outcome": {"reason": {"kind": "budget"}, "tree": "t2"},
            "rounds": [{"kind": "build", "temperature": 0.0, "tree": "t1", "report": report, "failure": None},
                       {"kind": "build", "temperature": 0.8, "tree": None, "report": None, "failure": "no code"},
                       {"kind": "fix", "temperature": 0.8, "tree": "t2", "report": report, "failure": None}]}
        result = product.read(task, "x = {}\n".format)
        self.assertEqual([r.solution for r in result.rounds], ["x = 1\n", "", "x = 3\n"])
        self.assertEqual((result.tokens, result.outcome, result.kept, result.seconds, result.rounds[0].failed), (11, "budget", 3, 2.5, 2))

    def test_the_file_in_an_archive(self):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as files:
            for name, text in (("other/solution.py", b"no"), ("solution.py", b"x = 1\n")):
                member = tarfile.TarInfo(name)
                member.size = len(text)
                files.addfile(member, io.BytesIO(text))
        self.assertEqual(product.solution_in(data.getvalue()), "x = 1\n")


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
