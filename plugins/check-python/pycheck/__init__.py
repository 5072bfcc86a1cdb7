"""Runs a tree's Python tests inside one interpreter and reports per test.

In reading order:

- disk: the tree as a file system in memory, and the shims that make `open` and `os` see it
- imports: how `import` finds the tree's modules
- rewrite: makes plain `assert` statements tell their values
- shows: bounded `repr`, differences between two values
- capture: what tests print, bounded
- guard: stops endless loops; turns attempts to end the process into exceptions
- locks: waiting for a thread that can't be there is an error
- clock: sleep without waiting, and an asyncio loop without sockets
- sound: undoes what the tests did to unittest and the stand-in for pytest
- outcomes, raises, approx, marks, pytest_shim: what tests get when they `import pytest`
- fixtures, functions: pytest-style tests
- cases: unittest and doctest
- traces: an exception in the words of a report
- collect: which files hold tests
- session: one check from start to end
"""
