//! What a client may cost a host: time, bytes; and what each answer tells a browser.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fake_model::{FakeModel, Reply};
use crate::test_host::{Setup, TestHost, json};
use crate::{patience, sample};

async fn connect(host: &TestHost) -> TcpStream {
    let address = host.url.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("it listens")
}

/// All that comes until the host closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    patience("the end of the connection", stream.read_to_end(&mut bytes)).await.expect("readable");
    String::from_utf8(bytes).expect("UTF-8")
}

#[tokio::test]
async fn who_sends_too_slowly_is_cut_off_and_streams_go_on() {
    let model = FakeModel::start([Reply::Silent]).await;
    let host = Setup::with_model(&model).set("api.timeout_s", 1).start().await;
    let id = host.submit(&sample::body()).await;
    let mut stream = host.events(&id, 0).await;
    stream.until("step-started").await;

    // Headers that never end, and a connection that never begins.
    let (mut slow, idle) = (connect(&host).await, connect(&host).await);
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ").await.expect("it is read");
    let (slow, idle) = tokio::join!(rest(slow), rest(idle));
    assert_eq!((slow.as_str(), idle.as_str()), ("", ""));

    // A body that stops.
    let mut slow = connect(&host).await;
    let head = "POST /api/v1/tasks HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.expect("it is read");
    let answer = rest(slow).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 408 ") && head.contains("connection: close"), "{head}");
    let problem: Value = serde_json::from_str(body).expect("JSON");
    let detail = "the body did not come within 1 s; the operator sets the limit with api.timeout_s";
    assert_eq!(problem["detail"], detail);

    // The stream is older than that by now.
    host.post(&format!("/api/v1/tasks/{id}/cancel")).send().await.expect("an answer");
    stream.until("ended").await;
}

#[tokio::test]
async fn who_takes_nothing_is_cut_off() {
    // Time enough for the answer to begin, on a busy machine too.
    let host = Setup::new().set("api.timeout_s", 10).set("log", "aiagent_host=debug,info").start().await;
    // More than the kernel keeps between the two, and nothing that packs.
    let mut noise = 1_u64;
    let mut piece = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        STANDARD.encode(&noise.to_be_bytes()[..6])
    };
    let mut file = || (0..500_000).map(|_| piece()).collect::<String>();
    let files: Vec<_> =
        (0..5).map(|number| json!({ "path": format!("{number}.txt"), "content": file() })).collect();
    let id = host.submit(&json!({ "goal": "x", "files": files })).await;
    let mut stream = connect(&host).await;
    let request = format!("GET /api/v1/tasks/{id}/archive HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is read");
    host.logged("the client takes nothing").await;
    drop(stream);
    let (status, _) = json(host.get("/api/v1/tasks")).await;
    assert_eq!(status, 200);
}

/// What a host holds in memory, in bytes.
fn resident(host: &TestHost) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.process())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Files without a name that a host has open in this folder.
fn nameless(host: &TestHost, folder: &Path) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", host.process())).expect("it runs");
    let paths = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    paths
        .filter(|path| path.parent() == Some(folder) && path.to_string_lossy().ends_with(" (deleted)"))
        .count()
}

#[tokio::test]
async fn large_uploads_wait_on_the_disk() {
    const MOST: u64 = 32 << 20;
    let setup =
        Setup::new().set("role", "dashboard").set("api.timeout_s", 600).set("api.change_plugins", true);
    let state = setup.path("state").canonicalize().unwrap_or_else(|_| setup.path("state"));
    let host = setup.start().await;
    let before = resident(&host);
    let head = |path: &str, kind: &str, bytes: u64| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {bytes}\r\n\r\n"
        )
    };
    let form = "multipart/form-data; boundary=b";
    let opening = "--b\r\ncontent-disposition: form-data; name=\"archive\"\r\n\r\n";
    let closing = "\r\n--b--\r\n";
    let noise = vec![b'x'; 1 << 20];
    let mut uploads = Vec::new();
    for number in 0..10 {
        let mut stream = connect(&host).await;
        let (start, end) = match number {
            0..6 => {
                let bytes = MOST + (opening.len() + closing.len()) as u64;
                (head("/api/v1/tasks", form, bytes) + opening, closing)
            }
            6..8 => (head("/api/v1/tasks", "application/json", MOST + 1), "x"),
            _ => (head("/api/v1/plugins?file=x.wasm", "application/wasm", MOST + 1), "x"),
        };
        patience("an upload", async {
            stream.write_all(start.as_bytes()).await.expect("it is read");
            for _ in 0..MOST >> 20 {
                stream.write_all(&noise).await.expect("it is read");
            }
        })
        .await;
        uploads.push((stream, end));
    }
    let grown = resident(&host).saturating_sub(before);
    assert!(grown < 100 << 20, "{} uploads of {MOST} bytes took {grown} bytes of memory", uploads.len());
    assert_eq!(nameless(&host, &state), uploads.len());
    for (mut stream, end) in uploads {
        stream.write_all(end.as_bytes()).await.expect("it is read");
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        let said = ["the archive is damaged", "the body is not a submission", "not WebAssembly"];
        assert!(said.iter().any(|said| answer.contains(said)), "{answer}");
    }
    assert_eq!(nameless(&host, &state), 0);
}

#[tokio::test]
async fn only_so_many_large_uploads_arrive_at_once() {
    let setup = Setup::new().set("role", "dashboard").set("api.timeout_s", 600);
    let host = setup.start().await;
    let state = setup.path("state").canonicalize().expect("it is there");
    // Longer than what is held in memory, and not at its end.
    let head = "POST /api/v1/tasks HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
                content-length: 3000000\r\n\r\n";
    let begun = head.to_owned() + &" ".repeat(2_000_000);
    let mut uploads = Vec::new();
    for _ in 0..32 {
        let mut stream = connect(&host).await;
        stream.write_all(begun.as_bytes()).await.expect("it is read");
        uploads.push(stream);
    }
    patience("all of them on the disk", async {
        while nameless(&host, &state) < uploads.len() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (status, problem) =
        json(host.post("/api/v1/tasks").json(&json!({ "goal": "x".repeat(2_000_000) }))).await;
    assert_eq!(status, 429);
    assert_eq!(problem["detail"], "too many large uploads arrive at the same time: try again later");
    let (status, _) = json(host.post("/api/v1/tasks").json(&json!({ "goal": "small" }))).await;
    assert_eq!(status, 202);
    // Whoever goes away makes room.
    drop(uploads);
    patience("room", async {
        while nameless(&host, &state) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (status, _) = json(host.post("/api/v1/tasks").json(&json!({ "goal": "x".repeat(2_000_000) }))).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn a_body_is_as_long_as_its_route_takes() {
    let mut host = Setup::new().set("token", "secret-canary").start().await;
    let long = "x".repeat((1 << 20) + 1);
    let task = "/api/v1/tasks/01J9Z3NDEKTSV4RRFFQ69G5FAV";
    for request in [
        host.post(&format!("{task}/again")).body(long.clone()),
        host.post("/api/v1/session").body(long.clone()),
    ] {
        let (status, problem) = json(request).await;
        assert_eq!(status, 413);
        assert_eq!(problem["detail"], "the body is longer than what is taken here, 1 MiB");
    }
    // Whoever is not let in is not read.
    host.token = None;
    let (status, _) = json(host.post("/api/v1/tasks").body(long)).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let model = FakeModel::start([Reply::Silent]).await;
    let mut host = Setup::with_model(&model).set("token", "secret-canary").start().await;
    let id = host.submit(&sample::body()).await;
    let events = format!("/api/v1/tasks/{id}/events");
    let mut requests = Vec::new();
    for path in [
        "/",
        "/nothing.js",
        "/healthz",
        "/readyz",
        "/api/openapi.json",
        "/api/v1/tasks",
        "/api/v1/nothing",
        &events,
    ] {
        requests.push((path.to_owned(), host.get(path)));
    }
    requests.push(("a wrong method".to_owned(), host.request(reqwest::Method::DELETE, "/api/v1/tasks")));
    requests.push(("a log-out".to_owned(), host.request(reqwest::Method::DELETE, "/api/v1/session")));
    host.token = None;
    requests.push(("without a token".to_owned(), host.get("/api/v1/tasks")));
    requests.push(("a log-in".to_owned(), host.post("/api/v1/session").json(&json!({ "token": "wrong" }))));
    for (name, request) in requests {
        let answer = request.send().await.expect("an answer");
        let header =
            |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        for (header_name, wanted) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(header_name).as_deref(), Some(wanted), "{name}: {header_name}");
        }
        let policy = header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{name}");
        let kept = header("cache-control");
        let is_answer = name.starts_with("/api/v1") || !name.starts_with('/');
        assert_eq!(
            is_answer,
            kept.as_deref().is_some_and(|kept| kept.contains("no-store")),
            "{name}: {kept:?}"
        );
    }
}
