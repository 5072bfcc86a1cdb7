"""The installer for a cluster. Lint and rendering are helm's own; a cluster there is none, so that what would be
asked of one is recorded, by programs that keep the state such a cluster would have."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from rendering import CHART, CI_VALUES, HELMS, find, render

# Arguments and, of a Secret, what came by standard input. FAILS names the verbs that fail.
FAKE = r"""#!/bin/sh
name=${0##*/} rest=$*
case "$rest" in lint* | template*) exec "$REAL_HELM" "$@" ;; esac
echo "$name $rest" >>"$STATE/asked"
case "$rest" in *"--filename -") cat >>"$STATE/applied" ;; esac
for verb in $FAILS; do
  case " $rest " in *" $verb "*) exit 1 ;; esac
done
case "$name $rest" in
  *" status "*) [ -e "$STATE/release" ] ;;
  "kubectl get namespace "*) [ -e "$STATE/namespace" ] ;;
  "kubectl create namespace "*) touch "$STATE/namespace" ;;
  "kubectl delete namespace "*) rm "$STATE/namespace" ;;
  *" get secret "*) [ -e "$STATE/secret" ] ;;
  *" apply "*) touch "$STATE/secret" ;;
  *" delete secret "*) rm "$STATE/secret" ;;
  "helm --namespace"*" install "*) touch "$STATE/release" ;;
  "helm --namespace"*" uninstall "*) rm "$STATE/release" ;;
esac
"""


class Installer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("helm", "kubectl"):
            (self.folder / name).write_text(FAKE)
            (self.folder / name).chmod(0o755)

    def install(self, *options, code=0, helm="3.17", **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIAGENT_")}
        env = kept | {"PATH": f"{self.folder}:{kept['PATH']}", "STATE": str(self.folder), "REAL_HELM": str(HELMS[helm]), "FAILS": ""}
        said = subprocess.run([CHART.parent / "install.sh", "kube", *options], env=env | more, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(said.returncode, code, said.stdout)
        return said.stdout

    def state(self):
        return {name for name in ("namespace", "secret", "release") if (self.folder / name).exists()}

    def asked(self, verb):
        asked = (self.folder / "asked").read_text().splitlines()
        return [line for line in asked if f" {verb} " in f"{line} "]

    def test_a_dry_run_names_every_object_and_asks_no_cluster(self):
        for path in CI_VALUES:
            if path.name.startswith("image-volume"):
                continue
            for version in HELMS:
                with self.subTest(values=path.name, helm=version):
                    said = self.install("--dry-run", "--release", "demo", "--values", path, helm=version)
                    for each in render(path.name.removesuffix("-values.yaml")):
                        self.assertIn(f"install: {each['kind']} {each['metadata']['name']}\n", said)
        self.assertFalse((self.folder / "asked").exists())

    def test_installed_once_upgraded_and_removed(self):
        options = ("--image", "registry.example.com/host:v3", "--set", "mode=split")
        said = self.install(*options, AIAGENT_MODEL_URL="https://m.example/v1", AIAGENT_MODEL_KEY="the-key")
        self.assertIn("install: done", said)
        self.assertEqual(self.state(), {"namespace", "secret", "release"})
        self.assertIn('"key": "dGhlLWtleQ=="', (self.folder / "applied").read_text())
        self.assertNotIn("the-key", (self.folder / "asked").read_text() + said)
        [installed] = self.asked("install")
        sets = [word for word in installed.split() if "=" in word]
        self.assertEqual(find(render(sets=tuple(sets)), "Deployment", "demo-aiagent-worker")
                         ["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.com/host:v3")
        self.assertEqual(len(self.asked("test")), 1)

        self.assertIn("Nothing to change", self.install(*options))
        self.assertEqual(len(self.asked("install")), 1)
        self.install("--upgrade", "--image", "registry.example.com/host:4")
        self.assertIn("--reset-then-reuse-values", self.asked("upgrade")[0])
        self.install("--uninstall")
        self.assertEqual(self.state(), {"namespace", "secret"})
        self.assertIn("nothing is installed", self.install("--uninstall"))

    def test_what_fails_is_undone(self):
        for fails in ("install", "test", "apply"):
            with self.subTest(fails):
                (self.folder / "asked").unlink(missing_ok=True)
                said = self.install(code=1, FAILS=fails, AIAGENT_MODEL_KEY="k")
                self.assertIn("undoing what was done", said)
                self.assertEqual(self.state(), set())
        for name in ("namespace", "release"):
            (self.folder / name).touch()
        self.install("--upgrade", code=1, FAILS="upgrade")
        self.assertEqual(len(self.asked("rollback")), 1)
        self.assertEqual(self.state(), {"namespace", "release"})

    def test_says_what_is_wrong_before_a_cluster_is_asked(self):
        for options, says in (
            (("--set", "nope=1"), "the chart refuses these values"),
            (("--set", "mode=split", "--set", "redis.enabled=false"), "externalRedis.url"),
        ):
            self.assertIn(says, self.install(*options, code=1))
            self.assertEqual(self.state(), set())
        self.assertIn("neither a tag nor a digest", self.install("--image", "host", code=2))
        self.assertIn("nothing is installed that could", self.install("--upgrade", code=1))
        self.assertIn("no cluster answers", self.install(code=1, FAILS="version"))


if __name__ == "__main__":
    unittest.main()
