//! The disk fills up while a task runs: nothing is taken that can't be kept, and nothing that was taken is lost.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::{Setup, TestHost, json};

/// Of the file system that holds the state, in bytes.
const SIZE: &str = "16777216";

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_loses_nothing() {
    let gate = CancellationToken::new();
    let held = Reply::Held(gate.clone(), Box::new(Reply::says(sample::RIGHT)));
    let model = FakeModel::start([held, Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    let state = setup.path("state");
    std::fs::create_dir(&state).expect("a folder");
    let state = state.display().to_string();
    // Its own mount: only the host sees it.
    let outer =
        ["bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--size", SIZE, "--tmpfs", &state, "--"];
    let host = setup.start_in(&outer).await;
    let first = host.submit(&sample::body()).await;
    model.until_asked(1).await;

    let filler = inside(&host, Path::new(&state)).join("filler");
    fill(&filler);
    let (status, problem) = json(host.post("/api/v1/tasks").json(&sample::body())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("full")), "{problem}");
    let long = json!({ "goal": "x", "files": [{ "path": "long", "content": "x".repeat(4 << 20) }] });
    let (status, problem) = json(host.post("/api/v1/tasks").json(&long)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("full")), "{problem}");
    // The answer comes, and can't be kept yet.
    gate.cancel();
    host.logged("full").await;
    std::fs::remove_file(&filler).expect("it is there");

    let task = host.ended(&first).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    model.assert_nothing_answered_was_asked_again();
    let second = host.submit(&sample::body()).await;
    let task = host.ended(&second).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
}

/// A path as the program sees it that bwrap has started.
fn inside(host: &TestHost, path: &Path) -> PathBuf {
    let outer = host.process();
    let children = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children"));
    let children = children.expect("Linux tells of children");
    let program =
        children.split_whitespace().next().unwrap_or_else(|| panic!("bwrap has no child: {children:?}"));
    Path::new(&format!("/proc/{program}/root")).join(path.strip_prefix("/").expect("is absolute"))
}

/// Until nothing more fits.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).expect("the state is writable");
    for size in [1 << 16, 1 << 12, 1] {
        let piece = vec![1_u8; size];
        while file.write_all(&piece).is_ok() {}
    }
}
