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
            "the body is not a submission: unknown field `goals`, expected one of `goal`, `pipeline`, `files`, `tests`, `budget`, `place`, `protected`, `steps`, `git` at line 1 column 19",
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
        (
            "a time in nanoseconds",
            with("place", json!({ "not_before": u64::MAX })),
            422,
            "not_before is 18446744073709551615, beyond the year 2100; use milliseconds since 1970",
        ),
        ("no rounds", with("budget", json!({ "rounds": 0 })), 422, "budget.rounds must be at least 1"),
        (
            "a negative cost",
            with("budget", json!({ "cost": -1 })),
            422,
            "budget.cost must be 0 (no limit) or a positive number",
        ),
        (
            "a path that climbs out",
            with("files", file("../../etc/passwd")),
            422,
            "invalid path: \"../../etc/passwd\" climbs out with ..",
        ),
        (
            "an absolute path",
            with("files", file("/etc/passwd")),
            422,
            "invalid path: \"/etc/passwd\" is absolute; paths are relative to the workspace",
        ),
        ("a path of nothing", with("files", file("")), 422, "invalid path: \"\" is empty"),
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
        (
            "bad Base64",
            with("files", json!([{ "path": "a", "base64": "§" }])),
            400,
            "the file a is not Base64: Invalid symbol 194, offset 0.",
        ),
        (
            "a file over the limit",
            with("files", json!([{ "path": "a", "content": "x".repeat(1_100_000) }])),
            413,
            "too large: with a the tree would hold 1100000 bytes; the limit is 1048576",
        ),
    ];
    let cases = cases
        .into_iter()
        .map(|(name, body, status, detail)| (name, host.post("/api/v1/tasks").json(&body), status, detail));
    let mut cases: Vec<(&str, RequestBuilder, u16, &str)> = cases.collect();
    let post = || host.post("/api/v1/tasks");
    let most = (1 << 20) * 14 / 10 + (1 << 20);
    let (long, huge) = ("x".repeat(most + 1), "x".repeat(most * 20));
    let typed = |kind: &str, body: &'static str| post().header("content-type", kind).body(body);
    let climbing = climbing_archive();
    let with_archive = |archive: &[u8]| form(&host, &[("goal", b"x"), ("archive", archive)]);
    cases.extend([
        (
            "a body one byte too long",
            post().header("content-type", "application/json").body(long),
            413,
            "the body is longer than this host takes; the operator sets the limit with workspace.max_mib",
        ),
        (
            "a body that is still on its way when it is refused",
            post().header("content-type", "application/json").body(huge),
            413,
            "the body is longer than this host takes; the operator sets the limit with workspace.max_mib",
        ),
        (
            "no JSON",
            typed("application/json", "{goal"),
            400,
            "the body is not a submission: key must be a string at line 1 column 2",
        ),
        (
            "no content type we know",
            typed("text/plain", "hello"),
            415,
            "content-type is \"text/plain\": send application/json, or multipart/form-data with an archive",
        ),
        (
            "a long key",
            post().header("idempotency-key", "x".repeat(256)).json(&sample::body()),
            400,
            "Idempotency-Key must be 1 to 255 visible ASCII characters",
        ),
        (
            "a form without a goal",
            form(&host, &[("pipeline", b"default")]),
            422,
            "the goal is empty: say what is to be done",
        ),
        (
            "a broken archive",
            with_archive(b"this is no archive"),
            422,
            "this is no .tar.gz, .tar or .zip archive",
        ),
        (
            "an archive that climbs out",
            with_archive(&climbing),
            422,
            "\"../../escape\" can't be in a tree: invalid path: \"../../escape\" climbs out with ..",
        ),
        (
            "an unknown form field",
            form(&host, &[("goal", b"x"), ("archiv", b"")]),
            400,
            "unknown field \"archiv\"; known are goal, pipeline, tests, budget, place, protected, steps, git, strip, archive",
        ),
        (
            "a form that breaks off",
            typed("multipart/form-data; boundary=b", "--b\r\n"),
            400,
            "the body can't be read: incomplete multipart stream",
        ),
    ]);
    expect(cases).await;
    let (_, page) = crate::test_host::json(host.get("/api/v1/tasks")).await;
    assert_eq!(page, json!({ "tasks": [], "next": null }), "nothing was queued");
}

/// With the default limits such a goal arrives whole, and is then refused for its length.
#[tokio::test]
async fn a_goal_of_ten_megabytes_is_too_long() {
    let host = Setup::new().start().await;
    let body = json!({ "goal": "x".repeat(10_000_000) });
    let said = "the goal has 10000000 bytes, the most is 262144: put long material in a file of the tree";
    expect([("a goal of 10 MB", host.post("/api/v1/tasks").json(&body), 413, said)]).await;
}

#[tokio::test]
async fn bad_questions_say_what_is_wrong() {
    let host = Setup::new().start().await;
    let unknown = "/api/v1/tasks/01J9Z3NDEKTSV4RRFFQ69G5FAV";
    let below = ["diff", "archive", "events", "cancel", "diff?round=x", "events?after=x"];
    let below = below.map(|path| format!("{unknown}/{path}"));
    let no_task = "no task 01J9Z3NDEKTSV4RRFFQ69G5FAV";
    let cases = [
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
        (Method::GET, &below[0], 404, no_task),
        (Method::GET, &below[1], 404, no_task),
        (Method::GET, &below[2], 404, no_task),
        (Method::POST, &below[3], 404, no_task),
        (
            Method::GET,
            "/api/v1/tasks/1",
            404,
            "\"1\" is not a task id: expected 26 letters and digits, such as 01J9Z3NDEKTSV4RRFFQ69G5FAV",
        ),
        (Method::GET, "/api/v1/tasks/%ff", 400, "Invalid URL: Invalid UTF-8 in `id`"),
        (Method::GET, "/api/v1/tasks?limit=0", 400, "limit is 0; use 1 to 200"),
        (
            Method::GET,
            "/api/v1/tasks?limit=many",
            400,
            "the query can't be read: limit: invalid digit found in string",
        ),
        (
            Method::GET,
            "/api/v1/tasks?state=done",
            400,
            "the query can't be read: state: unknown variant `done`, expected one of `queued`, `running`, `ended`",
        ),
        (
            Method::GET,
            "/api/v1/tasks?sort=up",
            400,
            "the query can't be read: sort: unknown field `sort`, expected one of `state`, `pipeline`, `dead`, `text`, `outcome`, `model`, `plugin`, `parent`, `since`, `until`, `cursor`, `limit`",
        ),
        (
            Method::GET,
            "/api/v1/tasks?cursor=1",
            400,
            "cursor: \"1\" is not a task id: expected 26 letters and digits, such as 01J9Z3NDEKTSV4RRFFQ69G5FAV",
        ),
        (Method::GET, &below[4], 400, "the query can't be read: round: invalid digit found in string"),
        (Method::GET, &below[5], 400, "the query can't be read: after: invalid digit found in string"),
    ];
    let cases = cases
        .iter()
        .map(|(method, path, status, detail)| (*path, host.request(method.clone(), path), *status, *detail));
    expect(cases).await;
}

/// Compares whole answers; each case is a name, a request, and the status and detail of its problem.
async fn expect<'a>(cases: impl IntoIterator<Item = (&'a str, RequestBuilder, u16, &'a str)>) {
    let mut wrong = Vec::new();
    for (name, request, status, detail) in cases {
        let answer = request.send().await.expect("an answer");
        let kind =
            answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let title = answer.status().canonical_reason();
        let said = answer.text().await.expect("whole");
        eprintln!("{name}: {said}");
        let wanted = json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
        let problem = serde_json::from_str::<Value>(&said).ok();
        if kind.as_deref() != Some("application/problem+json") || problem.as_ref() != Some(&wanted) {
            wrong.push((name, kind, said, wanted));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
