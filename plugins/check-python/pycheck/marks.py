"""`pytest.mark`, `pytest.param` and `pytest.fixture`"""

from .outcomes import Failed


class Mark:
    """A mark, and the decorator that sets it."""

    def __init__(self, name, args=(), kwargs=None):
        self.name, self.args, self.kwargs = name, args, kwargs or {}

    @property
    def mark(self):
        return self

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and callable(args[0]):
            target = args[0]
            if isinstance(target, type) or hasattr(target, "__code__") or hasattr(target, "__wrapped__"):
                # A list of its own: a subclass must not add to its parent's.
                target.pytestmark = [*getattr(target, "pytestmark", ()), self]
                return target
        return Mark(self.name, self.args + args, {**self.kwargs, **kwargs})

    def __repr__(self):
        return f"Mark({self.name!r})"


class Marks:
    """`pytest.mark.anything`"""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Mark(name)


class Param:
    def __init__(self, values, id=None, marks=()):
        self.values, self.id = values, id
        self.marks = list(marks) if isinstance(marks, (list, tuple)) else [marks]


def param(*values, id=None, marks=()):
    return Param(values, id, marks)


def of(*owners):
    """The marks of a module, a class and a function together, as a list."""
    found = []
    for owner in owners:
        marks = getattr(owner, "pytestmark", ()) if owner is not None else ()
        found += marks if isinstance(marks, (list, tuple)) else [marks]
    return found


def parameter_sets(marks):
    """Every combination of the `parametrize` marks: (values by name, id, further marks)."""
    combinations = [({}, (), [], frozenset())]
    for mark in marks:
        if mark.name != "parametrize":
            continue
        names, rows, ids, indirect = _arguments(*mark.args, **mark.kwargs)
        grown = []
        # As in pytest, the decorator nearest to the function turns slowest... its ids come first.
        for index, row in enumerate(rows):
            row = row if isinstance(row, Param) else Param(row if len(names) > 1 else (row,))
            values = tuple(row.values)
            if len(values) != len(names):
                raise Failed(f"parametrize: {len(names)} names ({', '.join(names)}) but {len(values)} values in row {index}")
            label = row.id or _id(ids, index, names, values)
            for known, labels, extra, ways in combinations:
                merged = {**known, **dict(zip(names, values))}
                grown.append((merged, (*labels, label), [*extra, *row.marks], ways | indirect))
        combinations = grown
    return [(values, "-".join(labels), extra, ways) for values, labels, extra, ways in combinations]


def _arguments(argnames, argvalues, indirect=False, ids=None, scope=None):
    names = [n.strip() for n in argnames.split(",") if n.strip()] if isinstance(argnames, str) else list(argnames)
    through = frozenset(names if indirect is True else indirect or ())
    return names, list(argvalues), ids, through


def _id(ids, index, names, values):
    if callable(ids):
        chosen = [ids(v) for v in values]
    elif ids is not None:
        listed = list(ids)
        chosen = [listed[index] if index < len(listed) else None]
        if chosen[0] is not None:
            return str(chosen[0])
        chosen = [None] * len(values)
    else:
        chosen = [None] * len(values)
    parts = []
    for name, value, text in zip(names, values, chosen):
        if text is not None:
            parts.append(str(text))
        elif isinstance(value, str):
            parts.append(value.encode("unicode_escape").decode()[:60])
        elif isinstance(value, (int, float, complex, bool)) or value is None:
            parts.append(str(value)[:60])
        else:
            parts.append(getattr(value, "__name__", f"{name}{index}"))
    return "-".join(parts)


class FixtureDefinition:
    """A function decorated with `pytest.fixture`."""

    def __init__(self, function, scope, params, autouse, name, ids):
        self.function, self.scope, self.autouse = function, scope, autouse
        self.params = None if params is None else list(params)
        self.name, self.ids = name or function.__name__, ids
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self.__wrapped__ = function
        self.owner = None

    def __get__(self, instance, owner=None):
        # Found through a class: bound when the fixture is set up, to the test's own instance.
        return self

    def __call__(self, *_, **__):
        raise Failed(f"Fixture {self.name!r} called directly: name it as a parameter of the test instead")


def fixture(function=None, *, scope="function", params=None, autouse=False, ids=None, name=None):
    if function is not None:
        return FixtureDefinition(function, scope, params, autouse, name, ids)
    return lambda f: FixtureDefinition(f, scope, params, autouse, name, ids)
