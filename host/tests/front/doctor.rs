//! What keeps a host from working is named, with what to do; and a host that works proves it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::RedisServer;
use crate::test_host::{Setup, json};

/// What `smoke` asks for by default.
const SLUG: &str = "\
```python
# slug.py
import re

def slugify(text):
    text = text.lower().replace(chr(39), '')
    return re.sub(r'[^a-z0-9]+', '-', text).strip('-')
```
";

/// The findings of one kind: level and text, with the remedy.
async fn found(setup: &Setup, name: &str, code: i32) -> Vec<(String, String)> {
    let said = setup.run(["doctor", "--json"]).await;
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    let all: Vec<Value> =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let mine = all.iter().filter(|finding| finding["name"] == name);
    mine.map(|it| (text(it, "level"), format!("{} → {}", text(it, "found"), text(it, "remedy")))).collect()
}

#[tokio::test]
async fn a_host_that_works_is_found_well_and_goes_green() {
    let model = FakeModel::start([Reply::says(SLUG)]).await;
    let setup = Setup::with_model(&model).set("api.git_urls", vec!["https://git.example/"]);
    let host = setup.start().await;
    let here = ["--server", &host.url];
    let said = setup.run(["healthcheck"].iter().chain(&here)).await;
    assert!(said.code == 0 && said.out.starts_with("✓ ready: "), "{}{}", said.out, said.err);
    let said = setup.run(["smoke"].iter().chain(&here)).await;
    assert!(said.code == 0 && said.out.contains(" is green after "), "{}{}", said.out, said.err);

    let setup = setup.env("AIAGENT_SERVER", &host.url);
    let said = setup.run(["doctor"]).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for line in [
        "✓ configuration  ",
        "✓ state          ",
        "✓ disk           ",
        "✓ git            git version ",
        "✓ store          schema ",
        "✓ plugins        adapter-anthropic, adapter-openai, builder, ",
        "✓ pipelines      default: all its plugins are loaded",
        "✓ models         default: its server answers (HTTP ",
        "✓ clock          ",
        "✓ access         127.0.0.1:0, this machine only",
        "✓ service        ready, ",
    ] {
        assert!(said.out.contains(line), "{}\n want: {line}", said.out);
    }
}

#[tokio::test]
async fn each_fault_is_named_with_what_to_do() {
    // Nobody listens on a port that was free a moment ago.
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let model = |setup: Setup| {
        setup
            .set("models.default.base_url", format!("http://{closed}/v1"))
            .set("models.default.allow", vec!["127.0.0.1".to_owned()])
    };
    let cases: Vec<(&str, Setup, &str, i32, &str, &str)> = vec![
        ("no model", Setup::new(), "models", 1, "error", "none is configured → AIAGENT_MODEL_URL"),
        ("a model that is away", model(Setup::new()), "models", 1, "error", "base_url right?"),
        (
            "a model without its key",
            model(Setup::new()).set("models.default.key_env", "NO_SUCH_KEY"),
            "models",
            1,
            "error",
            "NO_SUCH_KEY",
        ),
        (
            "a model that may not be reached",
            Setup::new().set("models.default.base_url", format!("http://{closed}/v1")),
            "models",
            1,
            "error",
            "to allow it: [models.default] allow = ",
        ),
        (
            "no such adapter",
            Setup::new().set("models.default.adapter", "x"),
            "models",
            1,
            "error",
            "no adapter plugin x",
        ),
        (
            "no such builder",
            Setup::new().set("pipelines.default.builder", "x"),
            "pipelines",
            1,
            "error",
            "default: there is no builder x → put x.wasm into a plugins folder",
        ),
        (
            "open to all without a token",
            Setup::new().set("listen", "0.0.0.0:0"),
            "access",
            1,
            "error",
            "without a token",
        ),
        (
            "nobody serves",
            Setup::new().env("AIAGENT_SERVER", &format!("http://{closed}")),
            "service",
            1,
            "warning",
            "can't reach",
        ),
        (
            "a store in memory",
            Setup::new().set("store", "memory"),
            "store",
            1,
            "warning",
            "nothing survives a restart",
        ),
    ];
    for (name, setup, what, code, level, text) in cases {
        let found = found(&setup, what, code).await;
        assert!(
            found.iter().any(|(is, said)| is == level && said.contains(text)),
            "{name}: {found:?}\n want: {text}"
        );
    }

    let setup = Setup::new();
    setup.file("state/tasks.db", "this is no store at all, but long enough to be looked at".repeat(20));
    let plugins = setup.file("open/x.wasm", "no wasm").parent().expect("a folder").to_owned();
    std::fs::set_permissions(&plugins, std::fs::Permissions::from_mode(0o777)).expect("ours");
    std::fs::set_permissions(setup.path("state"), std::fs::Permissions::from_mode(0o755)).expect("ours");
    let setup = setup.set("plugins_dir", vec![plugins.display().to_string()]);
    let mut wrong = Vec::new();
    for what in ["store", "rights", "plugins", "state"] {
        wrong.extend(found(&setup, what, 1).await);
    }
    for text in [
        "the SQLite file is damaged",
        "anyone can put a plugin into",
        "x.wasm: ",
        "none can be loaded",
        "is open to others",
    ] {
        assert!(wrong.iter().any(|(_, said)| said.contains(text)), "{wrong:?}\n want: {text}");
    }
    setup.file("wrong.toml", "lisen = 1");
    let said = setup.run(["doctor", "--config", "wrong.toml"]).await;
    assert_eq!(said.code, 1);
    assert!(said.out.contains("✗ configuration  wrong.toml:1: unknown key `lisen`"), "{}", said.out);
}

#[tokio::test]
async fn a_smoke_test_that_fails_says_so() {
    let setup = Setup::new();
    let host = setup.start().await;
    let url = host.url.clone();
    let here = ["--server", &url];
    let said = setup.run(["smoke"].iter().chain(&here)).await;
    assert!(said.code == 1 && said.out.contains("and not green: "), "{}{}", said.out, said.err);
    let said = setup.run(["smoke", "--sample", "x"].iter().chain(&here)).await;
    assert!(said.code == 2 && said.err.contains("no sample \"x\"; there are: bank, "), "{}", said.err);
    host.kill().await;
    for command in ["smoke", "healthcheck"] {
        let said = setup.run([command].iter().chain(&here)).await;
        assert!(said.code == 1 && said.err.contains("is the server running?"), "{}", said.err);
    }
    let dashboard = setup.set("role", "dashboard").start().await;
    let said = Setup::new().run(["smoke", "--timeout", "1", "--server", &dashboard.url]).await;
    assert!(
        said.code == 1 && said.out.contains("cancelled. Is a worker running?"),
        "{}{}",
        said.out,
        said.err
    );
}

#[tokio::test]
async fn what_should_not_be_left_in_production_is_named() {
    let desk = Setup::new().set("budget.tokens", 0).set("store", "memory").set("replay", "nowhere.jsonl");
    let desk = desk.set("api.git_urls", vec!["http://git.example/", "https://git.example/"]);
    let said = desk.run(["production-check", "--url", "http://h", "--backups", "."]).await;
    assert_eq!(said.code, 1, "{}", said.err);
    for line in [
        "✗ token          none",
        "✗ tls            http://h is plain",
        "✗ models         answers come from a recording",
        "! repositories   http://git.example/ is plain http",
        "✗ budget         a task may spend without end",
        "! keeping        ended tasks stay for ever",
        "✗ store          in memory",
        "! alerts         no metrics are served",
        "✗ backups        no .tar.gz in .",
    ] {
        assert!(said.out.contains(line), "{}\n want: {line}", said.out);
    }

    let well = Setup::new().set("token", "0123456789abcdef0123456789abcdef").set("keep_days", 30);
    let well = well.set("sqlite.fsync", "everysec");
    let host = well.start().await;
    host.logged("a power cut may lose the last second or two").await;
    std::fs::create_dir(well.path("backups")).expect("ours");
    let said = well.run(["backup", "backups/b.tar.gz"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let said = well.run(["production-check", "--backups", "backups"]).await;
    assert_eq!(said.code, 0, "{}", said.out);
    for line in [
        "✓ store          a file on this machine; a power cut loses the last second or two",
        "✓ backups        backups/b.tar.gz is whole, and 0 hours old",
    ] {
        assert!(said.out.contains(line), "{}\n want: {line}", said.out);
    }
    well.file("backups/c.tar.gz", "cut");
    let said = well.run(["production-check", "--backups", "backups"]).await;
    assert!(
        said.code == 1 && said.out.contains("✗ backups        backups/c.tar.gz is no backup"),
        "{}",
        said.out
    );
    drop(host);

    let server = RedisServer::start("appendonly no");
    let shared = Setup::new().set("store", server.url()).set("metrics_listen", "127.0.0.1:0");
    let host = shared.start().await;
    while json(host.get("/api/v1/workers")).await.1["workers"].as_array().is_none_or(Vec::is_empty) {}
    let said = shared.run(["production-check"]).await;
    for line in ["or its crash loses everything", "! workers        one: tasks wait", "✓ alerts"] {
        assert!(said.out.contains(line), "{}{}\n want: {line}", said.out, said.err);
    }
}
