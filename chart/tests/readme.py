"""Writes the table of values in the chart's README, or with --check says whether it is up to date."""

import json
import pathlib
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "| value | default | what it is |\n|---|---|---|\n"


def rows(schema, default, path=""):
    for name, inner in schema["properties"].items():
        at = f"{path}{name}"
        if at == "global":
            continue
        if "properties" in inner and "items" not in inner:
            yield f"| **{at}** | | {inner['description']} |"
            yield from rows(inner, default[name], f"{at}.")
        else:
            shown = json.dumps(default[name], ensure_ascii=False)
            shown = "see values.yaml" if len(shown) > 40 else f"`{shown}`"
            allowed = f" ({', '.join(inner['enum'])})" if "enum" in inner and path != "" else ""
            yield f"| {at} | {shown} | {inner['description']}{allowed} |"


def main():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    readme = CHART / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    after = rest[rest.index("\n\n"):] if "\n\n" in rest else "\n"
    text = before + BEGIN + "\n".join(rows(schema, values)) + after
    if text == readme.read_text():
        return
    if "--check" in sys.argv:
        sys.exit("chart/README.md: the table of values is stale; run chart/tests/readme.py")
    readme.write_text(text)


main()
