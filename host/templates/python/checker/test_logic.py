import unittest

from logic import problems


class Logic(unittest.TestCase):
    def test_what_is_wrong_is_found_with_its_line(self):
        self.assertEqual(problems("a\n\nb\n"), [])
        self.assertEqual(problems("a\nb \n"), [(2, "blanks at the end of the line")])
        conflict = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n"
        self.assertEqual([line for line, _ in problems(conflict)], [1, 5])
