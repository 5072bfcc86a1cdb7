"""The examples that a function's docstring states, as a Python test file.

People write examples in many ways; each rule below reads one of them, and none knows a particular problem:

    >>> f(1, 2)                                       doctest: source and expected output
    >>> f(1, 2) == 3                                  doctest prompt before a comparison
    f(1, 2) == 3     (also =, =>, ==>, ->, ➞, # =>, returns, # returns, should return, …)
    f(1, 2) -> 1 + 2 = 3                              a chain of equal values; the last one is meant
    For a = 1, b = 2 the output should be 3           also "the result will be", …
    Input: a = 1, b = 2 / Output: 3                   also "Input: 1", and one "name : value" per line
    a = [1] … return [2]                              a parameter set, and a later line that returns

What is not a literal that `ast` can read is skipped, never guessed. So are examples that can't be meant as written: calls that don't
fit the signature, two values for one call, a lone value in parentheses (it may or may not be a tuple of one).
"""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass

OPEN, CLOSE = "([{", ")]}"
ARROW = re.compile(
    r"""\s*(?:\#\s*)?(?:
        ==>|=>|==|->|➞|→|⇒|=(?!=)
      | (?:(?:should|will|must|would)\s+)?(?:returns?|equals?|gives?|yields?|outputs?|evaluates?\s+to)\b
      | (?:should|will|must|would)\s+be\b
    )\s*(?:==?\s*)?""", re.VERBOSE)
SCALAR = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|(?:True|False|None|true|false|null)\b")
SPOKEN = {"true": "True", "false": "False", "null": "None"}
NAME = r"[A-Za-z_]\w*"
SENTENCE = re.compile(r"\bfor\s+(?=" + NAME + r"\s*=)", re.IGNORECASE)
VERDICT = re.compile(
    r"\b(?:output|result|answer|return\s+value|function)\b[^\n]{0,20}?\b(?:should|will|must)\s+(?:be|equal|return)\s+", re.IGNORECASE)
INPUT = re.compile(r"^[ \t]*(?:[-*][ \t]*)?inputs?[ \t]*:\s*", re.IGNORECASE | re.MULTILINE)
OUTPUT = re.compile(r"\s*(?:[-*][ \t]*)?outputs?[ \t]*:\s*", re.IGNORECASE)
SETTING = re.compile(rf"^[ \t]*({NAME})[ \t]*=(?!=)[ \t]*", re.MULTILINE)
RETURN = re.compile(r"^[ \t]*returns?\b[ \t]*(?:==?|:)?[ \t]*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """`call` is an expression that calls the function; `want` is a literal."""

    call: str
    want: str
    position: int = 0

    def source(self) -> str:
        operator = "is" if self.want == "None" else "=="
        return f"{self.call} {operator} {self.want}"


@dataclass(frozen=True)
class Function:
    name: str
    parameters: tuple[str, ...]
    required: int
    doc: str  # as written: a backslash is still a backslash, as in the source of a literal
    defined: frozenset[str]


def function(prompt: str, name: str) -> Function:
    """The function `name` in `prompt`, a Python source whose last function may have no body but its docstring."""
    tree = ast.parse(prompt)
    node = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name][-1]
    text = next((s.value for s in node.body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and
                 isinstance(s.value.value, str)), None)
    doc = (ast.get_source_segment(prompt, text) or "") if text is not None else ""
    doc = re.sub(r"^\w*(\"\"\"|'''|\"|')(.*)\1$", r"\2", doc, flags=re.DOTALL)
    parameters = tuple(a.arg for a in node.args.posonlyargs + node.args.args)
    return Function(name, parameters, len(parameters) - len(node.args.defaults), doc,
                    frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef)))


def extract(prompt: str, name: str) -> list[Example]:
    """The examples of `name`, in the order of the text, each once."""
    what = function(prompt, name)
    found, text = _doctests(what)
    found += _calls(what, text, what.name)
    found += _sentences(what, text) + _tables(what, text) + _settings(what, text)
    if not found:
        found = _renamed(what, text)
    return _agreeing(what, sorted(found, key=lambda e: e.position))


def test_file(prompt: str, name: str, module: str = "solution") -> str:
    """A test file with one function per example; where there is no example, one that asks for the function alone."""
    lines = [f"from {module} import {name}", ""]
    for number, example in enumerate(extract(prompt, name), 1):
        lines += ["", f"def test_example_{number}():", f"    assert {example.source()}", ""]
    if len(lines) == 2:
        lines += ["", "def test_is_defined():", f"    assert callable({name})", ""]
    return "\n".join(lines)


# Literals ------------------------------------------------------------------------------------------------------------


def _closed(text: str, start: int) -> int | None:
    """The end of the bracket or string that opens at `start`."""
    if text[start] in "'\"":
        match = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"").match(text, start)
        return match.end() if match else None
    stack, at = [], start
    while at < len(text):
        char = text[at]
        if char in "'\"":
            end = _closed(text, at)
            if end is None:
                return None
            at = end
            continue
        if char in OPEN:
            stack.append(CLOSE[OPEN.index(char)])
        elif char in CLOSE:
            if not stack or stack.pop() != char:
                return None
            if not stack:
                return at + 1
        at += 1
    return None


def _literal(text: str) -> str | None:
    """`text` in Python's own spelling if it is one literal, on one line."""
    text = SPOKEN.get(text.strip(), text.strip())
    try:
        node = ast.parse(re.sub(r"\s*\n\s*", " ", text), mode="eval").body
        ast.literal_eval(node)
    except (SyntaxError, ValueError, TypeError, MemoryError):
        return None
    if text.startswith("(") and not isinstance(node, ast.Tuple):
        return None
    return ast.unparse(node)


def _value(text: str, start: int) -> tuple[str, int] | None:
    """The literal at `start`, and its end. Nothing may be glued to it but punctuation."""
    if start >= len(text):
        return None
    if text[start] in OPEN or text[start] in "'\"":
        end = _closed(text, start)
    else:
        match = SCALAR.match(text, start)
        end = match.end() if match else None
    if end is None or not re.match(r"\s|$|[.,;:)#]", text[end:end + 1]):
        return None
    value = _literal(text[start:end])
    return (value, end) if value is not None else None


def _number(expression: str) -> float | None:
    """The value of plain arithmetic on numbers."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        plain = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub)
        if not all(isinstance(n, plain) for n in ast.walk(tree)):
            return None
        return eval(compile(tree, "<example>", "eval"), {"__builtins__": {}})  # numbers and + - * / only, by the line above
    except (SyntaxError, ValueError, TypeError, ArithmeticError):
        return None


def _expected(text: str, start: int) -> tuple[str, int] | None:
    """The value said to come out: a literal, or the end of a chain `1 + 2 = 3` whose parts agree."""
    line = re.compile(r"[^\n#]*").match(text, start).group()
    if re.match(r"[-+(\d.\s]+(?:[-+*/=][-+*/()=\d.\s]*)?$", line) and re.search(r"[\d)]\s*[-+*/=]", line):
        parts = re.split(r"==?", line)
        values = [_number(p) for p in parts]
        if None in values or len(set(values)) > 1:
            return None
        last = _literal(parts[-1])
        return (last, start + len(line)) if last is not None else None
    value = _value(text, start)
    if value and re.match(r"[ \t]*(?:[+*/%=]|-(?![->]))", text[value[1]:]):
        return None
    return value


def _fits(what: Function, count: int) -> bool:
    return what.required <= count <= len(what.parameters)


def _call(what: Function, values: list[tuple[str | None, str]], want: str, position: int) -> list[Example]:
    """A call from `name = value` pairs: by name where the names are the parameters, else in order."""
    names = [n for n, _ in values]
    if not _fits(what, len(values)):
        return []
    if None not in names and set(names) <= set(what.parameters) and len(set(names)) == len(names):
        values = sorted(values, key=lambda pair: what.parameters.index(pair[0]))
    return [Example(f"{what.name}({', '.join(v for _, v in values)})", want, position)]


# Forms ---------------------------------------------------------------------------------------------------------------


def _doctests(what: Function) -> tuple[list[Example], str]:
    """The `>>>` examples, and the text with them blanked out."""
    found, lines, at = [], what.doc.split("\n"), 0
    position = 0
    while at < len(lines):
        start, here = at, position
        position += len(lines[at]) + 1
        at += 1
        match = re.match(r"\s*>>>\s?(.*)", lines[start])
        if not match:
            continue
        source, want = [match[1]], []
        while at < len(lines) and re.match(r"\s*\.\.\.(?:\s|$)", lines[at]):
            source.append(re.sub(r"^\s*\.\.\.\s?", "", lines[at]))
            position += len(lines[at]) + 1
            at += 1
        while at < len(lines) and lines[at].strip() and not lines[at].lstrip().startswith(">>>"):
            want.append(lines[at])
            position += len(lines[at]) + 1
            at += 1
        example = _doctest(what, "\n".join(source), "\n".join(want), here)
        if example:
            found.append(example)
        elif want:  # prose may have followed with no blank line between
            at, position = start + len(source), here + sum(len(line) + 1 for line in lines[start:start + len(source)])
        for blank in range(start, at):
            lines[blank] = " " * len(lines[blank])
    return found, "\n".join(lines)


def _doctest(what: Function, source: str, want: str, position: int) -> Example | None:
    try:
        node = ast.parse(source.strip(), mode="eval").body
    except SyntaxError:
        return None
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == what.name]
    if len(calls) != 1 or not _fits(what, len(calls[0].args) + len(calls[0].keywords)):
        return None
    if isinstance(node, ast.Compare):
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq) and calls[0] is node.left and not want.strip():
            value = _literal(ast.unparse(node.comparators[0]))
            return Example(ast.unparse(node.left), value, position) if value is not None else None
        return None
    if not isinstance(node, ast.Call):
        return None
    if not want.strip():  # an interpreter prints nothing for None
        return Example(ast.unparse(node), "None", position)
    value = _literal(want)
    return Example(ast.unparse(node), value, position) if value is not None else None


def _calls(what: Function, text: str, name: str) -> list[Example]:
    found = []
    for match in re.finditer(rf"(?<![\w.]){re.escape(name)}\s*(?=\()", text):
        end = _closed(text, match.end())
        arrow = ARROW.match(text, end) if end else None
        expected = _expected(text, arrow.end()) if arrow else None
        arguments = _arguments(what, text[match.end():end]) if expected else None
        if arguments is not None and _fits(what, len(arguments)):
            found.append(Example(f"{what.name}({', '.join(arguments)})", expected[0], match.start()))
    return found


def _arguments(what: Function, bracket: str) -> list[str] | None:
    """The literals of `(1, 'a')`. A bare word is a string with its quotes left off, where the text speaks of strings
    and it is no parameter's name."""
    try:
        node = ast.parse("f" + re.sub(r"\s*\n\s*", " ", bracket), mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(node, ast.Call) or node.keywords:
        return None
    values = []
    for argument in node.args:
        if isinstance(argument, ast.Name):
            if argument.id in what.parameters or not re.search(r"\bstrings?\b", what.doc):
                return None
            values.append(repr(argument.id))
            continue
        value = _literal(ast.unparse(argument))
        if value is None:
            return None
        values.append(value)
    return values


def _renamed(what: Function, text: str) -> list[Example]:
    """Examples under one other name, for want of any under the function's own: it was renamed, its docstring was not."""
    taken = what.defined | {what.name} | set(dir(builtins))
    names = {n for n in re.findall(rf"(?<![\w.])({NAME})\(", text)} - taken
    found = {n: _calls(what, text, n) for n in names}
    told = [examples for examples in found.values() if examples]
    return told[0] if len(told) == 1 else []


def _pairs(text: str, at: int, sign: str) -> tuple[list[tuple[str | None, str]], int]:
    """`a = 1, b = 2` from `at`, and where it ends."""
    values, end = [], at
    while True:
        name = re.compile(rf"[\s,]*(?:and\s+)?(?!outputs?\b)({NAME})\s*{sign}\s*", re.IGNORECASE).match(text, end)
        value = _value(text, name.end()) if name else None
        if not value:
            return values, end
        values.append((name[1], value[0]))
        end = value[1]


def _sentences(what: Function, text: str) -> list[Example]:
    found = []
    for match in SENTENCE.finditer(text):
        values, end = _pairs(text, match.end(), "=")
        line_end = text.find("\n", end)
        verdict = VERDICT.search(text, end, line_end if line_end >= 0 else len(text)) if values else None
        want = _expected(text, verdict.end()) if verdict else None
        if want:
            found += _call(what, values, want[0], match.start())
    return found


def _tables(what: Function, text: str) -> list[Example]:
    found = []
    for match in INPUT.finditer(text):
        values, end = _pairs(text, match.end(), "[=:]")
        if not values:
            end = match.end()
            while value := _value(text, end):
                values.append((None, value[0]))
                end = value[1]
                comma = re.compile(r"[ \t]*,[ \t]*").match(text, end)
                if not comma:
                    break
                end = comma.end()
        output = OUTPUT.match(text, end) if values else None
        want = _expected(text, output.end()) if output else None
        if want:
            found += _call(what, values, want[0], match.start())
    return found


def _settings(what: Function, text: str) -> list[Example]:
    """For functions of one parameter: `arr = [1]`, and what the text says is returned before it is set again."""
    if len(what.parameters) != 1:
        return []
    settings = [m for m in SETTING.finditer(text) if m[1] == what.parameters[0]]
    found = []
    for number, match in enumerate(settings):
        until = settings[number + 1].start() if number + 1 < len(settings) else len(text)
        value = _value(text, match.end())
        back = RETURN.search(text, value[1], until) if value else None
        want = _expected(text, back.end()) if back else None
        if want:
            found += _call(what, [(None, value[0])], want[0], match.start())
    return found


# Judgement -----------------------------------------------------------------------------------------------------------


def _agreeing(what: Function, found: list[Example]) -> list[Example]:
    wants: dict[str, set[str]] = {}
    for example in found:
        wants.setdefault(example.call, set()).add(example.want)
    kept, seen = [], set()
    for example in found:
        if len(wants[example.call]) == 1 and example.call not in seen:
            seen.add(example.call)
            kept.append(example)
    # `f(n) = f(n - 1) + …` defines a sequence by its terms: numbers stated in that notation are terms, and are results
    # only if the function returns terms too.
    recurrence = re.search(rf"\b{re.escape(what.name)}\(\w+\)\s*=[^\n]*\b{re.escape(what.name)}\(", what.doc)
    kinds = {isinstance(ast.literal_eval(e.want), (list, tuple, dict)) for e in kept}
    if recurrence and len(kinds) == 2:
        return [e for e in kept if isinstance(ast.literal_eval(e.want), (list, tuple, dict))]
    return kept
