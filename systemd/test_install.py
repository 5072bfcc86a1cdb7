"""The installer into a scratch root: what it leaves, what it undoes, and the units it installs."""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tarfile
import tempfile
import unittest

REPO = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target"))
UNITS = ["aiagent.service", "aiagent-dashboard.service", "aiagent-worker@.service"]
SYSTEM = pathlib.Path("/usr/lib/systemd/system")
LOG = "var/log/aiagent_install.log"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("AIAGENT_")}


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # The service's user looks into it where the test runs as root.
        self.folder.chmod(0o755)
        self.root = self.folder / "root"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
        (self.root / "etc/group").write_text("root:x:0:\n")

    def install(self, *options, code=0, **variables):
        command = [REPO / "install.sh", "local", "--root", self.root, *options]
        env = {**CLEAN, **variables}
        said = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log = self.root / LOG
        self.assertEqual(said.returncode, code, said.stdout + (log.read_text() if log.exists() else ""))
        return said.stdout

    def build(self, name, run="exit 0", plugins=("builder",)):
        """A build that answers what the installer asks of one."""
        folder = self.folder / name
        (folder / "release").mkdir(parents=True)
        (folder / "plugins").mkdir()
        host = folder / "release/aiagent-host"
        host.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "aiagent-host {name}"; exit; fi\n{run}\n')
        host.chmod(0o755)
        for plugin in plugins:
            (folder / f"plugins/{plugin}.wasm").write_text(name)
        return "--from", folder

    def tree(self):
        """Each file and folder under the root with its mode and content, but for the log."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            # The tools that make and remove a user leave copies and locks beside the lists of users.
            if name in (LOG, "var", "var/log") or (path.is_file() and path.parent == self.root / "etc"):
                continue
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[name] = (stat.filemode(path.stat().st_mode), content)
        return found


class RealBuild(Scratch):
    def test_twice_then_uninstalled(self):
        first = self.install("--from", TARGET)
        self.assertIn("smoke test: green", first)
        tree = self.tree()
        modes = {name: tree[name][0] for name in ("etc/ai-agent/env", "usr/bin/aiagent-host", "var/lib/ai-agent")}
        self.assertEqual(list(modes.values()), ["-rw-------", "-rwxr-xr-x", "drwx------"])
        self.assertIn("usr/lib/ai-agent/plugins/check-python.wasm", tree)

        second = self.install("--from", TARGET)
        self.assertIn("nothing to change", second)
        self.assertEqual(self.tree(), tree)

        self.install("--uninstall")
        left = {name.split("/", 3)[1] for name in self.tree() if not name.startswith("usr") and "/" in name}
        self.assertEqual(left, {"ai-agent", "lib"})
        self.assertFalse(any(name.startswith("usr/") and content for name, (_, content) in self.tree().items()))
        self.install("--uninstall", "--purge")
        self.assertFalse(any("ai-agent" in name or "aiagent" in name for name in self.tree()))
        self.assertNotIn("aiagent", (self.root / "etc/passwd").read_text())


class Undo(Scratch):
    def test_a_failed_install_leaves_nothing(self):
        before = self.tree()
        said = self.install(*self.build("bad", run="echo out of luck; exit 1"), code=1)
        self.assertIn("the smoke test did not end green", said)
        self.assertEqual(self.tree(), before)
        self.assertIn("out of luck", (self.root / LOG).read_text())
        self.assertNotIn("aiagent", (self.root / "etc/passwd").read_text())

    def test_a_failed_upgrade_leaves_what_was_there(self):
        self.install(*self.build("one"))
        tree = self.tree()
        self.install("--upgrade", *self.build("two", run="exit 1", plugins=["fixer"]), code=1)
        self.assertEqual(self.tree(), tree)


class Upgrade(Scratch):
    def test_only_when_asked_for(self):
        new = self.build("two", plugins=["fixer"])
        self.assertIn("nothing is installed", self.install("--upgrade", *new, code=1))
        self.install(*self.build("one"))
        config = self.root / "etc/ai-agent/aiagent.toml"
        config.write_text("keep_days = 9\n")
        own = self.root / "var/lib/ai-agent/plugins/mine.wasm"
        own.write_text("mine")
        said = self.install(*new, code=1)
        self.assertIn("another build is installed (aiagent-host one)", said)
        self.install("--upgrade", *new)
        tree = self.tree()
        self.assertNotIn("usr/lib/ai-agent/plugins/builder.wasm", tree)
        self.assertIn("usr/lib/ai-agent/plugins/fixer.wasm", tree)
        self.assertEqual((config.read_text(), own.read_text()), ("keep_days = 9\n", "mine"))


class Archive(Scratch):
    def pack(self, build, out):
        env = {**CLEAN, "SOURCE_DATE_EPOCH": "1790000000"}
        done = subprocess.run([REPO / ".ci/dist.sh", build, self.folder / out], env=env, text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pathlib.Path(done.stdout.strip())

    def test_the_same_build_gives_the_same_archive_and_installs(self):
        _, build = self.build("one")
        archive = self.pack(build, "out")
        self.assertEqual(archive.read_bytes(), self.pack(build, "again").read_bytes())
        said = self.install("--archive", archive)
        self.assertIn("checksums of the release: right", said)
        self.assertIn("smoke test: green", said)
        self.assertIn("nothing to change", self.install("--archive", archive))

        with tarfile.open(archive) as tar:
            top = archive.name.removesuffix(".tar.gz")
            names = {name.removeprefix(f"{top}/") for name in tar.getnames()}
            bom = json.load(tar.extractfile(f"{top}/sbom.cdx.json"))
        self.assertLessEqual({"install.sh", "target/release/aiagent-host", "target/plugins/builder.wasm", "chart/values.yaml",
                              "docs/INSTALLATION.md", "systemd/aiagent.service", "SHA256SUMS", "LICENSE"}, names)
        listed = {each["bom-ref"] for each in bom["components"]} | {bom["metadata"]["component"]["bom-ref"]}
        for part in ("pkg:cargo/wasmtime@", "react@", "aiagent-host-dashboard@", "pkg:generic/cpython@"):
            self.assertTrue({each for each in listed if each.startswith(part)}, part)
        self.assertEqual(bom["bomFormat"], "CycloneDX")
        for each in bom["dependencies"]:
            self.assertLessEqual({each["ref"], *each["dependsOn"]}, listed)

    def test_a_damaged_one_is_refused_and_nothing_is_left(self):
        _, build = self.build("one")
        archive = self.pack(build, "out")
        before = self.tree()
        whole = archive.read_bytes()
        archive.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
        self.assertIn("damaged", self.install("--archive", archive, code=1))
        archive.with_name(archive.name + ".sha256").unlink()
        archive.write_bytes(whole[:-100])
        self.assertIn("can't be unpacked", self.install("--archive", archive, code=1))

        # Whole, and not what was released.
        top = archive.name.removesuffix(".tar.gz")
        for change in ("target/release/aiagent-host", "target/plugins/extra.wasm"):
            with self.subTest(change):
                archive.write_bytes(whole)
                shutil.unpack_archive(archive, self.folder / "open")
                with open(self.folder / "open" / top / change, "a") as file:
                    file.write("# more")
                subprocess.run(["tar", "-czf", archive, "-C", self.folder / "open", top], check=True)
                shutil.rmtree(self.folder / "open")
                said = self.install("--archive", archive, code=1)
                self.assertIn(f"the release is damaged: ./{change}", said)
        self.assertEqual(self.tree(), before)


class Asking(Scratch):
    def test_a_dry_run_does_nothing(self):
        before = self.tree()
        said = self.install("--dry-run", *self.build("one"))
        self.assertIn(f"file {self.root}/usr/bin/aiagent-host", said)
        self.assertEqual(self.tree(), before)

    def test_the_model_goes_into_a_new_env_file(self):
        self.install(*self.build("one"), AIAGENT_MODEL_URL="http://127.0.0.1:1/v1", AIAGENT_MODEL_KEY='a"b')
        env = (self.root / "etc/ai-agent/env").read_text().splitlines()[-2:]
        self.assertEqual(env, ['AIAGENT_MODEL_URL="http://127.0.0.1:1/v1"', 'AIAGENT_MODEL_KEY="a\\"b"'])

    def test_a_store_goes_into_a_new_configuration_only(self):
        build = self.build("one")
        for store, says in (("mysql", "is no store"), ("redis://u:p@h", "would stand in a file that all can read")):
            self.assertIn(says, self.install("--store", store, *build, code=1))
        self.install("--store", "redis://r:6379", *build)
        self.assertIn('\nstore = "redis://r:6379"\n', (self.root / "etc/ai-agent/aiagent.toml").read_text())
        self.assertIn("nothing to change", self.install("--store", "redis://r:6379", *build))
        self.assertIn("says another store", self.install("--store", "redis", *build, code=1))

    def test_who_is_no_administrator_gets_the_command(self):
        (self.folder / "id").write_text("#!/bin/sh\necho 1000\n")
        (self.folder / "id").chmod(0o755)
        command = [REPO / "install.sh", "local", "--split"]
        env = {**CLEAN, "PATH": f"{self.folder}:{CLEAN['PATH']}"}
        said = subprocess.run(command, env=env, text=True, capture_output=True)
        self.assertEqual(said.returncode, 1)
        self.assertIn(f"sudo {REPO}/install.sh local --split", said.stderr)

    def test_no_build_names_the_way_to_one(self):
        said = self.install("--from", self.folder / "none", code=1)
        self.assertIn("run `make build`", said)


@unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd's own tools")
class Units(Scratch):
    def analyze(self, *arguments):
        said = subprocess.run(["systemd-analyze", *arguments], text=True, capture_output=True)
        self.assertEqual((said.returncode, said.stderr), (0, ""), said.stdout)

    def test_their_exposure_is_at_most_1_2(self):
        for unit in UNITS:
            self.analyze("security", "--offline=true", "--no-pager", "--threshold=12", REPO / "systemd" / unit)

    @unittest.skipUnless(SYSTEM.is_dir(), "needs systemd's own units")
    def test_they_are_well_formed(self):
        self.install(*self.build("one"))
        for unit in SYSTEM.iterdir():
            if unit.is_file() and unit.suffix in (".target", ".slice", ".socket", ".service", ".mount"):
                shutil.copy(unit, self.root / "usr/lib/systemd/system")
        names = [unit.replace("@", "@8081") for unit in UNITS]
        self.analyze("verify", "--recursive-errors=yes", "--man=no", f"--root={self.root}", *names)


if __name__ == "__main__":
    unittest.main()
