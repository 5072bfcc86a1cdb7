"""docs/CONFIGURATION.md against the settings of the program, both ways."""

import re
import tomllib

PAGE = "docs/CONFIGURATION.md"
# One section of each kind that has a name of its own.
SECTIONS = "[models.NAME]\n[pipelines.NAME]\n[queues.NAME]\n[plugins.NAME]\nexec = false\n"
# What is filled in from the folders of the machine, or has no default.
FILLED = {"state_dir", "cache_dir", "tokens_file", "store", "plugins_dir"}
OPTIONAL = {"oidc.default_role"} | {f"plugins.NAME.{key}" for key in (
    "digest", "sha256", "compute_ms", "wall_ms", "memory_mib", "output_kib", "log_kib", "compile_ms")}
# Tables of whatever names; an empty one is not printed.
MAPS = {"exec.env", "oidc.roles", "models.NAME.extra"} | {f"pipelines.NAME.{kind}_settings" for kind in ("builder", "checker", "fixer")}
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| ?(.*?) ?\| (.*) \|$")
HEAD = re.compile(r"^#+ .*`\[([\w.]+)\]`")


def flat(table, path=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield path + key, value


def listed(page):
    section = ""
    for number, text in page.prose:
        if text.startswith("#"):
            head = HEAD.match(text)
            section = f"{head[1]}." if head else ""
        if row := ROW.match(text):
            yield number, section + row[1], row[2]


def shown(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def stale(pages, host):
    """`host` runs the program with a configuration file and answers what it printed."""
    known = dict(flat(tomllib.loads(host(SECTIONS, "--print-config").stdout)))
    known = {key: value for key, value in known.items() if not key.startswith("pipelines.default.")}
    wanted = {key for key, value in known.items() if value is not None} | OPTIONAL | MAPS
    seen = set()
    for number, key, default in listed(pages[PAGE]):
        seen.add(key)
        if key not in wanted:
            yield PAGE, number, f"there is no setting {key}"
        elif key in known and key not in FILLED and (have := shown(known[key])) and default != f"`{have}`":
            yield PAGE, number, f"the default of {key} is `{have}`"
        elif key in known and not shown(known[key]) and re.fullmatch("`[^`]*`", default):
            yield PAGE, number, f"{key} has no default"
    for key in sorted(wanted - seen):
        yield PAGE, 1, f"the setting {key} is missing"
    sections = {key.split(".")[0] for key in wanted if "." in key}
    for page in pages.values():
        for number, text in page.code():
            words = re.fullmatch(r"(\w+)\.([a-z0-9_]+)(?: = .*)?", text)
            if words and words[1] in sections - {"models", "pipelines", "queues", "plugins"}:
                if f"{words[1]}.{words[2]}" not in wanted:
                    yield page.name, number, f"there is no setting {text}"


def unknown_variables(pages, host):
    """Names that begin with AIAGENT_ and mean nothing to the program."""
    found = {}
    for page in pages.values():
        texts = [*page.prose, *((block.line, "\n".join(block.lines)) for block in page.blocks)]
        for number, text in texts:
            for name in re.findall(r"\bAIAGENT_[A-Z_]*[A-Z]\b", text):
                found.setdefault(name, (page.name, number))
    # Of the test suites; and a field of the journal.
    found = {name: at for name, at in found.items() if not name.startswith("AIAGENT_CHAOS_") and name != "AIAGENT_TASK"}
    said = host("", "healthcheck", "--server", "http://127.0.0.1:1", **dict.fromkeys(found, "")).stderr
    for name in re.findall(r"the variable (\w+) is no setting", said):
        yield *found[name], f"{name} is no variable of the program"
