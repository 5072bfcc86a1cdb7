//! Who may do what, and who did what.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::{Setup, TestHost, json, text};

/// Makes a token with the command, while a host runs or before.
pub(crate) async fn token(setup: &Setup, name: &str, role: &str) -> String {
    let said = setup.run(["token", "create", name, role]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let token = said.out.trim();
    assert!(token.starts_with("aiagent_") && token.len() > 40, "{token:?}");
    token.to_owned()
}

pub(crate) async fn log_in(host: &TestHost, token: &str) -> reqwest::Response {
    let body = json!({ "token": token });
    host.post("/api/v1/session").json(&body).send().await.expect("an answer")
}

/// The cookie of a session that is begun with this token.
async fn cookie(host: &TestHost, token: &str) -> String {
    let answer = log_in(host, token).await;
    assert_eq!(answer.status(), 204);
    let set = answer.headers()["set-cookie"].to_str().expect("text");
    set.split(';').next().expect("a value").to_owned()
}

pub(crate) const NO_TASK: &str = "/api/v1/tasks/01J9Z3NDEKTSV4RRFFQ69G5FAV";

#[tokio::test]
async fn each_role_may_what_it_may_and_no_more() {
    let setup = Setup::new();
    let host = setup.start().await;
    let session = json(host.get("/api/v1/session")).await.1;
    let local = json!({ "needed": false, "open": true, "name": "local", "role": "administrator",
                        "may_change_plugins": false, "sign_in": null });
    assert_eq!(session, local);
    let (viewer, submitter, administrator) = (
        token(&setup, "vic", "viewer").await,
        token(&setup, "sue", "submitter").await,
        token(&setup, "ada", "administrator").await,
    );
    // The host runs, and knows them already.
    assert_eq!(json(host.get("/api/v1/tasks")).await.0, 401);
    let below = |path: &str| format!("{NO_TASK}/{path}");
    let all: Vec<(Method, String, u8)> = vec![
        (Method::GET, "/api/v1/tasks".into(), 0),
        (Method::GET, NO_TASK.into(), 0),
        (Method::HEAD, "/api/v1/plugins".into(), 0),
        (Method::GET, "/api/v1/queues".into(), 0),
        (Method::GET, below("events"), 0),
        (Method::POST, "/api/v1/tasks".into(), 1),
        (Method::POST, below("cancel"), 1),
        (Method::POST, below("again"), 1),
        (Method::POST, below("requeue"), 1),
        (Method::POST, "/api/v1/queues/default/pause".into(), 2),
        (Method::POST, "/api/v1/queues/default/resume".into(), 2),
        (Method::GET, "/api/v1/audit".into(), 2),
    ];
    let needed = ["viewer", "submitter", "administrator"];
    for (name, token, may) in [("vic", &viewer, 0), ("sue", &submitter, 1), ("ada", &administrator, 2)] {
        let role = needed[usize::from(may)];
        let session = json(host.get("/api/v1/session").bearer_auth(token)).await.1;
        let own = json!({ "needed": true, "open": true, "name": name, "role": role, "may_change_plugins": false, "sign_in": null });
        assert_eq!(session, own);
        for (method, path, least) in &all {
            let (status, said) = text(host.request(method.clone(), path).bearer_auth(token)).await;
            if *least <= may {
                assert!(![401, 403, 500].contains(&status.as_u16()), "{name} {method} {path}: {said}");
                continue;
            }
            assert_eq!(status, 403, "{name} {method} {path}");
            let wanted = format!("this needs the role {}; {name} is a {role}", needed[usize::from(*least)]);
            assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON")["detail"], wanted);
        }
    }
}

#[tokio::test]
async fn the_audit_log_says_who_did_what() {
    let model = FakeModel::start([Reply::Silent]).await;
    let setup = Setup::with_model(&model);
    let (sue, ada) = (token(&setup, "sue", "submitter").await, token(&setup, "ada", "administrator").await);
    let host = setup.start().await;
    let sent = |request: RequestBuilder, token: &str| json(request.bearer_auth(token));

    let submit = || host.post("/api/v1/tasks").header("idempotency-key", "one").json(&sample::body());
    let (_, accepted) = sent(submit(), &sue).await;
    let id = accepted["id"].as_str().expect("an id").to_owned();
    // Nothing is done twice, so nothing is told twice.
    assert_eq!(sent(submit(), &sue).await.0, 200);
    assert_eq!(sent(host.post("/api/v1/queues/default/pause"), &sue).await.0, 403);
    let session = cookie(&host, &ada).await;
    let by_cookie = |method: Method, path: &str| host.request(method, path).header("cookie", &session);
    assert_eq!(json(by_cookie(Method::POST, "/api/v1/queues/default/pause")).await.0, 200);
    assert_eq!(json(by_cookie(Method::POST, "/api/v1/queues/default/resume")).await.0, 200);
    assert_eq!(log_in(&host, "wrong").await.status(), 401);
    assert_eq!(sent(host.post(&format!("/api/v1/tasks/{id}/cancel")), &sue).await.0, 202);
    let mut events =
        crate::sse::Events::open(host.get(&format!("/api/v1/tasks/{id}/events")).bearer_auth(&sue)).await;
    events.until("ended").await;
    let again = sent(host.post(&format!("/api/v1/tasks/{id}/again")).json(&json!({})), &ada).await.1;
    let again = again["id"].as_str().expect("an id").to_owned();
    assert_eq!(by_cookie(Method::DELETE, "/api/v1/session").send().await.expect("an answer").status(), 204);
    assert_eq!(json(by_cookie(Method::GET, "/api/v1/tasks")).await.0, 401, "the session has ended");
    let said = setup.run(["token", "revoke", "sue"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(sent(host.get("/api/v1/tasks"), &sue).await.0, 401, "at once");

    let (status, page) = sent(host.get("/api/v1/audit"), &ada).await;
    assert_eq!(status, 200, "{page}");
    let entries = page["entries"].as_array().expect("a list");
    let seen: Vec<Value> = entries
        .iter()
        .map(|entry| json!([entry["who"], entry["role"], entry["what"], entry["subject"], entry["detail"]]))
        .collect();
    let parent = format!("task {id}");
    assert_eq!(
        seen,
        [
            json!(["a command", null, "token-revoked", "sue", "submitter"]),
            json!(["ada", "administrator", "logged-out", "ada", null]),
            json!(["ada", "administrator", "ran-again", again, parent]),
            json!(["sue", "submitter", "cancelled", id, null]),
            json!(["nobody", null, "log-in-refused", "", null]),
            json!(["ada", "administrator", "resumed", "default", null]),
            json!(["ada", "administrator", "paused", "default", null]),
            json!(["ada", "administrator", "logged-in", "ada", null]),
            json!(["sue", "submitter", "submitted", id, null]),
            json!(["a command", null, "token-created", "ada", "administrator"]),
            json!(["a command", null, "token-created", "sue", "submitter"]),
        ]
    );
    let addresses: Vec<&Value> = entries[1..9].iter().map(|entry| &entry["address"]).collect();
    assert!(addresses.iter().all(|address| **address == "127.0.0.1"), "{addresses:?}");
    assert!(entries.windows(2).all(|two| two[0]["at"].as_u64() >= two[1]["at"].as_u64()));
    host.logged("audit.who=\"sue\"").await;

    // Page by page it is the same, also after a restart.
    host.kill().await;
    let host = setup.start().await;
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/audit?limit=4{cursor}");
        let (_, page) = json(host.get(&path).bearer_auth(&ada)).await;
        pages.extend(page["entries"].as_array().expect("a list").iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&pages, entries);
    for (query, detail) in [
        ("limit=0", "limit is 0; use 1 to 500"),
        (
            "cursor=x",
            "cursor: \"x\" is no entry of the audit log; leave the cursor out to begin with the newest",
        ),
    ] {
        let (status, problem) = json(host.get(&format!("/api/v1/audit?{query}")).bearer_auth(&ada)).await;
        assert_eq!((status, &problem["detail"]), (StatusCode::BAD_REQUEST, &json!(detail)));
    }
}

/// A client that goes away as soon as it has asked is told of all the same.
#[tokio::test]
async fn whoever_hangs_up_is_told_of() {
    use tokio::io::AsyncWriteExt as _;
    let host = Setup::new().start().await;
    let body = sample::body().to_string();
    let address = host.url.trim_start_matches("http://");
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let counts = async || {
        let told =
            json(host.get("/api/v1/audit?limit=500")).await.1["entries"].as_array().map_or(0, Vec::len);
        let tasks = json(host.get("/api/v1/tasks?limit=200")).await.1["tasks"].as_array().map_or(0, Vec::len);
        (tasks, told)
    };
    // One that is gone before it was read has asked for nothing.
    let asked = async {
        for _ in 0..150 {
            if counts().await.0 >= 3 {
                break;
            }
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
            stream.write_all(format!("{head}{body}").as_bytes()).await.expect("it is read");
        }
        loop {
            let (tasks, told) = counts().await;
            if tasks == told && tasks > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    crate::patience("as many words as tasks", asked).await;
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let setup = Setup::new();
    let none = setup.run(["token", "list"]).await;
    assert_eq!(none.code, 0, "{}", none.err);
    assert!(
        none.out.contains("no token is in ") && none.out.contains("aiagent-host token create"),
        "{}",
        none.out
    );
    // A state folder that is not there yet, seen from the folder one is in.
    let said = setup.run(["token", "create", "ann", "viewer", "--state-dir", "some/state"]).await;
    assert!(said.code == 0 && setup.path("some/state/tokens.json").exists(), "{}", said.err);
    let ann = token(&setup, "ann", "viewer").await;
    let said = setup.run(["token", "create", "bob", "submitter", "--expires", "90"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let said = setup.run(["token", "create", "gone", "administrator", "--expires", "0"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let said = setup.run(["token", "list"]).await;
    let lines: Vec<Vec<&str>> = said.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines,
        [
            vec!["ann", "viewer", "made", "0", "h", "ago"],
            vec!["bob", "submitter", "made", "0", "h", "ago", "for", "89", "d"],
            vec!["gone", "administrator", "made", "0", "h", "ago", "expired"],
        ]
    );
    let listed: Value =
        serde_json::from_str(&setup.run(["token", "list", "--json"]).await.out).expect("JSON");
    assert_eq!(listed[2]["expired"], json!(true));
    assert!(!listed.to_string().contains("sha256"), "{listed}");
    for (args, code, error) in [
        (["token", "create", "ann", "viewer"], 2, "there is a token \"ann\" already"),
        (["token", "create", "a b", "viewer"], 2, "\"a b\" is no name"),
        (["token", "create", "cat", "owner"], 2, "invalid value 'owner'"),
    ] {
        let said = setup.run(args).await;
        assert!(said.code == code && said.err.contains(error), "{said:?}");
    }
    let said = setup.run(["token", "revoke", "dan"]).await;
    assert!(said.code == 2 && said.err.contains("there are: ann, bob, gone"), "{said:?}");
    use std::os::unix::fs::PermissionsExt as _;
    let file = setup.path("state/tokens.json");
    let mode = std::fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The command line is a client like any other.
    let host = setup.start().await;
    let client = Setup::new().env("AIAGENT_TOKEN", &ann);
    let said = client.run(["tasks", "--server", &host.url]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let said = client.run(["queue", "pause", "default", "--server", &host.url]).await;
    assert!(
        said.code == 2 && said.err.contains("this needs the role administrator; ann is a viewer"),
        "{said:?}"
    );
    // A file that can't be read closes the door before it is opened.
    host.kill().await;
    std::fs::write(&file, "{").expect("writable");
    let said = setup.run(["serve"]).await;
    assert!(said.code == 2 && said.err.contains("tokens.json can't be read: "), "{said:?}");
}

/// With a token of one's own there is no need for the shared one.
#[tokio::test]
async fn a_host_with_tokens_listens_beyond_loopback() {
    let setup = Setup::new().set("listen", "0.0.0.0:0");
    token(&setup, "ann", "viewer").await;
    let host = setup.start().await;
    host.signal("TERM").await;
    assert_eq!(host.exit().await, Some(0));
}
