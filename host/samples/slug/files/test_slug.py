import unittest

from slug import slugify


class TestSlug(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slugify("Hello World"), "hello-world")

    def test_punctuation(self):
        self.assertEqual(slugify("What's up, Doc?"), "whats-up-doc")

    def test_empty(self):
        self.assertEqual(slugify("  "), "")
