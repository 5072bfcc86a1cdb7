"""What needs no sandbox, and is tested without one."""

import re
import sys

TRIES = 2


class BadSetting(Exception):
    pass


def settings(pairs):
    """The file to write, if it is set, and how often the model is asked at most."""
    file, tries = None, TRIES
    for key, value in pairs:
        if key == "file":
            file = value
        elif key == "tries":
            if value not in ("1", "2", "3", "4", "5"):
                raise BadSetting(f"tries = {value}: a number from 1 to 5")
            tries = int(value)
        else:
            raise BadSetting(f"unknown setting {key}: allowed are file and tries")
    return file, tries


def target(goal, tests):
    """The file to write: the first word of the goal that looks like a file's name, else what a test imports."""
    named = re.search(r"[\w/-]+(\.[\w/-]+)*\.[a-z]{1,4}\b", goal)
    if named:
        return named[0]
    for _, text in tests:
        for imported in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE):
            if imported != "pytest" and imported not in sys.stdlib_module_names:
                return imported + ".py"
    raise BadSetting('the goal names no file: set file, for example file = "main.py"')


def question(goal, path, tests, failure):
    """The first thing the model is asked. `failure`: why the last attempt was no good."""
    # The goal comes last: a small model repeats what it saw last.
    parts = [f"The tests in {test}, which stay as they are:\n```\n{text}```" for test, text in tests]
    parts.append(f"Goal: {goal}")
    if failure:
        parts.append(f"An earlier attempt failed: {failure}")
    parts.append(
        f"Write the file {path}. Answer with its whole text in one code block. "
        "The tests import it: it holds none of them, and does not import itself."
    )
    return "\n\n".join(parts)


def again(path, problems):
    """What it is asked next, once the checker has looked."""
    found = "\n".join(f"- {problem}" for problem in problems[:3])
    return f"A check of {path} says:\n{found}\n\nAnswer with the whole corrected file in one Markdown code block."
