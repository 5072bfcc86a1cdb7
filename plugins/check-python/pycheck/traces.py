"""An exception in the words of a report: file, line, and a message with the tree's own frames."""

import linecache

from .disk import ROOT
from .shows import cut

# The host cuts a message after 8 KiB.
_TEXT = 4_000
_FRAMES = 6


def inside(filename):
    """The path in the workspace, or None for a file outside."""
    return filename[len(ROOT) + 1 :] if filename.startswith(ROOT + "/") else None


def describe(problem):
    """(path, line, message) of an exception; path and line are those of its innermost frame in the tree."""
    message, seen = [], set()
    path = line = None
    current = problem
    while current is not None and id(current) not in seen and len(seen) < 3:
        seen.add(id(current))
        frames = _frames(current)
        message.append(("caused by " if len(seen) > 1 else "") + headline(current) + "".join(_listing(frames)))
        if path is None and frames:
            path, line = frames[-1][:2]
        place = _syntax_place(current)
        if place is not None and len(seen) == 1:
            path, line = place
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return path, line, "\n".join(message)


def place(function):
    """(path, line) of a function of the tree, else (None, None)."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    path = inside(code.co_filename) if code is not None else None
    return (path, code.co_firstlineno) if path is not None else (None, None)


def headline(problem):
    """`ValueError: text`, bounded, whatever the exception's `__str__` does."""
    name = type(problem).__name__
    try:
        text = str(problem)
    except BaseException as second:
        text = f"<its str() raised {type(second).__name__}>"
    if isinstance(problem, SyntaxError):
        text = f"{problem.msg}{_pointer(problem)}"
    elif isinstance(problem, SystemExit):
        text = f"the code ended the process with sys.exit({problem.code!r})"
    elif isinstance(problem, ModuleNotFoundError) and problem.name:
        text += " (not in the workspace, nor in this checker's Python, which has the standard library only)"
    elif isinstance(problem, RuntimeError) and text == "can't start new thread":
        text += " (this checker has no threads; check-command runs code that needs them)"
    notes = getattr(problem, "__notes__", None)
    if isinstance(notes, (list, tuple)):
        text = "\n".join([text, *map(str, notes)])
    return cut(f"{name}: {text}" if text else name, _TEXT)


def _pointer(problem):
    try:
        source = problem.text.rstrip("\n")
        gap = " " * (len(source[: problem.offset - 1].expandtabs()) if problem.offset else 0)
        return f"\n    {source.expandtabs()[:200]}\n    {gap}^"
    except (AttributeError, TypeError):
        return ""


def _syntax_place(problem):
    if isinstance(problem, SyntaxError) and problem.filename:
        path = inside(problem.filename)
        if path is not None:
            return path, problem.lineno
    return None


def _frames(problem):
    """(path, line, function) of the frames in the tree, outermost first."""
    frames = []
    step = problem.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        path = inside(code.co_filename)
        if path is not None:
            frames.append((path, step.tb_lineno, getattr(code, "co_qualname", code.co_name)))
        step = step.tb_next
    return frames


def _listing(frames):
    total = len(frames)
    for index, (path, line, name) in enumerate(frames):
        if _FRAMES <= index < total - _FRAMES:
            if index == _FRAMES:
                yield f"\n  ... {total - 2 * _FRAMES} more frames ..."
            continue
        source = linecache.getline(f"{ROOT}/{path}", line or 0).strip()
        place = "" if name == "<module>" else f" in {name}"
        yield f"\n  {path}:{line}{place}: {cut(source, 200)}"
