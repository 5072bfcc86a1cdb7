"""How a pytest-style test can end early."""


class Outcome(BaseException):
    """Like pytest's, not an Exception: `except Exception` in a test doesn't swallow it."""

    def __init__(self, msg="", pytrace=True):
        super().__init__(msg)
        self.msg = msg

    def __str__(self):
        return str(self.msg)


class Failed(Outcome):
    pass


class Skipped(Outcome):
    pass


class XFailed(Failed):
    pass


class Exit(Outcome):
    pass


def fail(reason="", pytrace=True):
    raise Failed(reason)


def skip(reason="", *, allow_module_level=False):
    raise Skipped(reason)


def xfail(reason=""):
    raise XFailed(reason)


def exit(reason="", returncode=None):
    raise Exit(reason)


def importorskip(modname, minversion=None, reason=None, exc_type=ImportError):
    import importlib

    try:
        return importlib.import_module(modname)
    except exc_type as problem:
        raise Skipped(reason or f"could not import {modname!r}: {problem}") from None
