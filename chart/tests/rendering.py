"""Renders the chart with a pinned helm. The secrets are given, so that two renders are alike."""

import functools
import os
import pathlib
import subprocess

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent
TOOLS = pathlib.Path(os.environ["CHART_TOOLS"])
HELMS = {version: TOOLS / f"helm-{version}" for version in ("3.17", "4.1")}
CI_VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
GIVEN = ["--set", "token.value=given-token", "--set", "redis.password=given-password"]


def helm(*args, version="3.17"):
    return subprocess.run([HELMS[version], *args], capture_output=True, text=True, check=False)


@functools.cache
def render(values="", version="3.17", kubernetes="1.37.0", sets=(), more=None):
    """All objects of a release `demo` with ci/VALUES-values.yaml."""
    args = ["template", "demo", CHART, "--namespace", "tools", "--kube-version", kubernetes, *GIVEN]
    if values:
        args += ["--values", CHART / "ci" / f"{values}-values.yaml"]
    if more:
        args += ["--values", more]
    for each in sets:
        args += ["--set", each]
    done = helm(*args, version=version)
    if done.returncode:
        raise ValueError(done.stderr)
    return [document for document in yaml.load_all(done.stdout, yaml.CSafeLoader) if document]


def find(objects, kind, name):
    found = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{kind} {name}: {len(found)} of them"
    return found[0]


def pods(objects):
    """Each pod that the objects make, as (name, labels, spec)."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each["metadata"]["name"], each["metadata"]["labels"], each["spec"]
        elif each["kind"] in ("Deployment", "StatefulSet"):
            template = each["spec"]["template"]
            yield each["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def containers(spec):
    return spec.get("initContainers", []) + spec["containers"]
