"""One problem through the product's REST API: the only file that knows its paths and the shape of its answers."""

from __future__ import annotations

import io
import itertools
import json
import os
import tarfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

SOLUTION, TESTS = "solution.py", "test_solution.py"
POLL_SECONDS = 0.5  # a round takes seconds
CREATED = 202  # 200 is a task that this key named before
UNJUDGED = ("model-failed", "step-failed", "crashed", "cancelled")  # these say nothing about the code


@dataclass
class Round:
    kind: str
    temperature: float | None
    verdict: str | None
    passed: int
    failed: int
    solution: str  # the file as this round left it; empty where there was none
    failure: str | None = None


@dataclass
class Result:
    task: str
    outcome: str
    kept: int | None  # the round, from 1, whose tree the task ended with
    tokens: int
    seconds: float
    rounds: list[Round] = field(default_factory=list)


class ProductFailed(RuntimeError):
    """The server refused the task, or ended it for a reason that says nothing about the code."""


def goal(prompt: str, name: str) -> str:
    return f"Write the function `{name}` in `{SOLUTION}`.\n\n```python\n{prompt.rstrip()}\n```"


def run(server: str, pipeline: str | None, key: str, prompt: str, name: str, tests: str, seconds: float) -> Result:
    """Submits the problem as one task and waits for its end. The same key finds the same task again, unless that one
    failed for want of a model or a server: then the problem is submitted afresh, once per call."""
    body = {"goal": goal(prompt, name), "tests": [TESTS], "files": [{"path": TESTS, "content": tests}]}
    if pipeline:
        body["pipeline"] = pipeline
    server = server.rstrip("/")
    for attempt in itertools.count(1):
        status, answer = _send(f"{server}/api/v1/tasks", body, f"{key} {attempt}")
        url = server + json.loads(answer)["url"]
        task = _ended(url, seconds)
        reason = task["outcome"]["reason"]
        if reason["kind"] not in UNJUDGED:
            return read(task, lambda number: solution_in(_send(f"{url}/archive?round={number}")[1]))
        if status == CREATED:
            raise ProductFailed(f"{url} ended with {reason}")
    raise AssertionError("itertools.count has no end")


def _ended(url: str, seconds: float) -> dict:
    until = time.monotonic() + seconds
    while (task := json.loads(_send(url)[1]))["state"] != "ended":
        if time.monotonic() > until:
            raise ProductFailed(f"{url} has not ended after {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    return task


def read(task: dict, solution_after) -> Result:
    """The product's task as a `Result`; `solution_after(number)` fetches the file that a round left."""
    rounds, kept = [], None
    for number, entry in enumerate(task["rounds"], 1):
        report = entry["report"]
        counts = report["counts"] if report else {"passed": 0, "failed": 0}
        rounds.append(Round(
            entry["kind"], entry["temperature"], report["verdict"] if report else None, counts["passed"], counts["failed"],
            solution_after(number) if entry["tree"] else "", entry["failure"]))
        if kept is None and entry["tree"] == task["outcome"]["tree"]:
            kept = number
    spend = task["spend"]
    return Result(task["id"], task["outcome"]["reason"]["kind"], kept, spend["input_tokens"] + spend["output_tokens"],
                  (task["ended_at"] - task["started_at"]) / 1000, rounds)


def solution_in(archive: bytes) -> str:
    """`solution.py` in a .tar.gz, or nothing."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for member in files:
            if member.isfile() and member.name.removeprefix("./") == SOLUTION:
                return files.extractfile(member).read().decode("utf-8", "replace")
    return ""


def _send(url: str, body: dict | None = None, key: str | None = None) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if key:
        headers["Idempotency-Key"] = key
    if token := os.environ.get("AIAGENT_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        raise ProductFailed(f"{url}: {error.code} {error.read()[:2000].decode('utf-8', 'replace')}") from error
