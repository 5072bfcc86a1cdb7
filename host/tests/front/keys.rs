//! Keys are in the one header of the one request, and nowhere else.
//!
//! A host runs a day of tasks that end in every way, with a model's server that gives the key away in
//! all it says. Then everything that the host has said, written and kept is searched.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::fake_model::{self, FakeModel, Reply};
use crate::sample;
use crate::test_host::{Setup, TestHost, text};

/// Each encoding writes some of its characters otherwise.
const KEY: &str = "sk-canary+7Qz/9%xKd5vW2==";
/// What clients of the host send.
const TOKEN: &str = "token-canary/4Hb+1%yRm8";

/// A secret as it is, and in the forms in which something may carry it on.
struct Needle(Vec<(&'static str, Vec<u8>)>);

impl Needle {
    fn new(secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let each = |form: fn(u8) -> String| bytes.iter().map(|byte| form(*byte)).collect::<String>();
        let reserved = |byte: u8| !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte);
        let percent = |escape: fn(u8) -> String| {
            let one = |byte: &u8| if reserved(*byte) { escape(*byte) } else { char::from(*byte).to_string() };
            bytes.iter().map(one).collect::<String>()
        };
        let mut forms: Vec<(&'static str, Vec<u8>)> = vec![
            ("plain", bytes.to_vec()),
            ("backwards", bytes.iter().rev().copied().collect()),
            ("hex", each(|byte| format!("{byte:02x}")).into()),
            ("HEX", each(|byte| format!("{byte:02X}")).into()),
            ("hex with blanks", each(|byte| format!("{byte:02x} ")).trim().into()),
            ("percent", percent(|byte| format!("%{byte:02x}")).into()),
            ("PERCENT", percent(|byte| format!("%{byte:02X}")).into()),
            ("every byte in percent", each(|byte| format!("%{byte:02X}")).into()),
            ("JSON's escapes", secret.replace('/', "\\/").into()),
            ("a list of numbers", each(|byte| format!("{byte}, ")).trim_end_matches(", ").into()),
            ("a list of numbers, tight", each(|byte| format!("{byte},")).trim_end_matches(',').into()),
            ("UTF-16", bytes.iter().flat_map(|byte| [*byte, 0]).collect()),
        ];
        // What stands before the secret shifts its Base64; only the digits that are its own are looked for.
        for shift in 0..3 {
            let shifted = STANDARD.encode([&b"\0\0\0"[..shift], bytes].concat());
            let own = &shifted[(shift * 8).div_ceil(6)..(shift + bytes.len()) * 8 / 6];
            forms.push(("Base64", own.into()));
            forms.push(("Base64 for URLs", own.replace('+', "-").replace('/', "_").into()));
        }
        Self(forms)
    }

    fn found_in(&self, hay: &[u8]) -> Option<&'static str> {
        let starts: Vec<bool> =
            (0..=255).map(|byte| self.0.iter().any(|(_, form)| form[0] == byte)).collect();
        (0..hay.len())
            .filter(|at| starts[usize::from(hay[*at])])
            .find_map(|at| self.0.iter().find(|(_, form)| hay[at..].starts_with(form)).map(|(name, _)| *name))
    }
}

#[test]
fn the_search_finds_every_form() {
    let needle = Needle::new(KEY);
    let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    for (name, hidden) in [
        ("plain", format!("Bearer {KEY}")),
        ("JSON", json!({ "a": KEY }).to_string()),
        ("Debug", format!("{:?}", KEY.as_bytes())),
        ("hex", hex::encode(format!("key={KEY}"))),
        ("percent", "k=sk-canary%2B7Qz%2F9%25xKd5vW2%3D%3D&".to_owned()),
        ("Base64 of a header", STANDARD.encode(format!("Authorization: Bearer {KEY}\r\n"))),
        ("Base64 of a pair", STANDARD.encode(format!("user:{KEY}"))),
        ("Base64 for URLs", url_safe.encode(format!("a{KEY}"))),
    ] {
        assert!(needle.found_in(format!("before {hidden} after").as_bytes()).is_some(), "{name}: {hidden}");
    }
    assert_eq!(needle.found_in(b"sk-canary+7Qz/9%xKd5vW2= and c2stY2FuYXJ5"), None);
}

/// Everything of a host that could hold a secret, by its name.
type Findings = BTreeMap<String, Vec<u8>>;

fn read_folder(folder: &Path, but: &[&Path], into: &mut Findings) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if but.contains(&path.as_path()) {
            continue;
        }
        if path.is_dir() {
            read_folder(&path, but, into);
        } else {
            into.insert(path.display().to_string(), std::fs::read(&path).expect("readable"));
        }
    }
}

async fn read_api(host: &TestHost, ids: &[String], into: &mut Findings) {
    let mut paths = ["/api/v1/tasks", "/api/v1/plugins", "/api/v1/pipelines", "/readyz", "/api/openapi.json"]
        .map(str::to_owned)
        .to_vec();
    for id in ids {
        paths.extend(["", "/diff"].map(|rest| format!("/api/v1/tasks/{id}{rest}")));
        let events = host.events(id, 0).await.all().await;
        into.insert(format!("events of {id}"), format!("{events:?}").into());
        let archive = host.get(&format!("/api/v1/tasks/{id}/archive")).send().await.expect("an answer");
        let packed = archive.bytes().await.expect("whole");
        let mut files = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut files).expect("an archive");
        into.insert(format!("archive of {id}"), files);
    }
    for path in paths {
        let (_, answer) = text(host.get(&path)).await;
        into.insert(format!("GET {path}"), answer.into());
    }
}

/// The memories of the guests that are alive now. The runtime reserves 4 GiB of addresses for each, so what
/// is writable between two such reservations (the first has a guard before it) is a guest's.
fn guest_memory(process: u32) -> Vec<u8> {
    const GUARD: u64 = 16 << 20;
    const RESERVED: u64 = 2 << 30;
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).expect("a process of our own");
    let open = |name: &str| std::fs::File::open(format!("/proc/{process}/{name}")).expect("our own");
    let (mut memory, mut pagemap) = (open("mem"), open("pagemap"));
    let mut found = Vec::new();
    // What lies behind the last wall of addresses that nobody may touch, and where it ends.
    let (mut inside, mut end) = (None::<Vec<(u64, u64)>>, 0);
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().expect("addresses"), fields.next().expect("rights"));
        let (from, to) = range.split_once('-').expect("two addresses");
        let number = |text| u64::from_str_radix(text, 16).expect("hex");
        let (from, to) = (number(from), number(to));
        if from != end {
            inside = None;
        }
        end = to;
        if !rights.starts_with("---") {
            let writable = rights.starts_with("rw");
            inside = inside.filter(|_| writable).map(|mut pieces| {
                pieces.push((from, to));
                pieces
            });
            continue;
        }
        let pieces = inside.take().filter(|_| to - from >= RESERVED).unwrap_or_default();
        for page in pieces.into_iter().flat_map(|(from, to)| from / PAGE..to / PAGE) {
            // Most of it was never touched.
            if !is_there(&mut pagemap, page) {
                continue;
            }
            let mut bytes = vec![0; PAGE as usize];
            memory.seek(SeekFrom::Start(page * PAGE)).expect("an address");
            // A guest may be gone meanwhile.
            if memory.read_exact(&mut bytes).is_ok() {
                found.extend(bytes);
            }
            assert!(found.len() < 1 << 30, "these are not only guests' memories");
        }
        inside = (to - from >= GUARD).then(Vec::new);
    }
    found
}

const PAGE: u64 = 4096;

/// Whether a page has content of its own.
fn is_there(pagemap: &mut std::fs::File, page: u64) -> bool {
    let mut entry = [0; 8];
    pagemap.seek(SeekFrom::Start(page * 8)).expect("a page");
    pagemap.read_exact(&mut entry).is_ok() && u64::from_ne_bytes(entry) >> 62 != 0
}

fn gives_away(status: u16, headers: &'static str) -> Reply {
    let message = format!("Authorization: Bearer {KEY} was sent with {}", STANDARD.encode("nothing"));
    Reply::Sends(status, headers, json!({ "error": { "message": message, "type": "t" } }).to_string())
}

#[tokio::test]
async fn a_whole_day_leaves_no_trace_of_a_key() {
    let headers: &'static str =
        format!("x-request-id: {KEY}\r\nretry-after-ms: 1\r\nx-ratelimit-key: {KEY}\r\n").leak();
    let location: &'static str = format!("location: https://{KEY}@127.0.0.1/?key={KEY}\r\n").leak();
    let echo = format!("{}\n```text\n# notes.txt\nBearer {KEY}\n```\n", sample::RIGHT);
    let split = KEY.split_at(9);
    let replies = vec![
        vec![Reply::Says(echo.clone())],
        // Token by token, so that no piece on the wire holds all of it.
        vec![Reply::Says(echo.replace(KEY, &format!("{}{}{}", split.0, fake_model::CUT, split.1)))],
        vec![gives_away(429, headers), gives_away(401, headers)],
        vec![gives_away(500, headers), gives_away(503, headers)],
        vec![gives_away(400, "")],
        vec![gives_away(302, location)],
        vec![Reply::Sends(200, "", format!("<html>{KEY}</html>")), Reply::Sends(200, "", KEY.to_owned())],
        vec![Reply::Half(echo.clone()), Reply::HalfHeld(echo.clone())],
        vec![Reply::says(sample::WRONG), Reply::Says(echo.clone())],
    ];
    let model = FakeModel::start([]).await;
    let setup = Setup::with_model(&model)
        .set("models.default.key_env", "CANARY_KEY")
        .set("models.default.retries", 1)
        .set("models.default.idle_timeout_s", 1)
        .set("models.patient.base_url", model.url())
        .set("models.patient.model", "fake")
        .set("models.patient.allow", vec!["127.0.0.1".to_owned()])
        .set("models.patient.key_env", "CANARY_KEY")
        .set("pipelines.patient.model", "patient")
        .set("token", TOKEN)
        .set("log", "trace")
        .set("pipelines.default.max_rounds", 2)
        .set("pipelines.command.checker", "check-command")
        .set("pipelines.command.checker_settings.command", "sh -c 'env; cat /proc/*/environ; exit 1'")
        .set("pipelines.command.max_rounds", 1)
        .set("plugins.check-command.exec", true)
        .env("CANARY_KEY", KEY);
    let record = setup.path("record.jsonl");
    let setup = setup.set("record", record.display().to_string());
    let host = setup.start().await;

    let mut ids = Vec::new();
    for replies in replies {
        model.add(replies);
        let id = host.submit(&sample::body()).await;
        host.ended(&id).await;
        model.forget();
        ids.push(id);
    }
    model.add([Reply::says(sample::RIGHT)]);
    let mut command = sample::body();
    command["pipeline"] = json!("command");
    let id = host.submit(&command).await;
    let task = host.ended(&id).await;
    let ran = task.to_string().contains("HOME=/tmp");
    assert!(ran || task.to_string().contains("is not installed"), "{task:#}");
    ids.push(id);

    // While a decoder and its builder are alive.
    const MARK: &str = "mark-of-a-guest-5521";
    let half = [MARK, KEY, "1", "2", "3", "4", "5", "6", "7", "8"].join("\n");
    model.add([Reply::HalfHeld(half)]);
    let mut marked = sample::body();
    marked["pipeline"] = json!("patient");
    marked["goal"] = json!(format!("{} {MARK}", sample::GOAL));
    let id = host.submit(&marked).await;
    host.events(&id, 0).await.until("tokens").await;
    let memory = guest_memory(host.process());
    let marks = memory.windows(MARK.len()).filter(|window| *window == MARK.as_bytes()).count();
    assert!(marks > 1, "the guests' memories hold the goal and the answer, {marks} times");

    let mut findings = Findings::from([("the guests' memories".to_owned(), memory)]);
    host.post(&format!("/api/v1/tasks/{id}/cancel")).send().await.expect("an answer");
    host.ended(&id).await;
    ids.push(id);

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.process())).expect("readable");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "a crash leaves no core file");

    read_api(&host, &ids, &mut findings).await;
    let (url, some) = (host.url.as_str(), ids[2].as_str());
    let server = ["--server", url];
    for args in [
        vec!["--print-config"],
        [&["tasks"][..], &server].concat(),
        [&["show", some][..], &server].concat(),
        [&["events", some][..], &server].concat(),
    ] {
        let said = setup.run(&args).await;
        assert_ne!(said.code, 2, "{args:?}: {said:?}");
        findings.insert(format!("{args:?}"), format!("{}{}", said.out, said.err).into());
    }
    // Its database is whole on the disk while it still runs.
    read_folder(&setup.path(""), &[&setup.path("aiagent.toml")], &mut findings);
    findings.insert("the log".into(), host.log().join("\n").into());
    assert!(findings["the log"].len() > 100_000, "everything was logged");
    assert!(findings.contains_key(&record.display().to_string()), "{:?}", findings.keys());
    assert!(findings.keys().any(|name| name.ends_with("tasks.db")), "{:?}", findings.keys());

    let asked = model.asked();
    let sent = Needle::new(KEY).found_in(asked[0].authorization.as_deref().unwrap_or_default().as_bytes());
    assert_eq!(sent, Some("plain"), "the key was used");
    let mut leaks = Vec::new();
    for (secret, of) in [(KEY, "the model's key"), (TOKEN, "the host's token")] {
        let needle = Needle::new(secret);
        for (place, bytes) in &findings {
            leaks.extend(needle.found_in(bytes).map(|form| format!("{of} in {place} ({form})")));
        }
        for asked in &asked {
            let body = needle.found_in(asked.body.to_string().as_bytes());
            leaks.extend(body.map(|form| format!("{of} in a request's body ({form})")));
        }
    }
    eprintln!("searched {} places, {} bytes", findings.len(), findings.values().map(Vec::len).sum::<usize>());
    assert!(leaks.is_empty(), "{leaks:#?}");
}
