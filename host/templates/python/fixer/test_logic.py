import unittest
from types import SimpleNamespace as Record

from answer import code
from logic import problem, question, suspect


def file(path, text=True, protected=False, size=10):
    return Record(path=path, text=text, protected=protected, size=size)


class Logic(unittest.TestCase):
    def test_the_problem_is_the_first_one_of_the_current_attempt(self):
        report = Record(problems=["first", "second"])
        self.assertEqual(problem([Record(current=True, report=report), Record(current=False, report=None)]), "first")
        self.assertIsNone(problem([Record(current=True, report=None)]))

    def test_the_suspect_is_a_file_that_may_be_changed(self):
        files = [file("a.bin", text=False), file("a.csv", size=300_000), file("a.py"), file("b.py"), file("test_b.py", protected=True)]
        self.assertEqual(suspect(Record(path="b.py", message=""), files), "b.py")
        self.assertEqual(suspect(Record(path="test_b.py", message="in b.py, line 2"), files), "b.py")
        self.assertEqual(suspect(Record(path=None, message="wrong"), files), "a.py")
        self.assertIsNone(suspect(Record(path=None, message="wrong"), []))

    def test_the_model_sees_goal_file_and_message(self):
        asked = question("Make it work", "a.py", "x = 1\n", "1 != 2")
        for part in ["Make it work", "a.py", "x = 1", "1 != 2"]:
            self.assertIn(part, asked)

    def test_an_answer_is_its_first_whole_code_block(self):
        self.assertEqual(code("Here:\n```python\nx = 1\n```\nDone."), "x = 1\n")
        self.assertIsNone(code("```\nx = 1\n"))
        self.assertIsNone(code("no code"))
