//! Bad requests: each is answered by a problem that says what is wrong, and what to do.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::fake_model::FakeModel;
use crate::sample;
use crate::test_host::{Setup, TestHost};

#[tokio::test]
async fn bad_submissions_say_what_is_wrong() {
    let model = FakeModel::start([]).await;
    let host = Setup::with_model(&model).set("workspace.max_mib", 1).start().await;
    let with = |key: &str, value: Value| {
        let mut body = sample::body();
        body[key] = value;
        body
    };
    let file = |path: &str| json!([{ "path": path, "content": "x" }]);
    let cases: Vec<(&str, Value, u16, &str)> = vec![
        ("no goal", json!({}), 400, "the body is not a submission: missing field `goal` at line 1 column 2"),
        ("an empty goal", with("goal", json!(" \n")), 422, "the goal is empty: say what is to be done"),
        (
            "an unknown field",
            json!({ "goal": "x", "goals": "x" }),
            400,
            "the body is not a submission: unknown field `goals`, expected one of `goal`, `pipeline`, `files`, `tests`, `budget` at line 1 column 19",
        ),
        (
            "an unknown pipeline",
            with("pipeline", json!("quick")),
            422,
            "there is no pipeline \"quick\"; configured are: default",
        ),
        (
            "a test that is not there",
            with("tests", json!(["tests_add.py"])),
            422,
            "the test \"tests_add.py\" is not among the files: the nearest name is \"test_add.py\"",
        ),
        ("no rounds", with("budget", json!({ "rounds": 0 })), 422, "budget.rounds must be at least 1"),
        (
            "a negative cost",
            with("budget", json!({ "cost": -1 })),
            422,
            "budget.cost must be 0 (no limit) or a positive number",
        ),
        ("a path that climbs out", with("files", file("../../etc/passwd")), 422, ""),
        ("an absolute path", with("files", file("/etc/passwd")), 422, ""),
        ("a path of nothing", with("files", file("")), 422, ""),
        (
            "one file twice",
            with("files", json!([{ "path": "a", "content": "x" }, { "path": "a", "content": "y" }])),
            422,
            "the file a is there twice",
        ),
        (
            "a file without content",
            with("files", json!([{ "path": "a" }])),
            422,
            "the file a must have either `content` or `base64`",
        ),
        ("bad Base64", with("files", json!([{ "path": "a", "base64": "§" }])), 400, ""),
        (
            "a file over the limit",
            with("files", json!([{ "path": "a", "content": "x".repeat(1_100_000) }])),
            413,
            "",
        ),
    ];
    for (name, body, status, detail) in cases {
        expect(name, host.post("/api/v1/tasks").json(&body), status, detail).await;
    }
    let huge = json!({ "goal": "x".repeat(10 << 20) });
    expect("10 MB where 2 are taken", host.post("/api/v1/tasks").json(&huge), 413, "").await;
    let not_json = host.post("/api/v1/tasks").header("content-type", "application/json").body("{goal");
    expect("no JSON", not_json, 400, "").await;
    let plain = host.post("/api/v1/tasks").header("content-type", "text/plain").body("hello");
    expect("no content type we know", plain, 415, "").await;
    let key = host.post("/api/v1/tasks").header("idempotency-key", "x".repeat(256)).json(&sample::body());
    expect("a long key", key, 400, "Idempotency-Key must be 1 to 255 visible ASCII characters").await;
    expect(
        "a form without goal",
        form(&host, &[("pipeline", b"default")]),
        422,
        "the goal is empty: say what is to be done",
    )
    .await;
    let archive: &[(&str, &[u8])] = &[("goal", b"x"), ("archive", b"this is no archive")];
    expect("a broken archive", form(&host, archive), 422, "").await;
    let climbing = climbing_archive();
    let archive: &[(&str, &[u8])] = &[("goal", b"x"), ("archive", &climbing)];
    expect("an archive that climbs out", form(&host, archive), 422, "").await;
    let odd: &[(&str, &[u8])] = &[("goal", b"x"), ("archiv", b"")];
    expect(
        "an unknown form field",
        form(&host, odd),
        400,
        "unknown field \"archiv\"; known are goal, pipeline, tests, budget, strip, archive",
    )
    .await;
    let cut =
        host.post("/api/v1/tasks").header("content-type", "multipart/form-data; boundary=b").body("--b\r\n");
    expect("a form that breaks off", cut, 400, "").await;
    let (_, page) = crate::test_host::json(host.get("/api/v1/tasks")).await;
    assert_eq!(page, json!({ "tasks": [], "next": null }), "nothing was queued");
}

/// With the default limits such a goal arrives whole, and is then refused for its length.
#[tokio::test]
async fn a_goal_of_ten_megabytes_is_too_long() {
    let host = Setup::new().start().await;
    let body = json!({ "goal": "x".repeat(10_000_000) });
    let said = "the goal has 10000000 bytes, the most is 262144: put long material in a file of the tree";
    expect("a goal of 10 MB", host.post("/api/v1/tasks").json(&body), 413, said).await;
}

#[tokio::test]
async fn bad_questions_say_what_is_wrong() {
    let host = Setup::new().start().await;
    let unknown = "/api/v1/tasks/01J9Z3NDEKTSV4RRFFQ69G5FAV";
    let no_task = "no task 01J9Z3NDEKTSV4RRFFQ69G5FAV";
    for (method, path, status, detail) in [
        (
            Method::GET,
            "/api/v1/nothing",
            404,
            "nothing is served at /api/v1/nothing; the API is described at /api/openapi.json",
        ),
        (
            Method::DELETE,
            "/api/v1/tasks",
            405,
            "/api/v1/tasks does not take DELETE; the API is described at /api/openapi.json",
        ),
        (Method::GET, unknown, 404, no_task),
        (Method::GET, &format!("{unknown}/diff"), 404, no_task),
        (Method::GET, &format!("{unknown}/archive"), 404, no_task),
        (Method::GET, &format!("{unknown}/events"), 404, no_task),
        (Method::POST, &format!("{unknown}/cancel"), 404, no_task),
        (
            Method::GET,
            "/api/v1/tasks/1",
            404,
            "\"1\" is not a task id: expected 26 letters and digits, such as 01J9Z3NDEKTSV4RRFFQ69G5FAV",
        ),
        (Method::GET, "/api/v1/tasks/%ff", 400, ""),
        (Method::GET, "/api/v1/tasks?limit=0", 400, "limit is 0; use 1 to 200"),
        (Method::GET, "/api/v1/tasks?limit=many", 400, ""),
        (Method::GET, "/api/v1/tasks?state=done", 400, ""),
        (Method::GET, "/api/v1/tasks?sort=up", 400, ""),
        (
            Method::GET,
            "/api/v1/tasks?cursor=1",
            400,
            "cursor: \"1\" is not a task id: expected 26 letters and digits, such as 01J9Z3NDEKTSV4RRFFQ69G5FAV",
        ),
        (Method::GET, &format!("{unknown}/diff?round=x"), 400, ""),
        (Method::GET, &format!("{unknown}/events?after=x"), 400, ""),
    ] {
        expect(path, host.request(method, path), status, detail).await;
    }
}

/// The whole answer is compared.
async fn expect(name: &str, request: RequestBuilder, status: u16, detail: &str) {
    let answer = request.send().await.expect("an answer");
    let kind = answer.headers().get("content-type").cloned();
    let got = answer.status();
    let text = answer.text().await.expect("whole");
    println!("{name}: {got} {text}");
    assert_eq!(
        kind.as_ref().map(|kind| kind.as_bytes()),
        Some(&b"application/problem+json"[..]),
        "{name}: {text}"
    );
    let problem: Value = serde_json::from_str(&text).expect("JSON");
    let title = got.canonical_reason();
    assert_eq!(
        problem,
        json!({ "type": "about:blank", "title": title, "status": status, "detail": detail }),
        "{name}"
    );
}

/// A multipart/form-data request by hand.
pub(crate) fn form(host: &TestHost, fields: &[(&str, &[u8])]) -> RequestBuilder {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--frontier\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frontier--\r\n");
    host.post("/api/v1/tasks").header("content-type", "multipart/form-data; boundary=frontier").body(body)
}

fn climbing_archive() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().expect("GNU").name[..12].copy_from_slice(b"../../escape");
    header.set_size(1);
    header.set_mode(0o644);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, &b"x"[..]).expect("memory takes all");
    archive.into_inner().expect("memory takes all")
}
