"""What needs no sandbox, and is tested without one."""

import re


class BadSetting(Exception):
    pass


def target(goal, settings):
    """The file to write: the setting `file`, else the first word of the goal that looks like a file's name."""
    for key, _ in settings:
        if key != "file":
            raise BadSetting(f"unknown setting {key}: the only one is file")
    if settings:
        return settings[0][1]
    named = re.search(r"[\w/-]+(\.[\w/-]+)*\.[a-z]{1,4}\b", goal)
    if not named:
        raise BadSetting('the goal names no file: set file, for example file = "main.py"')
    return named[0]


def question(goal, path, tests, failure):
    """What the model is asked. `tests`: pairs of path and text; `failure`: why the last attempt was no good."""
    # The goal comes last: a small model repeats what it saw last.
    parts = [f"The tests in {test}, which stay as they are:\n```\n{text}```" for test, text in tests]
    parts.append(f"Goal: {goal}")
    if failure:
        parts.append(f"An earlier attempt failed: {failure}")
    parts.append(f"Write the file {path}. Answer with its whole text, and nothing of the tests, in one code block.")
    return "\n\n".join(parts)
