//! `aiagent-host run`: one task without a server.

use std::path::Path;

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::steady::{steady, without_times};
use crate::test_host::Setup;

#[tokio::test]
async fn a_green_run_prints_its_diff_and_shows_its_steps() {
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    setup.file("test_add.py", sample::TEST);
    let said = setup.run(["run", sample::GOAL, "--tests", "test_add.py"]).await;
    assert_eq!((said.code, said.out.as_str()), (0, sample::DIFF), "{}", said.err);
    assert_eq!(
        without_times(&said.err),
        "\
▶ build builder (round 1)
  model: 100 tokens in, 20 out, TIME
  wrote add.py
▶ check check-python (round 1)
  ✗ 0 passed, 1 failed
    test_add.py:7: test_add.TestAdd.test_sum: AssertionError: -1 != 5
▶ fix   fixer (round 2)
  model: 100 tokens in, 20 out, TIME
  rewrote add.py
▶ check check-python (round 2)
  ✓ 1 passed, 0 failed
■ green: every check passed (2 rounds, 240 tokens, TIME)
"
    );
}

#[tokio::test]
async fn a_run_that_is_not_green_exits_with_1_and_prints_its_best() {
    let model = FakeModel::start([Reply::says(sample::WRONG)]).await;
    let setup = Setup::with_model(&model);
    setup.file("test_add.py", sample::TEST);
    let said = setup.run(["run", sample::GOAL, "--tests", "test_add.py", "--rounds", "1"]).await;
    assert_eq!((said.code, said.out), (1, sample::DIFF.replace("a + b", "a - b")), "{}", said.err);
    let end = said.err.lines().last().map(without_times);
    assert_eq!(
        end.as_deref(),
        Some(
            "■ out of budget: no rounds left (raise budget.rounds to go further) (1 round, 120 tokens, TIME)\n"
        )
    );
}

#[tokio::test]
async fn json_has_the_task_and_its_diff() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    setup.file("test_add.py", sample::TEST);
    let said = setup.run(["run", sample::GOAL, "--tests", "test_add.py", "--json"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let printed: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(printed["diff"], json!(sample::DIFF));
    assert_eq!(
        steady(printed["outcome"].clone()),
        json!({
            "reason": { "kind": "green" },
            "tree": "DIGEST",
            "report": { "verdict": "passed", "counts": { "passed": 1, "failed": 0, "skipped": 0 }, "problems": [], "output": "1 passed, 0 failed, 0 skipped\n" },
        })
    );
}

#[tokio::test]
async fn apply_writes_a_green_result_into_the_folder_and_no_other() {
    for (answer, code, note) in [
        (sample::RIGHT, 0, "applied to project: 1 files\n"),
        (sample::WRONG, 1, "not applied: the result is not green\n"),
    ] {
        let model = FakeModel::start([Reply::says(answer)]).await;
        let setup = Setup::with_model(&model);
        setup.file("project/test_add.py", sample::TEST);
        let args =
            ["run", sample::GOAL, "--dir", "project", "--tests", "test_add.py", "--rounds", "1", "--apply"];
        let said = setup.run(args).await;
        assert_eq!(said.code, code, "{}", said.err);
        assert!(said.err.ends_with(note), "{}", said.err);
        let written = std::fs::read_to_string(setup.path("project/add.py")).ok();
        let wanted = (code == 0).then(|| "def add(a, b):\n    return a + b\n".to_owned());
        assert_eq!(written, wanted);
    }
}

#[tokio::test]
async fn the_files_come_from_an_archive_or_from_a_revision() {
    let model = FakeModel::start([Reply::says(sample::RIGHT), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    setup.file("project/test_add.py", sample::TEST);
    setup.file("project/notes.txt", "first\n");
    shell(
        &setup.path("project"),
        "tar -czf ../project.tar.gz . && git init -q . && git add . && git -c user.name=t -c user.email=t@t commit -qm first && echo second > notes.txt && echo broken > test_add.py",
    );

    let from = |args: &'static [&str]| {
        let base = ["run", sample::GOAL, "--tests", "test_add.py", "--json", "--dir"];
        base.into_iter().chain(args.iter().copied())
    };
    for args in [&["project.tar.gz"][..], &["project", "--rev", "HEAD"]] {
        let said = setup.run(from(args)).await;
        assert_eq!(said.code, 0, "{args:?}: {}", said.err);
        let printed: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(printed["diff"], json!(sample::DIFF), "{args:?}");
    }
}

#[tokio::test]
async fn a_command_checks_in_a_sandbox() {
    let says = |sum: &str| Reply::says(&format!("```sh\n# add.sh\nadd() {{ echo $(({sum})); }}\n```\n"));
    let model = FakeModel::start([says("$1 - $2"), says("$1 + $2")]).await;
    let setup = Setup::with_model(&model);
    let test =
        ". ./add.sh; sum=$(add 2 3); test $sum = 5 || { echo \"2 and 3 make $sum\"; exit 1; }; echo fine\n";
    setup.file("project/test.sh", test);
    let task = ["run", "Write add.sh with add A B.", "--dir", "project", "--tests", "project/test.sh"];
    let said = setup.run(task.into_iter().chain(["--check", "sh test.sh", "--apply"])).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let story = "\
▶ build builder (round 1)
  model: 100 tokens in, 20 out, TIME
  wrote add.sh
▶ check check-command (round 1)
  ✗ 0 passed, 0 failed
    sh test.sh exited with 1
▶ build builder (round 2)
  model: 100 tokens in, 20 out, TIME
  wrote add.sh
▶ check check-command (round 2)
  ✓ 0 passed, 0 failed
■ green: every check passed (2 rounds, 240 tokens, TIME)
";
    assert!(without_times(&said.err).starts_with(story), "{}", said.err);
    let written = std::fs::read_to_string(setup.path("project/add.sh")).expect("it was applied");
    assert_eq!(written, "add() { echo $(($1 + $2)); }\n");
}

#[tokio::test]
async fn a_recording_answers_as_the_model_did() {
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    setup.file("test_add.py", sample::TEST);
    let task = ["run", sample::GOAL, "--tests", "test_add.py"];
    let recorded = setup.run(task.into_iter().chain(["--record", "calls.jsonl"])).await;
    assert_eq!((recorded.code, recorded.out.as_str()), (0, sample::DIFF), "{}", recorded.err);
    drop(model);

    let replayed = setup.run(task.into_iter().chain(["--replay", "calls.jsonl"])).await;
    assert_eq!((replayed.code, &replayed.out), (0, &recorded.out), "{}", replayed.err);
    assert_eq!(without_times(&replayed.err), without_times(&recorded.err));

    let goal = "Write sub.py with sub(a, b).";
    let unknown = setup.run(["run", goal, "--replay", "calls.jsonl"]).await;
    assert_eq!((unknown.code, unknown.out.as_str()), (3, ""), "{}", unknown.err);
    let end = "■ the model can't be used: the model can't be reached: no recording answers this request; \
               with a model configured, run it with --record FILE to make one (";
    assert!(unknown.err.lines().last().is_some_and(|line| line.starts_with(end)), "{}", unknown.err);
}

#[tokio::test]
async fn what_is_wrong_with_the_command_line_exits_with_2() {
    let setup = Setup::new().set("models.default.base_url", "http://127.0.0.1:9/v1");
    setup.file("empty/.keep", "");
    setup.file("broken.tar.gz", "this is no archive");
    let long = "x".repeat(10 << 20);
    for (args, input, said) in [
        (&["run", " "][..], "", "error: the goal is empty: say what is to be done\n"),
        (&["run", "-"], "", "error: the goal is empty: say what is to be done\n"),
        (
            &["run", "-"],
            long.as_str(),
            "error: the goal has 10485760 bytes, the most is 262144: put long material in a file of the tree\n",
        ),
        (
            &["run", "x", "--tests", "test_x.py"],
            "",
            "error: no test file test_x.py: No such file or directory (os error 2)\n",
        ),
        (
            &["run", "x", "--pipeline", "quick"],
            "",
            "error: there is no pipeline \"quick\"; configured are: default\n",
        ),
        (&["run", "x", "--rounds", "0"], "", "error: budget.rounds must be at least 1\n"),
        (&["run", "x", "--dir", "nowhere"], "", "error: can't take the files of nowhere: "),
        (&["run", "x", "--dir", "broken.tar.gz"], "", "error: can't take the files of broken.tar.gz: "),
        (&["run", "x", "--dir", "empty", "--rev", "HEAD"], "", "error: can't take the files of empty: "),
        (
            &["run", "x", "--apply"],
            "",
            "error: the following required arguments were not provided:\n  --dir <PATH>\n",
        ),
        (&["run", "x", "--round", "1"], "", "error: unexpected argument '--round' found\n"),
    ] {
        let answer = setup.run_with(args.iter().copied(), input.as_bytes()).await;
        eprintln!("{args:?}: {}", answer.err);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{args:?}: {}", answer.err);
        assert!(answer.err.starts_with(said), "{args:?}\n said: {}\n want: {said}", answer.err);
    }
}

#[tokio::test]
async fn without_a_model_a_run_exits_with_3() {
    let said = Setup::new().run(["run", "x"]).await;
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert_eq!(
        said.err,
        "error: no model \"default\" is configured: set AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME \
         (and AIAGENT_MODEL_KEY), or a [models.default] section in aiagent.toml\n"
    );
}

#[tokio::test]
async fn the_quick_start_variables_name_a_model_and_its_key() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::new()
        .env("AIAGENT_MODEL_URL", &model.url())
        .env("AIAGENT_MODEL_NAME", "quick")
        .env("AIAGENT_MODEL_KEY", "sk-canary");
    setup.file("test_add.py", sample::TEST);
    let said = setup.run(["run", sample::GOAL, "--tests", "test_add.py", "--json"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let asked = model.asked();
    assert_eq!(asked[0].authorization.as_deref(), Some("Bearer sk-canary"));
    assert_eq!(asked[0].body["model"], json!("quick"));
    assert!(!said.out.contains("canary") && !said.err.contains("canary"), "the key is shown nowhere");
}

fn shell(dir: &Path, script: &str) {
    let done =
        std::process::Command::new("sh").args(["-ec", script]).current_dir(dir).output().expect("sh runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
