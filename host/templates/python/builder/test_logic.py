import unittest

from answer import code
from logic import BadSetting, question, target


class Logic(unittest.TestCase):
    def test_the_file_is_the_one_that_the_goal_or_a_setting_names(self):
        self.assertEqual(target("Write lib/slug.py with slugify(text).", []), "lib/slug.py")
        self.assertEqual(target("Write slug.py", [("file", "other.py")]), "other.py")
        with self.assertRaisesRegex(BadSetting, "names no file"):
            target("Make it work", [])
        with self.assertRaisesRegex(BadSetting, "unknown setting fil"):
            target("Write slug.py", [("fil", "x")])

    def test_the_model_sees_the_goal_the_tests_and_what_went_wrong(self):
        asked = question("Write a.py", "a.py", [("test_a.py", "import a\n")], "no code")
        for part in ["Goal: Write a.py", "import a", "no code", "the file a.py"]:
            self.assertIn(part, asked)

    def test_an_answer_is_its_first_whole_code_block(self):
        self.assertEqual(code("Here:\n```python\nx = 1\n```\nDone."), "x = 1\n")
        self.assertIsNone(code("```\nx = 1\n"))
        self.assertIsNone(code("no code"))
