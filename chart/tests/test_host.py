"""What the chart renders, given to the real programs: the host, and Redis."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from rendering import CHART, CI_VALUES, find, pods, render

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", CHART.parent / "target"))
HOST = TARGET / "release" / "aiagent-host"
SECRET = "a-secret"
# Mode split and the metrics need a host with the Redis store.
KNOWS_REDIS = "redis://" in subprocess.run([HOST, "--help"], capture_output=True, text=True, check=True).stdout


def hosts(objects):
    """Each pod of the host, as (name, its environment, its aiagent.toml)."""
    [toml] = [each["data"]["aiagent.toml"] for each in objects if "aiagent.toml" in each.get("data", {})]
    for name, labels, spec in pods(objects):
        if labels.get("aiagent-host") == "true":
            variables = spec["containers"][0]["env"]
            yield name, {each["name"]: each.get("value", SECRET) for each in variables}, toml


def run(scratch, environment, toml, *args):
    """The host with a pod's environment and nothing else."""
    config = pathlib.Path(scratch, "aiagent.toml")
    config.write_text(toml)
    state = str(pathlib.Path(scratch, "state"))
    environment = {**environment, "AIAGENT_CONFIG": str(config), "AIAGENT_STATE_DIR": state, "PATH": os.environ["PATH"]}
    return subprocess.Popen([HOST, *args], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class TheHost(unittest.TestCase):
    def test_takes_every_configuration(self):
        for path in CI_VALUES:
            for name, environment, toml in hosts(render(path.name.removesuffix("-values.yaml"))):
                if not KNOWS_REDIS and environment.keys() & {"AIAGENT_METRICS_LISTEN", "AIAGENT_REDIS_PASSWORD"}:
                    continue
                with self.subTest(values=path.name, pod=name), tempfile.TemporaryDirectory() as scratch:
                    with run(scratch, environment, toml, "--print-config") as host:
                        said = host.communicate()[0]
                    self.assertEqual(host.returncode, 0, f"{said}\n{toml}")
                    unknown = [each for each in environment if f"# {each}" not in said and each != "AIAGENT_CONFIG"]
                    # They make up the model named default, under the name of one of them.
                    self.assertFalse([each for each in unknown if not each.startswith("AIAGENT_MODEL_")], said)

    def test_serves_with_a_plugin_from_a_config_map(self):
        objects = render("plugins", sets=("config.keep_days=3",))
        [(_, environment, toml)] = hosts(objects)
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch, "plugins")
            lay_out_as_the_kubelet_does(folder, {"builder.wasm": (TARGET / "plugins" / "builder.wasm").read_bytes()})
            environment |= {"AIAGENT_LISTEN": "127.0.0.1:0", "AIAGENT_PLUGINS_DIR": str(folder)}
            with serving(scratch, environment, toml) as (url, said):
                self.assertFalse([each for each in said if "no setting of this program" in each])
                self.assertEqual(ask(objects, url), 0)
                self.assertLessEqual({"queued", "running"}, json.loads(get(f"{url}/readyz"))["tasks"].keys())

    @unittest.skipUnless(KNOWS_REDIS, "this host has no metrics")
    def test_has_the_metrics_that_alerts_and_dashboard_ask_for(self):
        objects = render("monitoring")
        rules = find(objects, "PrometheusRule", "demo-aiagent")["spec"]["groups"][0]["rules"]
        asked = json.dumps(rules) + find(objects, "ConfigMap", "demo-aiagent-grafana")["data"]["aiagent.json"]
        asked = {name.removesuffix("_bucket") for name in re.findall(r"aiagent_\w+", asked)}
        self.assertGreater(len(asked), 8)
        port = free_port()
        environment = {"AIAGENT_LISTEN": "127.0.0.1:0", "AIAGENT_METRICS_LISTEN": f"127.0.0.1:{port}",
                       "AIAGENT_LOG_FORMAT": "json", "AIAGENT_PLUGINS_DIR": str(CHART)}
        with tempfile.TemporaryDirectory() as scratch, serving(scratch, environment, "") as _:
            there = set(re.findall(r"^# TYPE (\w+)", get(f"http://127.0.0.1:{port}/metrics"), re.MULTILINE))
        self.assertLessEqual(asked, there)

    def test_all_rust_plugins_fit_into_one_config_map_and_are_checked_by_their_sums(self):
        files = {path.name: path.read_bytes() for path in (TARGET / "plugins").glob("*.wasm") if path.stem != "check-python"}
        self.assertEqual(len(files), 5)
        self.assertFalse({name: len(content) for name, content in files.items() if len(content) > 200_000})
        sums = {name.removesuffix(".wasm"): hashlib.sha256(content).hexdigest() for name, content in files.items()}
        wrong = sums | {"fixer": sums["builder"]}
        with tempfile.TemporaryDirectory() as scratch:
            values = pathlib.Path(scratch, "values.yaml")
            inline = {name: base64.b64encode(content).decode() for name, content in files.items()}
            values.write_text(json.dumps({"plugins": {"inline": inline, "sha256": wrong}}))
            objects = render(more=values)
            held = find(objects, "ConfigMap", "demo-aiagent-plugins")["binaryData"]
            held = {name: base64.b64decode(content) for name, content in held.items()}
            self.assertEqual(held, files)
            self.assertLess(sum(map(len, held.values())), 1 << 20)
            [(_, environment, toml)] = hosts(objects)
            folder = pathlib.Path(scratch, "plugins")
            lay_out_as_the_kubelet_does(folder, held)
            with run(scratch, environment | {"AIAGENT_PLUGINS_DIR": str(folder)}, toml, "plugins", "list", "--json") as host:
                catalog = json.loads(host.communicate()[0])
        self.assertEqual([each["name"] for each in catalog["loaded"]], ["adapter-anthropic", "adapter-openai", "builder"])
        reasons = {pathlib.Path(each["file"]).stem: each["reason"] for each in catalog["refused"]}
        self.assertIn(f"only sha256:{sums['builder']} may be loaded as fixer", reasons["fixer"])
        self.assertIn("which nobody granted it", reasons["check-command"])

    def test_reads_what_the_values_file_says(self):
        [(_, environment, toml)] = hosts(render("single"))
        with tempfile.TemporaryDirectory() as scratch, run(scratch, environment, toml, "--print-config") as host:
            said = [line.rpartition("#")[0].rstrip() for line in host.communicate()[0].splitlines()]
        for line in ("keep_days = 30", "tokens = 200000", "cost = 1.5", "candidates = 1", "temperatures = [0, 0.8]",
                     """command = 'say "hi" \\ there'""", "wall_ms = 600000", 'allow = ["10.0.0.0/8"]'):
            self.assertIn(line, said)


@contextlib.contextmanager
def serving(scratch, environment, toml):
    """The host's URL, and what it has said until it served."""
    with run(scratch, environment, toml, "serve") as host:
        try:
            said = []
            for line in host.stdout:
                said.append(json.loads(line)["fields"]["message"] if line.startswith("{") else line)
                if said[-1].startswith("serving "):
                    break
            assert said and said[-1].startswith("serving "), said
            yield said[-1].split()[1], said
        finally:
            host.terminate()


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def ask(objects, url):
    """Does what the pod of `helm test` does."""
    _, _, spec = next(each for each in pods(objects) if each[0] == "demo-aiagent-test")
    environment = {"AIAGENT_SERVER": url, "AIAGENT_TOKEN": SECRET}
    asked = {each["name"] for each in spec["containers"][0]["env"]}
    assert asked == environment.keys(), asked
    done = subprocess.run([HOST, *spec["containers"][0]["args"]], env=environment, capture_output=True, text=True, check=False)
    return done.returncode


def lay_out_as_the_kubelet_does(folder, files):
    """Files behind two links, of which the first is swapped on a change."""
    (folder / "..2026").mkdir(parents=True)
    for name, content in files.items():
        (folder / "..2026" / name).write_bytes(content)
        (folder / name).symlink_to(pathlib.Path("..data", name))
    (folder / "..data").symlink_to("..2026")


class Redis(unittest.TestCase):
    def test_starts_with_the_rendered_command(self):
        objects = render("split")
        config = find(objects, "ConfigMap", "demo-aiagent-redis")["data"]["redis.conf"]
        container = find(objects, "StatefulSet", "demo-aiagent-redis")["spec"]["template"]["spec"]["containers"][0]
        password = base64.b64decode(find(render("", sets=("mode=split",)), "Secret", "demo-aiagent")["data"]["redis-password"])
        self.assertEqual(password, b"given-password")
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "redis.conf")
            at = f"{scratch}/socket"
            path.write_text(config.replace("/data", scratch) + f"port 0\nunixsocket {at}\n")
            shell, flag, script = container["command"]
            environment = {"PATH": os.environ["PATH"], "REDISCLI_AUTH": "pass'word $x"}
            command = [shell, flag, script.replace("/etc/redis/redis.conf", str(path))]
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
                try:
                    while "ready to accept connections" not in (line := server.stdout.readline()).lower():
                        self.assertTrue(line, "it ended before it was ready")

                    def cli(*args, **more):
                        done = subprocess.run(["redis-cli", "-s", at, *args], env=environment | more,
                                              capture_output=True, text=True, check=False)
                        return done.stdout.strip()

                    self.assertEqual(cli("ping"), "PONG")
                    self.assertIn("NOAUTH", cli("ping", REDISCLI_AUTH=""))
                    self.assertEqual(cli("config", "get", "maxmemory-policy").split()[1], "noeviction")
                    self.assertEqual(cli("config", "get", "appendfsync").split()[1], "always")
                finally:
                    server.terminate()


assert shutil.which("redis-server"), "redis-server is missing: .ci/setup.sh test"
