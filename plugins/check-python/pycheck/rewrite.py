"""Makes plain `assert` statements tell the values they compared.

    assert f(x) == 3, "three"
becomes
    assert (@0 := f(x)) == (@1 := 3), @explain(POSITIONS, (@0, @1), True, "three")
    @0 = @1 = None

Each expression is still evaluated once and in its order. `@0` can't clash with a name of the
source; it is cleared so that the assert keeps no object alive. The text of the expressions is cut
from the source only when an assert fails.
"""

import ast
import builtins
import linecache
import sys

from .shows import difference, show

EXPLAIN = "@explain"
_OPERATORS = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
# The test that fails may have replaced `len` and the like.
_builtins, _sound_builtins = vars(builtins), {}
# The fields of a statement that hold statements.
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def compile_source(data, filename):
    """A module's code. SyntaxError (or ValueError for null bytes) as `compile` raises it."""
    if b"assert" not in data:
        return compile(data, filename, "exec", dont_inherit=True)
    tree = ast.parse(data, filename)
    rewrite(tree)
    return compile(tree, filename, "exec", dont_inherit=True)


def rewrite(tree):
    """Rewrites every assert statement below a node, in place."""
    for field in _BODIES:
        body = getattr(tree, field, None)
        if not body or not isinstance(body, list):
            continue
        result = []
        for statement in body:
            if type(statement) is ast.Assert:
                _assert(statement.test, statement, result)
            else:
                rewrite(statement)
                result.append(statement)
        body[:] = result


def _assert(test, origin, result):
    # `assert a and b` is two asserts.
    if type(test) is ast.BoolOp and type(test.op) is ast.And:
        for part in test.values:
            _assert(part, origin, result)
        return
    names, positions = [], []

    def keep(node):
        name = f"@{len(names)}"
        names.append(name)
        # A constant tells its value already.
        positions.append(None if type(node) is ast.Constant else _position(node))
        return ast.copy_location(ast.NamedExpr(ast.copy_location(ast.Name(name, ast.Store()), node), node), node)

    kind, whole = "value", _position(test)
    if type(test) is ast.Compare and len(test.ops) == 1:
        kind = _OPERATORS[type(test.ops[0])]
        test.left = keep(test.left)
        test.comparators[0] = keep(test.comparators[0])
    elif type(test) is ast.UnaryOp and type(test.op) is ast.Not:
        test.operand = keep(test.operand)
    elif type(test) is ast.Call:
        kind = "call"
        shown = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp)
        test.args = [keep(a) if isinstance(a, shown) else a for a in test.args]
        test = keep(test)
    else:
        test = keep(test)

    def at(node):
        return ast.copy_location(node, origin)

    values = at(ast.Tuple([at(ast.Name(n, ast.Load())) for n in names], ast.Load()))
    message = origin.msg or at(ast.Constant(None))
    arguments = [at(ast.Constant((kind, whole, tuple(positions)))), values, at(ast.Constant(bool(origin.msg))), message]
    call = at(ast.Call(at(ast.Name(EXPLAIN, ast.Load())), arguments, []))
    result.append(at(ast.Assert(test, call)))
    targets = [at(ast.Name(n, ast.Store())) for n in names]
    result.append(at(ast.Assign(targets, at(ast.Constant(None)))))


def _position(node):
    return (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _text(filename, position):
    """The source at a position, on one line. Columns count UTF-8 bytes."""
    first, start, last, end = position
    lines = [linecache.getline(filename, n).encode() for n in range(first, min(last, first + 20) + 1)]
    if first == last:
        return lines[0][start:end].decode("utf-8", "replace")
    lines[0] = lines[0][start:]
    if last < first + 21:
        lines[-1] = lines[-1][:end]
    return " ".join(line.decode("utf-8", "replace").strip() for line in lines)


def explain(places, values, has_message, message):
    """The message of a failed assert."""
    _builtins.update(_sound_builtins)
    kind, whole, positions = places
    filename = sys._getframe(1).f_code.co_filename
    lines = [show(message) if not isinstance(message, str) else message] if has_message else []
    lines.append(f"assert {_text(filename, whole)}")
    for position, value in zip(positions, values):
        if position is None or position == whole:
            continue
        text, shown = _text(filename, position), show(value)
        if text != shown:
            lines.append(f"  {text} is {shown}")
    if kind in ("call", "value") and positions[-1] == whole:
        lines.append(f"  it is {show(values[-1])}")
    elif kind == "==":
        lines += ["  " + line for line in difference(*values)]
    return "\n".join(lines)


def install():
    """Lets rewritten code find `explain`: any module's names end in the builtins."""
    setattr(builtins, EXPLAIN, explain)
    _sound_builtins.update(_builtins)
