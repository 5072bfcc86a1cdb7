//! The examples in Python and JavaScript, dropped into a running host, and with a real model's answers.

use std::os::unix::fs::symlink;

use aiagent_host::task::Digest;
use serde_json::json;

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::{Setup, plugins};

#[tokio::test]
async fn a_python_builder_and_a_javascript_fixer_do_a_task() {
    // The builder is wrong twice: its check inside the step says so, and the fixer has its turn.
    let wrong = || Reply::says(sample::WRONG);
    let model = FakeModel::start([wrong(), wrong(), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model).set("watch.quiet_ms", 50).set("watch.poll_ms", 500);
    let dropped = setup.path("dropped");
    std::fs::create_dir(&dropped).expect("it can be made");
    let folders = [plugins(), dropped.clone()].map(|folder| folder.display().to_string());
    let setup = setup
        .set("plugins_dir", folders.to_vec())
        .set("pipelines.default.builder", "python-builder")
        .set("pipelines.default.fixer", "javascript-fixer");
    let host = setup.start().await;
    for name in ["python-builder", "javascript-fixer"] {
        let file = format!("{name}.wasm");
        symlink(plugins().join("examples").join(&file), dropped.join(&file)).expect("it is linked");
        host.logged(&format!("plugin={name} to=")).await;
    }
    let id = host.submit(&sample::body()).await;
    let task = host.ended(&id).await;
    assert_eq!(task["outcome"]["reason"]["kind"], "green", "{task:#}");
    let steps: Vec<_> = task["rounds"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|round| round["steps"].as_array().expect("a list"))
        .map(|step| (step["plugin"].clone(), step["digest"].clone()))
        .collect();
    let ours = |folder: &str, name: &str| {
        let bytes = std::fs::read(plugins().join(folder).join(name).with_extension("wasm"));
        (json!(name), json!(Digest::of(&bytes.expect("it is built")).as_str()))
    };
    let check = || ours("", "check-python");
    let expected =
        [ours("examples", "python-builder"), check(), ours("examples", "javascript-fixer"), check()];
    assert_eq!(steps, expected);
    let asked = model.asked();
    assert_eq!(asked[0].body["messages"].as_array().map(Vec::len), Some(1));
    let again = &asked[1].body["messages"];
    assert_eq!(again.as_array().map(Vec::len), Some(3), "{again:#}");
    assert!(again[2]["content"].as_str().is_some_and(|text| text.contains("-1 != 5")), "{again:#}");
}

/// `plugins/examples/recordings`: Qwen2.5-Coder-1.5B-Instruct on `host/samples/fizz`, through each of them.
#[tokio::test]
async fn with_a_real_models_answers_both_get_to_green() {
    let here = |path: &str| std::path::absolute(path).expect("a working folder").display().to_string();
    let goal = std::fs::read_to_string("samples/fizz/goal.txt").expect("a goal");
    let files = here("samples/fizz/files");
    let folders = [plugins(), plugins().join("examples")].map(|folder| folder.display().to_string());
    for (role, name, steps) in [
        ("builder", "python-builder", "python-builder check-python"),
        ("fixer", "javascript-fixer", "builder check-python javascript-fixer check-python"),
    ] {
        let setup = Setup::new()
            .set("plugins_dir", folders.to_vec())
            .set("models.default.model", "qwen2.5-coder-1.5b-instruct")
            .set(&format!("pipelines.default.{role}"), name);
        let recording = here(&format!("../plugins/examples/recordings/{name}.jsonl"));
        let args =
            ["--replay", &recording, "run", goal.trim_end(), "--dir", &files, "--tests", "test_fizz.py"];
        let said = setup.run(args).await;
        let taken = said.err.lines().filter_map(|line| line.strip_prefix("▶ ")?.split_whitespace().nth(1));
        let taken = taken.collect::<Vec<_>>().join(" ");
        assert_eq!((taken.as_str(), said.code), (steps, 0), "{name}: {}", said.err);
    }
}
