"""Values in the words of a report: bounded, and never failing."""

import difflib

WIDTH = 600
ITEMS = 60
DEPTH = 6


def show(value, width=WIDTH):
    """`repr`, cut in the middle; containers are cut before their `repr` is built."""
    return cut(_show(value, 0, width), width)


def cut(text, width):
    if len(text) <= width:
        return text
    half = (width - 20) // 2
    return f"{text[:half]}...({len(text) - 2 * half} more)...{text[-half:]}"


def _show(value, depth, width):
    kind = type(value)
    try:
        if kind in (str, bytes, bytearray):
            if len(value) > width:
                half = width // 2
                return f"{value[:half]!r}...({len(value) - 2 * half} more)...{value[-half:]!r}"
            return repr(value)
        if kind in (list, tuple, set, frozenset, dict) and value:
            if depth >= DEPTH:
                return "..."
            return _container(value, kind, depth, width)
        return cut(repr(value), width)
    except Exception as problem:
        return f"<{kind.__name__}; its repr raised {type(problem).__name__}>"


def _container(value, kind, depth, width):
    parts, length = [], 0
    pairs = value.items() if kind is dict else value
    for index, item in enumerate(pairs):
        if index >= ITEMS or length > width:
            parts.append(f"...({len(value) - index} more)")
            break
        if kind is dict:
            part = f"{_show(item[0], depth + 1, width)}: {_show(item[1], depth + 1, width)}"
        else:
            part = _show(item, depth + 1, width)
        parts.append(part)
        length += len(part) + 2
    inner = ", ".join(parts)
    if kind is list:
        return f"[{inner}]"
    if kind is tuple:
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if kind is frozenset:
        return f"frozenset({{{inner}}})"
    return f"{{{inner}}}"


def difference(left, right):
    """Where two unequal values differ, as lines; empty where both are short enough to see it."""
    try:
        if type(left) is str and type(right) is str:
            return _texts(left, right)
        if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
            return _sequences(left, right)
        if isinstance(left, dict) and isinstance(right, dict):
            return _mappings(left, right)
        if isinstance(left, (set, frozenset)) and isinstance(right, (set, frozenset)):
            lines = []
            if left - right:
                lines.append(f"only on the left: {show(left - right)}")
            if right - left:
                lines.append(f"only on the right: {show(right - left)}")
            return lines
    except Exception:  # a value whose own comparison fails; both reprs are shown anyway
        return []
    return []


def _texts(left, right):
    if "\n" not in left and "\n" not in right:
        if len(left) + len(right) < 60:
            return []
        at = next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
        start = max(0, at - 20)
        return [f"first difference at index {at}: {left[start:at + 20]!r} != {right[start:at + 20]!r}"]
    # difflib is quadratic: beyond this the two reprs have to do.
    if len(left) + len(right) > 20_000:
        return []
    lines = difflib.unified_diff(right.splitlines(), left.splitlines(), "right", "left", lineterm="", n=2)
    return [line for _, line in zip(range(40), lines)]


def _sequences(left, right):
    if len(left) < 4 and len(right) < 4:
        return []
    for index, (a, b) in enumerate(zip(left, right)):
        if a is not b and a != b:
            return [f"first difference at index {index}: {show(a, 200)} != {show(b, 200)}"]
    if len(left) != len(right):
        return [f"the left has {len(left)} items, the right {len(right)}"]
    return []


def _mappings(left, right):
    if len(left) < 3 and len(right) < 3:
        return []
    lines = []
    for key in left:
        if key not in right:
            lines.append(f"only on the left: {show(key, 100)}: {show(left[key], 200)}")
        elif left[key] is not right[key] and left[key] != right[key]:
            lines.append(f"at {show(key, 100)}: {show(left[key], 200)} != {show(right[key], 200)}")
    lines += [f"only on the right: {show(k, 100)}: {show(right[k], 200)}" for k in right if k not in left]
    return lines[:10]
