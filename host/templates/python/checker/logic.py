"""What needs no sandbox, and is tested without one."""

MARKS = ("<<<<<<< ", ">>>>>>> ")


def problems(text):
    """What is wrong with a text: pairs of line, from 1, and message."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(MARKS):
            found.append((number, "a merge conflict was left here"))
        elif line.endswith((" ", "\t")):
            found.append((number, "blanks at the end of the line"))
    return found
