"""The documents as a reader sees them: headings, links, words in code, and blocks of code with their line."""

import dataclasses
import pathlib
import re
import subprocess

REPO = pathlib.Path(__file__).resolve().parents[2]
# Of a plugin's project, and of the state folder.
NOT_OURS = {"wit/world.wit", "plugins/allowed/"}
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")


@dataclasses.dataclass(frozen=True)
class Block:
    page: str
    line: int
    lines: tuple[str, ...]

    def commands(self):
        """Each command with its line, without its comment; a command that ends in a backslash goes on."""
        begun = ""
        for number, text in enumerate(self.lines, self.line):
            text = re.sub(r"(^|\s)# .*$", "", text).rstrip(" …")
            if text.endswith("\\"):
                begun += text[:-1].rstrip() + " "
            elif begun + text.strip():
                yield number, begun + text.strip()
                begun = ""


@dataclasses.dataclass(frozen=True)
class Page:
    name: str
    prose: tuple[tuple[int, str], ...]
    blocks: tuple[Block, ...]

    def anchors(self):
        heads = (text.lstrip("#").strip() for _, text in self.prose if text.startswith("#"))
        return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}

    def code(self):
        """What stands in backticks, with its line."""
        for number, text in self.prose:
            for found in CODE.finditer(text):
                yield number, found[1]


def read(name):
    prose, blocks, block, fenced = [], [], [], False
    lines = (REPO / name).read_text().splitlines()
    for number, text in enumerate([*lines, ""], 1):
        if text.startswith("```"):
            fenced = not fenced
            continue
        if fenced or text.startswith("    ") or (block and not text and number <= len(lines) and lines[number:number + 1] and lines[number].startswith("    ")):
            block.append(text.removeprefix("    "))
            continue
        if block:
            blocks.append(Block(name, number - len(block), tuple(block)))
            block = []
        prose.append((number, text))
    return Page(name, tuple(prose), tuple(blocks))


def all_pages():
    """Not the templates of other projects' documents, nor the samples of tests."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=REPO, capture_output=True, text=True, check=True)
    names = listed.stdout.split()
    return {name: read(name) for name in names if not name.startswith("host/templates/") and "/tests/" not in name}


def dead_links(pages):
    """Links to what is not there, and paths in backticks that this repository does not have."""
    folders = {path.name for path in REPO.iterdir() if path.is_dir()} - {"target"}
    for page in pages.values():
        base = (REPO / page.name).parent
        for number, text in page.prose:
            for target in LINK.findall(CODE.sub("", text)):
                path, _, anchor = target.partition("#")
                if "://" in target:
                    continue
                if path and not (base / path).exists():
                    yield page.name, number, f"a link leads to {target}, which is not there"
                elif anchor and (at := (base / path).resolve() if path else REPO / page.name).suffix == ".md":
                    linked = pages.get(str(at.relative_to(REPO)))
                    if linked and anchor not in linked.anchors():
                        yield page.name, number, f"no heading of {linked.name} makes the anchor #{anchor}"
        for number, text in page.code():
            first = text.split("/")[0]
            plain = re.fullmatch(r"[\w./-]+", text) and "/" in text
            if plain and text not in NOT_OURS and first in folders and first != "target" and not (REPO / text).exists():
                yield page.name, number, f"`{text}` is not there"
