"""Checks README and docs/ against the program: `make docs-check`. Needs a build."""

import collections
import pathlib
import subprocess
import sys
import time

import commands
import pages
import settings
from bench import bench


def faults(counts):
    found = pages.all_pages()
    yield from pages.dead_links(found)
    tools = subprocess.run([pages.REPO / "chart/tests/tools.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout
    with bench() as made:
        yield from settings.stale(found, made.run_host)
        yield from settings.unknown_variables(found, made.run_host)
        yield from commands.in_prose(found, commands.Program(made))
        made.prepare(pathlib.Path(tools.strip()) / "helm-4.1")
        yield from commands.in_blocks(found, made, counts)


def main():
    begin, wrong, counts = time.monotonic(), 0, collections.Counter()
    for page, line, fault in faults(counts):
        print(f"{page}:{line}: {fault}")
        wrong += 1
    looked = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"docs-check: {looked}; {wrong} faults ({time.monotonic() - begin:.0f} s)")
    sys.exit(wrong > 0)


main()
