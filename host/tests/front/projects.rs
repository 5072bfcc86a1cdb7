//! What `plugins new` writes: builds by its one command, passes its own test, and conforms.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use aiagent_host::task::Digest;
use tokio::process::Command;

use crate::patience;
use crate::test_host::{Said, Setup, plugins};

const KINDS: [&str; 4] = ["builder", "fixer", "checker", "adapter"];

/// The target folder, where builds of earlier runs and the toolchains lie.
fn target() -> PathBuf {
    plugins().parent().expect("a target folder").to_owned()
}

/// `plugins new`, then the build, unless the very same project was built before.
async fn project(setup: &Setup, language: &str, kind: &str) -> (PathBuf, PathBuf) {
    let name = format!("my-{language}-{kind}");
    let said = setup.run(["plugins", "new", "--lang", language, "--kind", kind, &name]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    let dir = setup.path(&name);
    let wasm = dir.join(format!("{name}.wasm"));
    let built = target().join("plugin-projects").join(digest(&dir)).with_extension("wasm");
    if !built.is_file() {
        tools(&dir, language);
        run(Command::new(dir.join("build.sh")), &dir).await;
        std::fs::create_dir_all(built.parent().expect("a folder")).expect("the target folder is writable");
        let whole = built.with_extension("new");
        std::fs::copy(&wasm, &whole).and_then(|_| std::fs::rename(&whole, &built)).expect("it was built");
    }
    std::fs::copy(&built, &wasm).expect("it was built");
    (dir, wasm)
}

/// Of all files, so that a changed template is built anew.
fn digest(dir: &Path) -> String {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let texts: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).expect("a file")).collect();
    Digest::of(&texts).short().replace(':', "-")
}

/// What the project's build would install is here already: `plugins/build.sh` left it.
fn tools(dir: &Path, language: &str) {
    let link = |from: &str, to: &str| {
        let from = target().join("plugins-build").join(from);
        assert!(from.exists(), "no {}: plugins/build.sh examples makes it", from.display());
        std::os::unix::fs::symlink(from, dir.join(to)).expect("linked");
    };
    match language {
        "python" => link("venv", ".venv"),
        "javascript" => link("node/node_modules", "node_modules"),
        // The versions that this repository is locked to are on the machine.
        _ => {
            let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
            std::fs::copy(lock, dir.join("Cargo.lock")).map(drop).expect("copied");
        }
    }
}

/// With the developer's environment, as a newcomer would; Rust builds share a target folder.
async fn run(mut command: Command, dir: &Path) {
    command.current_dir(dir).stdin(Stdio::null()).kill_on_drop(true);
    command.env("CARGO_TARGET_DIR", target().join("wasm-projects")).env("CARGO_NET_OFFLINE", "true");
    let output = command.output().await.expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stdout));
}

async fn own_test(dir: &Path, language: &str) {
    let mut command;
    match language {
        "python" => {
            command = Command::new("python3");
            command.args(["-m", "unittest", "discover", "tests"]).env("PYTHONPATH", "src");
        }
        "javascript" => {
            command = Command::new("node");
            command.arg("--test");
        }
        _ => {
            tools(dir, language);
            command = Command::new("cargo");
            command.args(["test", "--quiet"]);
        }
    }
    run(command, dir).await;
}

async fn conforms(setup: &Setup, wasm: &Path, more: &[&str]) -> Said {
    let file = wasm.display().to_string();
    let said = setup.run(["plugins", "test", &file].iter().chain(more)).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    said
}

/// One after another: a build takes a processor for up to twenty seconds, and other tests have their patience.
#[tokio::test]
async fn every_kind_in_every_language() {
    let setup = Setup::new();
    for language in ["rust", "python", "javascript"] {
        for kind in KINDS {
            let (dir, wasm) = project(&setup, language, kind).await;
            own_test(&dir, language).await;
            let sample = dir.join("tests/answer.ndjson").display().to_string();
            let more: &[&str] = if kind == "adapter" { &["--response", &sample] } else { &[] };
            let said = conforms(&setup, &wasm, more).await;
            let loads = format!("✓ loads            {kind} of aiagent:step@0.1.0");
            assert!(said.out.contains(&loads), "{}", said.out);
        }
    }
}

#[tokio::test]
async fn a_project_is_written_nowhere_else() {
    let setup = Setup::new();
    setup.file("taken/notes.txt", "mine");
    let new = ["plugins", "new", "--lang", "rust", "--kind", "fixer"];
    for (name, dir, said) in [
        ("taken", "taken", "error: taken is there already and not empty; choose another --dir\n"),
        (
            "Fix me",
            "x",
            "error: \"Fix me\" can't be a plugin's name: use lower-case letters, digits, - and _, a letter first, at most 64\n",
        ),
        ("fixer", "taken/notes.txt", "error: can't write taken/notes.txt: File exists (os error 17)\n"),
    ] {
        let failed = setup.run(new.iter().chain(&[name, "--dir", dir])).await;
        assert_eq!((failed.code, failed.err.as_str()), (2, said));
    }
}

/// Every plugin of this repository, and both examples.
#[tokio::test]
async fn ours_conform() {
    let setup = Setup::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let fixture = |path: &str| fixtures.join(path).display().to_string();
    let openai = fixture("adapter-openai/tests/fixtures/llama-cpp-python-stream.sse");
    let anthropic = fixture("adapter-anthropic/tests/fixtures/stream.sse");
    let cases: [(&str, &[&str]); 8] = [
        ("builder", &[]),
        ("fixer", &[]),
        ("check-python", &[]),
        ("check-command", &["--set", "command=make test"]),
        ("adapter-openai", &["--response", &openai]),
        ("adapter-anthropic", &["--response", &anthropic]),
        ("examples/python-builder", &[]),
        ("examples/javascript-fixer", &[]),
    ];
    for (name, more) in cases {
        let said = patience(name, conforms(&setup, &plugins().join(name).with_extension("wasm"), more)).await;
        eprintln!("{}", said.out);
    }
}
