"""Every command of the documents: run here, or by a script that says the same words."""

import functools
import re
import shlex
import tomllib

from pages import REPO

# What runs these. The script holds the command, word for word but for the folder it is called from.
ELSEWHERE = {
    "make build": ".ci/test.sh",
    "make test": ".ci/run",
    "./install.sh local": "systemd/boot-test",
    "./install.sh local --upgrade": "systemd/boot-test",
    "systemctl status aiagent": "systemd/boot-test",
    "systemctl enable --now aiagent-worker@8082": "systemd/boot-test",
    "journalctl -u aiagent -n 50": "systemd/boot-test",
    "systemctl daemon-reload && systemctl restart aiagent": "systemd/boot-test",
    "mkdir -p /etc/systemd/system/aiagent.service.d": "systemd/boot-test",
    "cp /usr/share/ai-agent/exec.conf /etc/systemd/system/aiagent.service.d/": "systemd/boot-test",
    "cp /usr/share/ai-agent/interpreter.conf /etc/systemd/system/aiagent.service.d/": "systemd/boot-test",
    "openapi-python-client generate --path ./docs/openapi.json --meta none": "host/tests/description",
    "sha256sum --check aiagent-host-*-linux.tar.gz.sha256 && tar -xzf aiagent-host-*-linux.tar.gz": "systemd/boot-test",
    "dpkg --install aiagent-host_*.deb": "systemd/boot-test",
    "cd aiagent-host-*-linux && ./install.sh local": "systemd/boot-test",
}
# Nothing here can run these, for this reason.
BY_HAND = {
    "cargo install cargo-audit && cargo audit": "needs RustSec's server",
    "cargo update -p wasmtime -p wasmtime-wasi": "needs crates.io",
    "journalctl -u aiagent -f": "does not end",
    ".ci/run": "is what runs this",
}
# They end with 1 where they find what they look for.
FINDING = ("doctor", "production-check", "migrate --check")
# What the words of a document stand for here.
WORDS = {
    "GOAL": "'Write slug.py with slugify(text) that makes a URL slug'",
    "FILE…": "test_slug.py", "https://HOST": "http://{address}", "127.0.0.1:8080": "{address}",
    # host/tests/front/projects.rs builds a project of each language and kind.
    "./build.sh": "cp ../my-fixer.wasm .",
    "/var/backups": "{root}/backups", "http://127.0.0.1:11434/v1": "{model}", "PLUGINS_FOLDER": "{root}/dropped",
}
# Lines that show what is printed, or a shape.
SHOWN = re.compile(r"^(submit → queue|▶ build|[A-Z_]+=\S+$)")
# Programs that serve until they are stopped, and forms with a choice in them: looked at, not run.
FORM = re.compile(r"^(target/release/)?aiagent-host( .*\|.*|.* --role .*| --plugins DIR| .*\b[A-Z]{2,}\b.*)$")


def bare(command):
    return re.sub(r"\bsudo (-\w+ )?", "", command)


@functools.cache
def words_of(script):
    path = REPO / script
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    text = re.sub(r"\$(repo|here|root)/", "./", "\n".join(file.read_text() for file in files))
    return re.sub(r"[\"']| --no-(print-directory|pager)", "", text)


class Program:
    """What the command line of the program is, by its own help."""

    def __init__(self, bench):
        self.bench = bench

    @functools.cache
    def help(self, *path):
        return self.bench.run_host("", *path, "--help").stdout

    def below(self, *path):
        part = re.search(r"\nCommands:\n(.*?)\n\n", self.help(*path), re.DOTALL)
        return set(re.findall(r"^  ([a-z][\w-]*) ", part[1], re.MULTILINE)) - {"help"} if part else set()

    def all(self, *path):
        for name in sorted(self.below(*path)):
            yield (*path, name)
            yield from self.all(*path, name)

    def path(self, words):
        """The command that these words lead to, and its options; the word after one with a value is that value."""
        path, flags, value = (), [], False
        for word in words:
            if word.startswith("--"):
                flags.append(word.split("=")[0])
                value = "=" not in word and re.search(rf"{word} <", self.help(*path))
            elif not value and self.below(*path) and re.fullmatch(r"[a-z][a-z-]*", word):
                path = (*path, word)
            else:
                value = False
        return path, flags

    def wrong(self, path, flags):
        for length in range(len(path)):
            if path[length] not in self.below(*path[:length]):
                return f"there is no command `{' '.join(path[:length + 1])}`"
        for flag in flags:
            if not re.search(rf"{flag}\b", self.help(*path)):
                return f"`{' '.join(path)}` has no option {flag}"
        return None

    def choices(self, command):
        """`queue stats | pause` is two commands with the same beginning."""
        first, *others = (split(part) for part in command.split(" | "))
        if len(first) == 1:
            return [first[1:]]
        group = first[:2] if self.below(first[1]) else first[:1]
        return [first[1:], *((*group[1:], *other) for other in others)]


def split(text):
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(lexer)


def in_prose(pages, program):
    """Commands in backticks, and which commands no document names."""
    named = set()
    for page in pages.values():
        codes = [*page.code(), *(each for block in page.blocks for each in block.commands())]
        for number, text in codes:
            for part in re.split(r" && |; ", bare(text)):
                if not re.match(r"(target/release/)?aiagent-host\b", part):
                    continue
                # `a|b` in prose is a choice too; a shell's pipe leads to another program.
                part = part.replace(" \\| ", " | ")
                for words in program.choices(part):
                    if words and words[0] in ("head", "jq", "tail"):
                        continue
                    path, flags = program.path(words)
                    if fault := program.wrong(path, flags):
                        yield page.name, number, fault
                    named |= {path, path[:1]}
    for path in program.all():
        if path not in named and path != ("serve",):
            yield "README.md", 1, f"no document names the command `aiagent-host {' '.join(path)}`"


def configuration(block):
    text = "\n".join(block.lines)
    try:
        return tomllib.loads(text) and text
    except tomllib.TOMLDecodeError:
        return None


def in_blocks(pages, bench, counts):
    for page in pages.values():
        for block in page.blocks:
            if SHOWN.match(block.lines[0]):
                continue
            if block.lines[0].startswith("server {"):
                counts["for nginx"] += 1
                if fault := bench.nginx("\n".join(block.lines)):
                    yield page.name, block.line, fault
            elif text := configuration(block):
                counts["configurations"] += 1
                done = bench.run_host(text, "--print-config")
                if done.returncode:
                    yield page.name, block.line, done.stderr.strip()
            elif re.match(r"^\w+:$", block.lines[0]):
                counts["values files"] += 1
                values = bench.root / "values.yaml"
                values.write_text("\n".join(block.lines) + "\n")
                code, said = bench.shell(f"helm install aiagent ./chart --values {values}")
                if code:
                    yield page.name, block.line, said.strip()
            else:
                yield from run(block, bench, counts)


def run(block, bench, counts):
    """The block's commands, one after the other in one shell; who else runs them is looked up."""
    script = []
    for number, command in block.commands():
        if (known := bare(command)) in ELSEWHERE:
            counts["commands run by another script"] += 1
            if known not in words_of(ELSEWHERE[known]) and known.removeprefix("./") not in words_of(ELSEWHERE[known]):
                yield block.page, number, f"{ELSEWHERE[known]} does not run `{known}`"
        elif known in BY_HAND:
            counts["commands by hand"] += 1
        elif FORM.match(known) and not any(word in known for word in WORDS if word.isupper() or "…" in word):
            counts["forms looked at"] += 1
        else:
            counts["commands run"] += 1
            for word, here in WORDS.items():
                command = command.replace(word, here.format(address=bench.address, root=bench.root, model=bench.url))
            finds = any(f"aiagent-host {name}" in known for name in FINDING)
            script.append(f"{command} || [ $? = 1 ]" if finds else command)
    if script:
        code, said = bench.shell("\n".join(script))
        if code:
            tail = "\n    ".join(said.strip().splitlines()[-12:])
            yield block.page, block.line, f"`{'; '.join(script)}` ends with {code}:\n    {tail}"
