"""One problem through the product: the only file that knows its command line and the shape of its answer."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SOLUTION, TESTS = "solution.py", "test_solution.py"
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


@dataclass
class Round:
    kind: str
    temperature: float | None
    verdict: str | None
    passed: int
    failed: int
    solution: str  # the file as this round left it; empty where there was none


@dataclass
class Result:
    outcome: str
    tokens: int
    seconds: float
    rounds: list[Round] = field(default_factory=list)


class ProductFailed(RuntimeError):
    """The command gave no task to read: a wrong configuration, no model."""


def goal(prompt: str, name: str) -> str:
    return f"Write the function `{name}` in `{SOLUTION}`.\n\n```python\n{prompt.rstrip()}\n```"


def run(command: list[str], pipeline: str, prompt: str, name: str, tests: str, seconds: float) -> Result:
    """Runs `aiagent-host run` on a folder that holds nothing but the test file."""
    with tempfile.TemporaryDirectory(prefix="humaneval-") as folder:
        (Path(folder) / TESTS).write_text(tests, encoding="utf-8")
        start = time.monotonic()
        done = subprocess.run(
            [*command, "run", goal(prompt, name), "--dir", folder, "--tests", TESTS, "--pipeline", pipeline, "--json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
        took = time.monotonic() - start
    # 0 is green and 1 is any other end; both print the task.
    if done.returncode not in (0, 1):
        raise ProductFailed(f"exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
    return read(json.loads(done.stdout), took)


def read(answer: dict, seconds: float) -> Result:
    """The product's JSON as a `Result`."""
    task = answer.get("task", answer)
    files = {task["spec"]["tree"]: ""}
    rounds = []
    for entry in task["rounds"]:
        base, tree, report = entry["base"], entry.get("tree"), entry.get("report")
        if tree is not None and tree not in files:
            files[tree] = patched(files[base], entry["diff"], SOLUTION)
        counts = report["counts"] if report else {}
        rounds.append(Round(
            entry["kind"], entry.get("temperature"), report["verdict"] if report else None, counts.get("passed", 0),
            counts.get("failed", 0), files[tree] if tree is not None else ""))
    spend = task["spend"]
    return Result(task["outcome"]["reason"]["kind"], spend["input_tokens"] + spend["output_tokens"], seconds, rounds)


def patched(before: str, diff: str, path: str) -> str:
    """`before` with the part of a unified diff that is about `path`."""
    section = re.search(rf"^\+\+\+ (?:b/)?{re.escape(path)}[^\n]*\n(.*?)(?=^(?:diff |--- )|\Z)", diff, re.MULTILINE | re.DOTALL)
    if not section:
        return before
    old, out, at = before.splitlines(), [], 0
    end_of_line = True
    for line in section[1].splitlines():
        hunk = HUNK.match(line)
        if hunk:
            # A hunk that removes nothing names the line before it.
            first = int(hunk[1]) - (1 if hunk[2] != "0" else 0)
            out += old[at:first]
            at = first
        elif line.startswith("+"):
            out.append(line[1:])
        elif line.startswith("-"):
            at += 1
        elif line.startswith("\\"):
            end_of_line = False
        else:
            out.append(line[1:])
            at += 1
    out += old[at:]
    return "\n".join(out) + ("\n" if end_of_line and out else "")
