"""What a check found, in the contract's words."""

import dataclasses

# The host cuts a report's problems after 200.
MOST_PROBLEMS = 200


@dataclasses.dataclass
class Problem:
    test: str | None
    path: str | None
    line: int | None
    message: str


@dataclasses.dataclass
class Report:
    verdict: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list = dataclasses.field(default_factory=list)
    output: str = ""


class BadSetting(ValueError):
    """A setting is unknown or has a bad value."""
