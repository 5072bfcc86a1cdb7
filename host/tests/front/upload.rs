//! Plugins that an administrator uploads, allows and removes through the API.

use std::path::{Path, PathBuf};

use aiagent_host::task::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access::token;
use crate::guest::{guest, variant};
use crate::test_host::{Setup, TestHost, json, plugins, text};

/// A folder of its own with the plugins of the default pipeline.
fn shelf(setup: Setup) -> (Setup, PathBuf) {
    let dir = setup.path("shelf");
    std::fs::create_dir(&dir).expect("it can be made");
    for name in ["builder.wasm", "fixer.wasm", "adapter-openai.wasm", "check-python.wasm"] {
        std::fs::copy(plugins().join(name), dir.join(name)).expect("it is built");
    }
    let setup = setup.set("plugins_dir", vec![dir.display().to_string()]).set("api.change_plugins", true);
    (setup, dir)
}

fn builder() -> Vec<u8> {
    std::fs::read(plugins().join("builder.wasm")).expect("it is built")
}

async fn upload(host: &TestHost, query: &str, bytes: &[u8]) -> (StatusCode, Value) {
    let request = host.post(&format!("/api/v1/plugins?{query}")).header("content-type", "application/wasm");
    json(request.body(bytes.to_vec())).await
}

/// Of the plugin with this name, what is served; and why its file is not, if it is not.
async fn listed(host: &TestHost, name: &str) -> (Option<String>, Option<Value>) {
    let listing = json(host.get("/api/v1/plugins")).await.1;
    let of = |list: &str, key: &str, value: &str| {
        let mut all = listing[list].as_array().expect("a list").iter();
        all.find(|one| one[key].as_str().is_some_and(|it| it.ends_with(value))).cloned()
    };
    let serving = of("loaded", "name", name).map(|one| one["digest"].as_str().expect("text").to_owned());
    (serving, of("refused", "file", &format!("/{name}.wasm")))
}

fn content(dir: &Path) -> Vec<(String, Digest)> {
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("readable");
            (entry.file_name().to_string_lossy().into_owned(), Digest::of(&bytes))
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn what_is_uploaded_is_served_and_what_would_be_refused_changes_nothing() {
    let (setup, dir) = shelf(Setup::new());
    let host = setup.start().await;
    let session = json(host.get("/api/v1/session")).await.1;
    assert_eq!(session["may_change_plugins"], true);
    let (one, two) = (variant(&builder(), 1), variant(&builder(), 2));
    let (first, second) = (Digest::of(&one), Digest::of(&two));

    let (status, said) = upload(&host, "file=mine.wasm", &one).await;
    assert_eq!((status.as_u16(), said), (201, json!({ "file": "mine.wasm", "digest": first })));
    assert_eq!(listed(&host, "mine").await, (Some(first.to_string()), None));
    let (status, said) = upload(&host, "file=mine.wasm", &two).await;
    assert_eq!(status, 409, "{said}");
    assert_eq!(listed(&host, "mine").await.0, Some(first.to_string()));
    let (status, said) = upload(&host, "file=mine.wasm&replace=true", &two).await;
    assert_eq!((status.as_u16(), said), (200, json!({ "file": "mine.wasm", "digest": second })));
    assert_eq!(listed(&host, "mine").await, (Some(second.to_string()), None));

    let before = content(&dir);
    let half = builder()[..20_000].to_vec();
    for (query, bytes, status, detail) in [
        ("file=mine.wasm&replace=true", &half[..], 422, "truncated: "),
        (
            "file=new.wasm",
            b"hello",
            422,
            "not WebAssembly: it begins with \"hello\"; put a WebAssembly component",
        ),
        ("file=new.wasm", b"", 422, "truncated: only 0 bytes"),
        ("file=../new.wasm", &one, 422, "\"../new.wasm\" can't be a plugin's name"),
        ("file=a%20b.wasm", &one, 422, "\"a b\" can't be a plugin's name"),
        ("file=new", &one, 422, "\"new\" can't be a plugin's name"),
        ("file=.wasm", &one, 422, "can't be a plugin's name"),
        ("fil=new.wasm", &one, 400, "the query can't be read: "),
    ] {
        let (answered, problem) = upload(&host, query, bytes).await;
        let said = problem["detail"].as_str().expect("text");
        assert!(answered == status && said.contains(detail), "{query}: {answered} {said}");
    }
    assert_eq!(content(&dir), before);
    assert_eq!(listed(&host, "new").await, (None, None));

    // A pipeline and a model's adapter are needed; what nobody needs may go.
    for (file, status, detail) in [
        (
            "builder.wasm",
            409,
            "the pipeline default needs builder.wasm: configure another, or add ?force=true",
        ),
        ("nobody.wasm", 404, "no plugins folder has a file nobody.wasm"),
        ("..%2Faiagent.toml", 404, "no plugins folder has a file ../aiagent.toml"),
    ] {
        let request = host.request(Method::DELETE, &format!("/api/v1/plugins/{file}"));
        let (answered, problem) = json(request).await;
        assert_eq!((answered.as_u16(), &problem["detail"]), (status, &json!(detail)));
    }
    for path in ["mine.wasm", "fixer.wasm?force=true"] {
        let gone = text(host.request(Method::DELETE, &format!("/api/v1/plugins/{path}"))).await;
        assert_eq!(gone, (StatusCode::NO_CONTENT, String::new()));
    }
    assert_eq!(listed(&host, "mine").await, (None, None));
    assert_eq!(listed(&host, "fixer").await, (None, None));
    let history = json(host.get("/api/v1/plugins")).await.1["history"].clone();
    let told: Vec<_> =
        history.as_array().expect("a list").iter().rev().take(4).map(|it| &it["what"]).collect();
    assert_eq!(told, ["removed", "removed", "replaced", "added"]);
}

#[tokio::test]
async fn what_asks_for_more_waits_until_it_is_allowed() {
    let (setup, _) = shelf(Setup::new());
    let ada = token(&setup, "ada", "administrator").await;
    let sue = token(&setup, "sue", "submitter").await;
    let mut host = setup.start().await;
    host.token = Some(ada);
    let was = Digest::of(&builder());
    let greedy = guest("builder", "check_often");
    let digest = Digest::of(&greedy);
    let (status, said) = upload(&host, "file=builder.wasm&replace=true", &greedy).await;
    assert_eq!(status, 200, "{said}");
    let reason = "asks for more than the builder before it: check";
    assert_eq!(said["held_back"]["reason"], reason);
    let (serving, refused) = listed(&host, "builder").await;
    let refused = refused.expect("it waits");
    assert_eq!(serving, Some(was.to_string()));
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("held-back"), &json!(reason)));

    let allow =
        |digest: &Digest| host.post("/api/v1/plugins/builder.wasm/allow").json(&json!({ "digest": digest }));
    let (status, problem) = json(allow(&was)).await;
    let detail = format!("builder.wasm is {digest} by now, not {was}: look at it again");
    assert_eq!((status.as_u16(), &problem["detail"]), (409, &json!(detail)));
    assert_eq!(listed(&host, "builder").await.0, Some(was.to_string()));
    let (status, allowed) = json(allow(&digest)).await;
    assert_eq!(status, 200, "{allowed}");
    assert_eq!((&allowed["name"], &allowed["digest"]), (&json!("builder"), &json!(digest)));
    assert_eq!(listed(&host, "builder").await, (Some(digest.to_string()), None));
    let gone = host.request(Method::DELETE, "/api/v1/plugins/builder.wasm?force=true");
    assert_eq!(text(gone).await.0, 204);

    let audit = json(host.get("/api/v1/audit?limit=3")).await.1;
    let told: Vec<_> = audit["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| json!([entry["who"], entry["what"], entry["subject"], entry["detail"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["ada", "removed", "builder.wasm", null]),
            json!(["ada", "allowed", "builder.wasm", digest]),
            json!(["ada", "uploaded", "builder.wasm", digest]),
        ]
    );
    host.token = Some(sue);
    let (status, problem) = upload(&host, "file=mine.wasm", &greedy).await;
    let detail = "this needs the role administrator; sue is a submitter";
    assert_eq!((status.as_u16(), &problem["detail"]), (403, &json!(detail)));
}

#[tokio::test]
async fn nothing_is_changed_where_the_operator_has_not_said_so() {
    let (setup, dir) = shelf(Setup::new());
    let host = setup.set("api.change_plugins", false).start().await;
    let before = content(&dir);
    let digest = json!({ "digest": Digest::of(&builder()) });
    for request in [
        host.post("/api/v1/plugins?file=mine.wasm").body(builder()),
        host.post("/api/v1/plugins/builder.wasm/allow").json(&digest),
        host.request(Method::DELETE, "/api/v1/plugins/builder.wasm?force=true"),
    ] {
        let (status, problem) = json(request).await;
        let detail = "plugins are not changed through the API here; the operator allows it with api.change_plugins = true";
        assert_eq!((status.as_u16(), &problem["detail"]), (403, &json!(detail)));
    }
    assert_eq!(content(&dir), before);
}
