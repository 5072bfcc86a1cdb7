import unittest

from answer import code
from logic import BadSetting, again, question, settings, target


class Logic(unittest.TestCase):
    def test_settings(self):
        self.assertEqual(settings([]), (None, 2))
        self.assertEqual(settings([("file", "a.py"), ("tries", "5")]), ("a.py", 5))
        for pair, said in [(("tries", "many"), "a number from 1 to 5"), (("fil", "a"), "unknown setting fil")]:
            with self.assertRaisesRegex(BadSetting, said):
                settings([pair])

    def test_the_file_is_named_by_the_goal_or_by_a_test(self):
        self.assertEqual(target("Write lib/slug.py with slugify(text).", []), "lib/slug.py")
        test = "import unittest\nfrom slug import slugify\n"
        self.assertEqual(target("Make it work", [("test_a.py", test)]), "slug.py")
        with self.assertRaisesRegex(BadSetting, "names no file"):
            target("Make it work", [])

    def test_what_the_model_is_asked(self):
        asked = question("Write a.py", "a.py", [("test_a.py", "import a\n")], "no code")
        for part in ["Goal: Write a.py", "import a", "no code", "the file a.py"]:
            self.assertIn(part, asked)
        self.assertIn("- t: 1 != 2", again("a.py", ["t: 1 != 2"]))

    def test_an_answer_is_its_first_whole_code_block(self):
        self.assertEqual(code("Here:\n```python\nx = 1\n```\nDone."), "x = 1\n")
        self.assertIsNone(code("```\nx = 1\n"))
        self.assertIsNone(code("no code"))
