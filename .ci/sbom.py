#!/usr/bin/env python3
"""Writes a CycloneDX list of what is in the binary and the plugins: the crates they are built from, as
Cargo.lock pins them, the packages of the page inside the binary, as npm lists them, and the Python inside
check-python."""

import datetime
import json
import os
import pathlib
import re
import subprocess

REPO = pathlib.Path(__file__).resolve().parent.parent
PRODUCT = "aiagent-host"
# What componentize-py puts into check-python.
PYTHON = {
    "type": "platform",
    "bom-ref": "pkg:generic/cpython@3.14",
    "name": "cpython",
    "version": "3.14",
    "purl": "pkg:generic/cpython@3.14",
    "licenses": [{"license": {"id": "Python-2.0.1"}}],
}


def built_in(metadata):
    """Of all crates those that the host and the plugins need at run time, by id, with what each needs."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    names = {each["id"]: each["name"] for each in metadata["packages"]}
    todo = [each for each in metadata["workspace_members"] if names[each] != "aiagent-fuzz"]
    found = {}
    while todo:
        at = todo.pop()
        if at not in found:
            normal = (dep for dep in nodes[at]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"]))
            found[at] = sorted(dep["pkg"] for dep in normal)
            todo += found[at]
    return found


def page():
    """npm's own list: components and dependencies."""
    command = ["npm", "sbom", "--sbom-format=cyclonedx", "--package-lock-only"]
    bom = json.loads(subprocess.run(command, cwd=REPO / "frontend", capture_output=True, check=True).stdout)
    # npm calls it by its folder's name.
    top = bom["metadata"]["component"] | {"name": "aiagent-host-dashboard", "type": "library"}
    # Not --omit=dev: with that npm leaves React out.
    required = (each for each in bom["components"] if each["scope"] == "required")
    parts = [top, *(each for each in required if each["bom-ref"] != top["bom-ref"])]
    refs = {each["bom-ref"] for each in parts}
    needs = [each | {"dependsOn": sorted(refs & set(each["dependsOn"]))} for each in bom["dependencies"] if each["ref"] in refs]
    return top["bom-ref"], parts, needs


def main():
    rustc = subprocess.run(["rustc", "-vV"], capture_output=True, check=True, text=True).stdout
    platform = re.search(r"^host: (.*)$", rustc, re.MULTILINE)[1]
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={platform}"]
    metadata = json.loads(subprocess.run(command, cwd=REPO, capture_output=True, check=True).stdout)
    locked = re.findall(r'name = "(.*)"\nversion = "(.*)"\n(?:source = .*\nchecksum = "(.*)")?', (REPO / "Cargo.lock").read_text())
    sums = {(name, version): checksum for name, version, checksum in locked}
    packages = {each["id"]: each for each in metadata["packages"]}
    needs = built_in(metadata)

    def ref(key):
        return f"pkg:cargo/{packages[key]['name']}@{packages[key]['version']}"

    def component(key):
        package = packages[key]
        about = {"type": "library", "bom-ref": ref(key), "name": package["name"], "version": package["version"], "purl": ref(key)}
        if package.get("license"):
            about["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := sums[package["name"], package["version"]]:
            about["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return about

    [product] = [component(key) for key in needs if packages[key]["name"] == PRODUCT]
    when = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    parts = sorted((component(key) for key in needs), key=lambda each: each["bom-ref"])
    page_ref, page_parts, page_needs = page()
    dependencies = [{"ref": ref(key), "dependsOn": sorted({ref(each) for each in needs[key]})} for key in sorted(needs, key=ref)]
    [of_product] = [each for each in dependencies if each["ref"] == product["bom-ref"]]
    of_product["dependsOn"].append(page_ref)
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": product | {"type": "application"}},
        "components": [*(each for each in parts if each["name"] != PRODUCT), PYTHON, *page_parts],
        "dependencies": dependencies + page_needs,
    }
    print(json.dumps(bom, indent=1))


main()
