"""A host that serves, with all that the documents' commands need around it: a model, a service manager, tools
that would reach a cluster."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading

from pages import REPO

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target"))
SLUG = '''```python slug.py
import re

def slugify(text):
    return "-".join(re.findall("[a-z0-9]+", re.sub("['\\u2019]", "", text.lower())))
```
'''
# The commands of the service manager that do something to the host here.
SYSTEMCTL = """#!/bin/bash
set -euo pipefail
case "$*" in
  "stop aiagent")
    kill "$(cat "$BENCH/pid")"
    while kill -0 "$(cat "$BENCH/pid")" 2>/dev/null; do read -rt 0.1 <> <(:) || true; done
    ;;
  "start aiagent")
    aiagent-host serve >>"$BENCH/log" 2>&1 &
    echo $! >"$BENCH/pid"
    until aiagent-host healthcheck >/dev/null 2>&1; do
      kill -0 "$(cat "$BENCH/pid")" 2>/dev/null || { cat "$BENCH/log" >&2; exit 1; }
      read -rt 0.1 <> <(:) || true
    done
    ;;
  *) echo "no stand-in for systemctl $*" >&2; exit 1 ;;
esac
"""
# The chart is rendered as a cluster would get it.
HELM = """#!/bin/bash
set -euo pipefail
case $1 in
  install | upgrade)
    arguments=("${@:2}")
    exec "$HELM" template "${arguments[@]/--reuse-values/--debug=false}" >/dev/null
    ;;
  *) exec "$HELM" "$1" --help >/dev/null ;;
esac
"""
# There is no cluster; what would be refused there is refused.
KUBECTL = """#!/bin/bash
set -euo pipefail
case "$1 $2 $3" in
  "create configmap "*) file=${4#--from-file=} ;;
  "create secret generic")
    file=${5#--from-file=}
    [[ "${*:6}" != *--dry-run=client* ]] || echo "kind: Secret"
    ;;
  "apply -f -") grep -q '^kind: ' && exit ;;
  *) echo "no stand-in for kubectl $*" >&2; exit 1 ;;
esac
[ "$(stat -c %s "$file")" -lt 1048576 ]
"""
# What `make run` does after the build, until it serves; then Ctrl-C.
MAKE = """#!/bin/bash
set -euo pipefail
[ "$*" = run ] || { echo "no stand-in for make $*" >&2; exit 1; }
export AIAGENT_STATE_DIR=$BENCH/run AIAGENT_LISTEN=$RUN_LISTEN AIAGENT_CACHE_DIR=$CACHE
unset AIAGENT_CONFIG
"$REPO/host/samples/run.sh" >"$BENCH/run.log" 2>&1 &
run=$!
until grep -q 'Ctrl-C drains' "$BENCH/run.log"; do
  kill -0 $run 2>/dev/null || break
  read -rt 0.1 <> <(:) || true
done
cat "$BENCH/run.log"
grep -q '■ green' "$BENCH/run.log"
kill -TERM $run
wait $run
"""
SUDO = '#!/bin/bash\nexec "$@"\n'


class Model(http.server.BaseHTTPRequestHandler):
    """Writes slug.py, whatever it is asked."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        said = [{"delta": {"content": SLUG}, "finish_reason": None}, {"delta": {}, "finish_reason": "stop"}]
        lines = "".join(f"data: {json.dumps({'choices': [{'index': 0, **each}]})}\n\n" for each in said)
        body = f"{lines}data: [DONE]\n\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Bench:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.host = TARGET / "release/aiagent-host"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("AIAGENT_")}
        self.env["HOME"] = str(self.root / "home")
        self.model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
        threading.Thread(target=self.model.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.model.server_port}/v1"
        self.address = f"127.0.0.1:{free_port()}"

    def run_host(self, config, *arguments, **variables):
        """The program with a configuration file of this content."""
        file = self.root / "asked.toml"
        file.write_text(config)
        return subprocess.run(
            [self.host, "--config", file, *arguments], env={**self.env, **variables}, capture_output=True, text=True, check=False)

    def prepare(self, helm):
        bin, work = self.root / "bin", self.root / "work"
        for folder in (bin, work, self.root / "backups", self.root / "dropped"):
            folder.mkdir()
        (bin / "aiagent-host").symlink_to(self.host)
        for name, text in (("sudo", SUDO), ("systemctl", SYSTEMCTL), ("helm", HELM), ("kubectl", KUBECTL), ("make", MAKE)):
            (bin / name).write_text(text)
            (bin / name).chmod(0o755)
        for name, to in (("target", TARGET), ("chart", REPO / "chart")):
            (work / name).symlink_to(to)
        shutil.copy(REPO / "host/samples/slug/files/test_slug.py", work)
        shutil.copy(TARGET / "plugins/fixer.wasm", work / "my-fixer.wasm")
        # Where the installed service has its own, and nothing else has.
        config = self.root / "aiagent.toml"
        config.write_text(
            f'listen = "{self.address}"\nstate_dir = "{self.root}/state"\nplugins_dir = ["{TARGET}/plugins"]\n'
            # The tests' own, so that nothing is compiled twice.
            f'cache_dir = "{TARGET}/tmp/compiled"\n'
            f'[models.default]\nbase_url = "{self.url}"\nmodel = "m"\nallow = ["127.0.0.1"]\n')
        (self.root / "env").write_text("")
        (self.root / "env").chmod(0o600)
        self.env |= {
            "AIAGENT_CONFIG": str(config), "PATH": f"{bin}:{os.environ['PATH']}", "BENCH": str(self.root),
            "HELM": str(helm), "CACHE": f"{TARGET}/tmp/compiled", "REPO": str(REPO), "RUN_LISTEN": f"127.0.0.1:{free_port()}"}
        self.shell("systemctl start aiagent")

    def nginx(self, server):
        """What nginx says against this; nothing where there is none."""
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            return None
        key, config = self.root / "key.pem", self.root / "nginx.conf"
        if not key.exists():
            subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=test", "-keyout", key, "-out", key],
                           check=True, capture_output=True)
        server = re.sub(r"/etc/ssl/aiagent\.(pem|key)", str(key), server)
        config.write_text(f"pid {self.root}/nginx.pid;\nevents {{}}\nhttp {{ {server} }}\n")
        done = subprocess.run([program, "-t", "-q", "-c", config], capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else None

    def shell(self, script):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.root / "work", env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=120)
        return done.returncode, done.stdout

    def close(self):
        if (self.root / "pid").exists():
            self.shell("systemctl stop aiagent")
        self.model.shutdown()


@contextlib.contextmanager
def bench():
    with tempfile.TemporaryDirectory() as root:
        made = Bench(root)
        try:
            yield made
        finally:
            made.close()
