"""The keys of a pipeline's `[settings]` for check-python.

pattern         globs of test files, apart by blanks or commas; a glob without `/` is matched against
                the file's name. Default: test_*.py *_test.py tests.py test.py
doctests        auto: in the files a task names, and in all sources where there is no test file (default)
                always: in all sources besides the test files
                never
paths           folders that modules are imported from, besides the root, `src` and each test file's own
steps_per_test  loop turns and calls after which one test counts as an endless loop. Default: 20000000
"""

import dataclasses

from .collect import PATTERN
from .report import BadSetting

# Measured in the sandbox: about 6 s of a tight loop. All tests together get three times that, so that
# the report is out before the host's 60 s of compute are used up.
STEPS_PER_TEST = 20_000_000
TESTS_IN_TOTAL = 3


@dataclasses.dataclass
class Settings:
    pattern: str = PATTERN
    doctests: str = "auto"
    paths: tuple = ()
    steps_per_test: int = STEPS_PER_TEST


def parse(pairs):
    """Settings from the contract's list of key and value. Raises BadSetting."""
    settings = Settings()
    for key, value in pairs:
        if key == "pattern":
            if not value.strip():
                raise BadSetting("pattern is empty; example: test_*.py")
            settings.pattern = value
        elif key == "doctests":
            if value not in ("auto", "always", "never"):
                raise BadSetting(f"doctests = {value!r}: allowed are auto, always, never")
            settings.doctests = value
        elif key == "paths":
            settings.paths = tuple(value.replace(",", " ").split())
        elif key == "steps_per_test":
            if not value.isdecimal() or int(value) < 1_000:
                raise BadSetting(f"steps_per_test = {value!r}: a number from 1000")
            settings.steps_per_test = int(value)
        else:
            raise BadSetting(f"unknown setting {key!r}: allowed are pattern, doctests, paths, steps_per_test")
    return settings
