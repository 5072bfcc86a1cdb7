"""Runs a check on a tree in memory, and gives the interpreter back afterwards."""

from pycheck.session import Box, check


def run(tree, tests=(), settings=()):
    tree = {path: text.encode() if isinstance(text, str) else text for path, text in tree.items()}
    box = Box()
    box.install()
    try:
        return check(box, list(tree), tree.__getitem__, tests, settings, seed=1)
    finally:
        box.uninstall()
