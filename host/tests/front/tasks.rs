//! Tasks through the API, from their submission to their archive.

use std::collections::BTreeMap;
use std::io::Read as _;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fake_model::{FakeModel, Reply};
use crate::refusals::form;
use crate::sample;
use crate::sse::Message;
use crate::steady::steady;
use crate::test_host::{Setup, TestHost, json, text};

#[tokio::test]
async fn a_wrong_answer_is_fixed_until_the_check_is_green() {
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model).start().await;

    let (status, accepted) = json(host.post("/api/v1/tasks").json(&sample::body())).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let id = accepted["id"].as_str().expect("an id").to_owned();
    let url = format!("/api/v1/tasks/{id}");
    assert_eq!(accepted, json!({ "id": id, "url": url, "events": format!("{url}/events"), "notes": [] }));

    let events = host.events(&id, 0).await.all().await;
    for event in &events {
        assert_eq!(
            (&event.data["id"], &event.data["task"], &event.data["type"]),
            (&json!(event.id), &json!(id), &json!(event.kind))
        );
    }
    assert_eq!(
        story(&events),
        [
            "submitted",
            "claimed",
            "step-started build builder",
            "log debug the task is about add.py",
            "model-started",
            "tokens",
            "model-ended",
            "step-ended build builder",
            "proposed build wrote add.py",
            "step-started check check-python",
            "step-ended check check-python",
            "checked failed",
            "step-started fix fixer",
            "log debug the task is about add.py",
            "model-started",
            "tokens",
            "model-ended",
            "step-ended fix fixer",
            "proposed fix rewrote add.py",
            "step-started check check-python",
            "step-ended check check-python",
            "checked passed",
            "ended green",
        ]
    );
    assert_eq!(steady(host.task(&id).await), ended_task());

    let (status, diff) = text(host.get(&format!("{url}/diff"))).await;
    assert_eq!((status.as_u16(), diff.as_str()), (200, sample::DIFF));
    let (_, diff) = text(host.get(&format!("{url}/diff?round=1"))).await;
    assert_eq!(diff, sample::DIFF.replace("a + b", "a - b"));
    let files = |code: &str| {
        BTreeMap::from([
            ("add.py".to_owned(), format!("def add(a, b):\n    return {code}\n")),
            ("test_add.py".to_owned(), sample::TEST.to_owned()),
        ])
    };
    assert_eq!(archive(&host, &format!("{url}/archive")).await, files("a + b"));
    assert_eq!(archive(&host, &format!("{url}/archive?round=1")).await, files("a - b"));
    let (status, problem) = json(host.get(&format!("{url}/archive?round=3"))).await;
    assert_eq!((status.as_u16(), &problem["detail"]), (404, &json!("round 3 left no tree")));
}

#[tokio::test]
async fn a_form_brings_an_archive() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model).start().await;
    let packed = tar_gz(&[("project/test_add.py", sample::TEST), ("project/docs/notes.txt", "kept\n")]);
    let fields: &[(&str, &[u8])] = &[
        ("goal", sample::GOAL.as_bytes()),
        ("tests", b"test_add.py"),
        ("budget", br#"{"rounds": 1}"#),
        ("strip", b"true"),
        ("archive", &packed),
    ];
    let (status, accepted) = json(form(&host, fields)).await;
    assert_eq!((status.as_u16(), &accepted["notes"]), (202, &json!([])), "{accepted}");
    let id = accepted["id"].as_str().expect("an id");
    let task = host.ended(id).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    assert_eq!(task["spec"]["budget"]["rounds"], json!(1));
    let files = archive(&host, &format!("/api/v1/tasks/{id}/archive")).await;
    assert_eq!(files.keys().collect::<Vec<_>>(), ["add.py", "docs/notes.txt", "test_add.py"]);
}

#[tokio::test]
async fn a_test_is_not_changed_though_the_model_writes_it() {
    let answer = format!("{}\n```python\n# test_add.py\ndef test_nothing():\n    pass\n```\n", sample::WRONG);
    let model = FakeModel::start([Reply::Says(answer), Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model).start().await;
    let id = host.submit(&sample::body()).await;
    let task = host.ended(&id).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    let (_, diff) = text(host.get(&format!("/api/v1/tasks/{id}/diff"))).await;
    assert_eq!(diff, sample::DIFF);
    for round in 1..=task["rounds"].as_array().expect("rounds").len() {
        let files = archive(&host, &format!("/api/v1/tasks/{id}/archive?round={round}")).await;
        assert_eq!(files["test_add.py"], sample::TEST);
    }
}

#[tokio::test]
async fn an_idempotency_key_makes_one_task() {
    let model = FakeModel::start([Reply::Silent]).await;
    let host = Setup::with_model(&model).start().await;
    let send = |body: &Value| json(host.post("/api/v1/tasks").header("idempotency-key", "k-1").json(body));
    let (status, first) = send(&sample::body()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(send(&sample::body()).await, (StatusCode::OK, first.clone()));
    let mut other = sample::body();
    other["goal"] = json!("Something else.");
    let (status, problem) = send(&other).await;
    let id = first["id"].as_str().expect("an id");
    let detail = format!("the idempotency key was used before, with another body, for task {id}");
    assert_eq!((status.as_u16(), &problem["detail"]), (409, &json!(detail)));
    let (_, page) = json(host.get("/api/v1/tasks")).await;
    assert_eq!(page["tasks"].as_array().map(Vec::len), Some(1));
}

/// As after a restore: the client has seen events that the store does not have.
#[tokio::test]
async fn an_event_that_was_never_there_begins_the_story_anew() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model).start().await;
    let id = host.submit(&sample::body()).await;
    let all = host.events(&id, 0).await.all().await;
    let last = all.last().expect("events").id;
    let url = format!("/api/v1/tasks/{id}/events");
    for (seen, status) in [(last, StatusCode::NO_CONTENT), (last + 1, StatusCode::OK)] {
        let (got, told) = text(host.get(&url).header("last-event-id", seen)).await;
        assert_eq!(got, status);
        if status == StatusCode::OK {
            assert!(told.starts_with("event: resync\ndata: {\"oldest\":1}\n\nid: 1\n"), "{told}");
            assert_eq!(told.matches("\nid: ").count(), all.len());
        }
    }
}

#[tokio::test]
async fn the_list_filters_and_pages() {
    let model = FakeModel::start([Reply::Silent]).await;
    let host =
        Setup::with_model(&model).set("worker.tasks", 1).set("pipelines.slow.max_rounds", 2).start().await;
    let mut ids = Vec::new();
    for (goal, pipeline) in [("Add apples", "default"), ("Add pears", "slow"), ("Sort apples", "slow")] {
        ids.push(host.submit(&json!({ "goal": goal, "pipeline": pipeline })).await);
        model.until_asked(1).await;
    }
    for (query, wanted, next) in [
        ("", &[2, 1, 0][..], None),
        ("?state=running", &[0], None),
        ("?state=queued", &[2, 1], None),
        ("?state=ended", &[], None),
        ("?pipeline=slow", &[2, 1], None),
        ("?text=APPLES", &[2, 0], None),
        ("?text=apples&state=queued", &[2], None),
        ("?limit=2", &[2, 1], Some(1)),
        (&format!("?limit=2&cursor={}", ids[1]), &[0], None),
    ] {
        let (_, page) = json(host.get(&format!("/api/v1/tasks{query}"))).await;
        let found: Vec<_> =
            page["tasks"].as_array().expect("a list").iter().map(|task| task["id"].clone()).collect();
        let wanted: Vec<_> = wanted.iter().map(|at| json!(ids[*at])).collect();
        assert_eq!((found, &page["next"]), (wanted, &json!(next.map(|at: usize| &ids[at]))), "{query}");
    }
    let (_, page) = json(host.get("/api/v1/tasks?state=running")).await;
    let spend = json!({
        "rounds": 0, "input_tokens": 0, "output_tokens": 0, "model_calls": 0, "cost_micros": null,
        "wall_ms": "FIGURE", "compute_ms": "FIGURE",
    });
    assert_eq!(
        steady(page["tasks"][0].clone()),
        json!({
            "id": "ID", "goal": "Add apples", "pipeline": "default", "state": "running", "rounds": 0, "reason": null,
            "model": "default", "parent": null, "worker": "WORKER", "cancel": false, "spend": spend,
            "place": place(),
            "budget": {
                "rounds": 4, "tokens": 200_000, "cost_micros": null, "wall_ms": "FIGURE", "compute_ms": "FIGURE",
            },
            "submitted_at": "TIME", "started_at": "TIME", "ended_at": null,
        })
    );
}

#[tokio::test]
async fn waiting_and_running_tasks_are_cancelled() {
    let model = FakeModel::start([Reply::HalfHeld(sample::RIGHT.to_owned())]).await;
    let host = Setup::with_model(&model).set("worker.tasks", 1).start().await;
    let running = host.submit(&sample::body()).await;
    model.until_asked(1).await;
    let waiting = host.submit(&sample::body()).await;
    let cancel = async |id: &str| json(host.post(&format!("/api/v1/tasks/{id}/cancel"))).await;

    assert_eq!(cancel(&waiting).await, (StatusCode::ACCEPTED, json!({ "state": "ended" })));
    assert_eq!(cancel(&running).await, (StatusCode::ACCEPTED, json!({ "state": "requested" })));
    let events = host.events(&running, 0).await.all().await;
    assert_eq!(story(&events).last().map(String::as_str), Some("ended cancelled"));
    let events = host.events(&waiting, 0).await.all().await;
    assert_eq!(story(&events), ["submitted", "cancel-requested", "ended cancelled"]);
    for id in [&running, &waiting] {
        let task = host.task(id).await;
        assert_eq!(
            (&task["state"], &task["outcome"]["reason"]),
            (&json!("ended"), &json!({ "kind": "cancelled" }))
        );
        let (status, diff) = text(host.get(&format!("/api/v1/tasks/{id}/diff"))).await;
        assert_eq!((status.as_u16(), diff.as_str()), (200, ""));
        assert_eq!(cancel(id).await, (StatusCode::ACCEPTED, json!({ "state": "already-ended" })));
    }
}

#[tokio::test]
async fn a_stream_that_was_cut_off_goes_on_where_it_was() {
    let gate = CancellationToken::new();
    let held = Reply::Held(gate.clone(), Box::new(Reply::says(sample::RIGHT)));
    let model = FakeModel::start([Reply::says(sample::WRONG), held]).await;
    let host = Setup::with_model(&model).start().await;
    let id = host.submit(&sample::body()).await;

    let mut stream = host.events(&id, 0).await;
    let before = stream.until("checked").await;
    drop(stream);
    gate.cancel();
    let last = before.last().expect("some").id;
    let after = host.events(&id, last).await.all().await;
    let whole = host.events(&id, 0).await.all().await;
    assert_eq!([before, after].concat(), whole);
    let ids: Vec<u64> = whole.iter().map(|message| message.id).collect();
    assert_eq!(ids, (1..=whole.len() as u64).collect::<Vec<_>>());

    let by_query = host.get(&format!("/api/v1/tasks/{id}/events?after={last}"));
    let (_, by_query) = text(by_query).await;
    assert!(by_query.starts_with(&format!("id: {}\n", last + 1)), "{by_query}");
    // Whoever has seen the end is told not to come back.
    let seen = host.get(&format!("/api/v1/tasks/{id}/events")).header("last-event-id", whole.len());
    assert_eq!(text(seen).await, (StatusCode::NO_CONTENT, String::new()));
}

/// The events in words. How a model's answer was cut into messages is left out.
fn story(events: &[Message]) -> Vec<String> {
    let mut story: Vec<String> = Vec::new();
    for Message { kind, data, .. } in events {
        let word = |key: &str| data[key].as_str().map(|word| format!(" {word}")).unwrap_or_default();
        let more = match kind.as_str() {
            "step-started" | "step-ended" => word("kind") + &word("plugin"),
            "log" => word("level") + &word("message"),
            "proposed" => word("kind") + &word("summary"),
            "checked" => {
                data["report"]["verdict"].as_str().map(|verdict| format!(" {verdict}")).unwrap_or_default()
            }
            "ended" => {
                data["outcome"]["reason"]["kind"].as_str().map(|kind| format!(" {kind}")).unwrap_or_default()
            }
            _ => String::new(),
        };
        let line = format!("{kind}{more}");
        if line != "tokens" || story.last() != Some(&line) {
            story.push(line);
        }
    }
    story
}

fn ended_task() -> Value {
    let step = |plugin: &str| {
        let model = json!({
            "name": "default", "model": "fake", "adapter": "adapter-openai", "adapter_digest": "DIGEST",
        });
        json!({
            "plugin": plugin, "digest": "DIGEST", "contract": "aiagent:step@0.1.0", "policy": "DIGEST",
            "generation": 1, "model": if plugin == "check-python" { Value::Null } else { model },
            "compute_ms": "FIGURE", "wall_ms": "FIGURE", "peak_memory_bytes": "FIGURE",
        })
    };
    let failed = json!({
        "verdict": "failed", "counts": { "passed": 0, "failed": 1, "skipped": 0 },
        "problems": [{
            "test": "test_add.TestAdd.test_sum", "path": "test_add.py", "line": 7,
            "message": "AssertionError: -1 != 5\n  test_add.py:7 in TestAdd.test_sum: self.assertEqual(add(2, 3), 5)",
        }],
        "output": "0 passed, 1 failed, 0 skipped\n",
    });
    let passed = json!({
        "verdict": "passed", "counts": { "passed": 1, "failed": 0, "skipped": 0 }, "problems": [],
        "output": "1 passed, 0 failed, 0 skipped\n",
    });
    let plugin = |name: &str| json!({ "name": name, "settings": {} });
    json!({
        "id": "ID",
        "spec": {
            "goal": sample::GOAL,
            "tree": "DIGEST",
            "tests": ["test_add.py"],
            "pipeline": {
                "name": "default", "builder": plugin("builder"), "checker": plugin("check-python"),
                "fixer": plugin("fixer"), "model": "default",
                "protected": [".github/**", ".gitlab-ci.yml", ".ci/**"], "candidates": 1, "max_rounds": 4,
                "temperatures": [0.0, 0.8],
            },
            "budget": {
                "rounds": 4, "tokens": 200_000, "cost_micros": null, "wall_ms": "FIGURE", "compute_ms": "FIGURE",
            },
        },
        "state": "ended",
        "cancel": false,
        "next": { "step": "check" },
        "step": 4,
        "rounds": [
            {
                "number": 1, "kind": "build", "temperature": 0.0, "base": "DIGEST", "tree": "DIGEST",
                "summary": "wrote add.py", "failure": null, "report": failed,
                "steps": [step("builder"), step("check-python")],
            },
            {
                "number": 2, "kind": "fix", "temperature": 0.8, "base": "DIGEST", "tree": "DIGEST",
                "summary": "rewrote add.py", "failure": null, "report": passed,
                "steps": [step("fixer"), step("check-python")],
            },
        ],
        "best": 1,
        "spend": {
            "rounds": 2, "input_tokens": 200, "output_tokens": 40, "model_calls": 2, "cost_micros": null,
            "wall_ms": "FIGURE", "compute_ms": "FIGURE",
        },
        "outcome": { "reason": { "kind": "green" }, "tree": "DIGEST", "report": passed },
        "submitted_at": "TIME",
        "started_at": "TIME",
        "ended_at": "TIME",
        "crashes": 0,
        "place": place(),
        "worker": null,
    })
}

/// Where a task waits that asks for nothing else.
fn place() -> Value {
    json!({ "queue": "default", "tenant": "default", "priority": 5, "not_before": null })
}

fn tar_gz(files: &[(&str, &str)]) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_bytes()).expect("memory takes all");
    }
    archive.into_inner().and_then(|packed| packed.finish()).expect("memory takes all")
}

async fn archive(host: &TestHost, path: &str) -> BTreeMap<String, String> {
    let answer = host.get(path).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/gzip".parse().expect("a header"))
    );
    let bytes = answer.bytes().await.expect("whole");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let entries = archive.entries().expect("a tar").map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.header().entry_type().is_file());
    files
        .map(|mut entry| {
            let path = entry.path().expect("a path").display().to_string();
            let mut content = String::new();
            entry.read_to_string(&mut content).expect("text");
            (path, content)
        })
        .collect()
}
