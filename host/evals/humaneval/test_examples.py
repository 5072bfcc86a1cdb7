"""python -m unittest discover host/evals/humaneval"""

import unittest

import examples


def stated(doc: str, signature: str = "f(x)", above: str = "") -> list[str]:
    """The examples in a docstring, as assertions would state them."""
    prompt = f'{above}def {signature}:\n    """{doc}\n    """\n'
    return [e.source() for e in examples.extract(prompt, signature.split("(")[0])]


class Doctests(unittest.TestCase):
    def test_source_and_output(self):
        self.assertEqual(stated("Adds one.\n    >>> f(1)\n    2\n    >>> f(2)\n    3"), ["f(1) == 2", "f(2) == 3"])

    def test_output_of_several_lines_and_a_comment(self):
        self.assertEqual(stated('>>> round(f([1]), 2) # a note\n    ["a",\n     "b"]'), ["round(f([1]), 2) == ['a', 'b']"])

    def test_comparison(self):
        self.assertEqual(stated(">>> f([1]) == [2]\n    >>> f([]) == None"), ["f([1]) == [2]", "f([]) is None"])

    def test_no_output_is_none(self):
        self.assertEqual(stated(">>> f([])\n\n    >>> f([1])\n    1"), ["f([]) is None", "f([1]) == 1"])

    def test_escapes_stay_escapes(self):
        self.assertEqual(stated(r""">>> f("a\nb")""" + "\n    'a'"), [r"f('a\nb') == 'a'"])

    def test_output_that_is_no_literal_is_skipped(self):
        self.assertEqual(stated(">>> f(1)\n    <object at 0x1>\n    >>> f(2) [3]"), [])


class Calls(unittest.TestCase):
    def test_connectors(self):
        for arrow in ("==", "=", "=>", "==>", "->", "➞", "→", "# =>", "# returns", "returns", "should return", "   ==>"):
            with self.subTest(arrow):
                self.assertEqual(stated(f"For example:\n    f([1, 2]) {arrow} 'a'"), ["f([1, 2]) == 'a'"])

    def test_what_may_follow(self):
        self.assertEqual(stated("f(1) => 2 # why\n    f(2) returns 3.\n    * f(3) -> [4] (because)"),
                         ["f(1) == 2", "f(2) == 3", "f(3) == [4]"])

    def test_prose_across_lines(self):
        self.assertEqual(stated('For example f("1.5") should\n    return 2 and f("-1.5") should return -2.'),
                         ["f('1.5') == 2", "f('-1.5') == -2"])

    def test_call_over_several_lines(self):
        self.assertEqual(stated("f([\n      [1, 2],\n      [3]\n    ], 1) == [(0, 0)]", "f(a, x)"), ["f([[1, 2], [3]], 1) == [(0, 0)]"])

    def test_chain(self):
        self.assertEqual(stated("f('5 a', 9) ->9 - 5 - 1 = 3\n    f('', 2) == 1 + 1 = 2", "f(s, n)"),
                         ["f('5 a', 9) == 3", "f('', 2) == 2"])

    def test_chain_that_does_not_add_up_is_skipped(self):
        self.assertEqual(stated("f(1) -> 1 + 1 = 3"), [])

    def test_spoken_constants(self):
        self.assertEqual(stated("f(1) => true\n    f(2) => false"), ["f(1) == True", "f(2) == False"])

    def test_bare_words_are_strings_where_strings_are_meant(self):
        self.assertEqual(stated("Takes a string.\n    f(ab) => 1\n    f(x) => 2"), ["f('ab') == 1"])
        self.assertEqual(stated("Takes a number.\n    f(ab) => 1"), [])

    def test_malformed_values_are_skipped(self):
        self.assertEqual(stated("f(1) == ''a'\n    f(2) == [1, 2\n    f(3) == 4x\n    f(4) -> f(3) + 1"), [])

    def test_wrong_number_of_arguments_is_skipped(self):
        self.assertEqual(stated("f(1, 2) == 3"), [])

    def test_lone_value_in_parentheses_is_skipped(self):
        self.assertEqual(stated("f(1) == ('a')\n    f(2) == ('a',)"), ["f(2) == ('a',)"])

    def test_contradictions_are_dropped_and_repeats_stated_once(self):
        self.assertEqual(stated("f(1) == 2\n    f(1) == 3\n    f(2) == 4\n    f(2) -> 4"), ["f(2) == 4"])

    def test_terms_of_a_sequence_are_not_results(self):
        self.assertEqual(stated("f(1) = 3\n    f(n) = f(n - 1) + 1\n    Returns a list.\n    f(2) = [3, 4]", "f(n)"), ["f(2) == [3, 4]"])
        self.assertEqual(stated("f(1) = 3\n    f(n) = f(n - 1) + 1", "f(n)"), ["f(1) == 3"])

    def test_an_old_name(self):
        self.assertEqual(stated("assert old_f(['a']) => 'a'"), ["f(['a']) == 'a'"])
        self.assertEqual(stated("helper(1) == 2", above="def helper(x):\n    return x + 1\n\n\n"), [])

    def test_another_function_of_the_same_ending(self):
        self.assertEqual(stated("self.f(1) == 2\n    of(2) == 3\n    f(1) == 4"), ["f(1) == 4"])


class Tables(unittest.TestCase):
    def test_sentence(self):
        self.assertEqual(stated("For x = [1], c = 'a'  the result should be ('b',False)", "f(x, c)"), ["f([1], 'a') == ('b', False)"])

    def test_sentence_with_an_aside(self):
        self.assertEqual(stated('For N = 12, the sum will be 3 the output should be "11".', "f(N)"), ["f(12) == '11'"])

    def test_names_decide_the_order(self):
        self.assertEqual(stated("For b = 1, a = 2 the output should be 3", "f(a, b)"), ["f(2, 1) == 3"])

    def test_input_and_output(self):
        self.assertEqual(stated('Example 1:\n        Input: arr = [1, 2], k = 3\n        Output: [4] # why', "f(arr, k)"), ["f([1, 2], 3) == [4]"])
        self.assertEqual(stated("Input: []\n    Output: []\n    Input: [1]\n    Output: [2]"), ["f([]) == []", "f([1]) == [2]"])

    def test_one_input_per_line_under_other_names(self):
        self.assertEqual(stated("Input:\n        grid : [[1]]\n        the_size : 2\n    Output: 6", "f(grid, size)"), ["f([[1]], 2) == 6"])

    def test_settings_and_returns(self):
        self.assertEqual(stated("x = [1]\n      -> sort x -> [1]\n    return ['One']\n\n    x = []\n    return []\n    y = 3\n    return 4"),
                         ["f([1]) == ['One']", "f([]) == []"])


class TestFile(unittest.TestCase):
    def test_one_function_per_example(self):
        text = examples.test_file('def f(x):\n    """\n    f(1) == 2\n    f(2) == None\n    """\n', "f", "answer")
        self.assertEqual(text, "from answer import f\n\n\ndef test_example_1():\n    assert f(1) == 2\n\n\n"
                               "def test_example_2():\n    assert f(2) is None\n")

    def test_without_examples_the_function_is_asked_for(self):
        text = examples.test_file('def f(x):\n    """No examples."""\n', "f")
        self.assertEqual(text, "from solution import f\n\n\ndef test_is_defined():\n    assert callable(f)\n")


if __name__ == "__main__":
    unittest.main()
