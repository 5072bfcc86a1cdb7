//! Plugins that are replaced while tasks run on them.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use aiagent_host::task::Digest;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::guest::{guest, variant};
use crate::patience;
use crate::sample;
use crate::test_host::{Setup, TestHost, json, plugins};

/// What a version of the folder brings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// A builder and an adapter that belong together.
    Good(u8),
    Broken,
    /// A builder that asks for what the one before it did not.
    Greedy,
    Traps,
}

#[tokio::test]
async fn tasks_lose_nothing_by_swaps() {
    use Version::{Broken, Good, Greedy, Traps};
    swaps(48, &[Good(1), Broken, Good(2), Traps, Greedy, Good(3)]).await;
}

/// As long as it takes: `cargo test --test front -- --ignored twenty_swaps --nocapture`.
#[tokio::test]
#[ignore = "compiles 36 plugins"]
async fn a_thousand_tasks_and_twenty_swaps() {
    use Version::{Broken, Good, Greedy, Traps};
    let bad = [(5, Broken), (10, Greedy), (15, Traps)];
    let version = |number| bad.iter().find(|(at, _)| *at == number).map_or(Good(number), |(_, bad)| *bad);
    swaps(1_000, &(1..=20).map(version).collect::<Vec<_>>()).await;
}

/// A folder of plugins that is swapped as a whole, by a link, as Kubernetes does it.
struct Shelf {
    dir: PathBuf,
    builder: Vec<u8>,
    adapter: Vec<u8>,
}

impl Shelf {
    fn new(setup: &Setup) -> Self {
        let read = |name: &str| std::fs::read(plugins().join(name)).expect("it is built");
        let dir = setup.path("shelf");
        let shelf = Self { dir, builder: read("builder.wasm"), adapter: read("adapter-openai.wasm") };
        std::fs::create_dir(&shelf.dir).expect("it can be made");
        for name in ["builder.wasm", "adapter-openai.wasm"] {
            symlink(format!("..data/{name}"), shelf.dir.join(name)).expect("it is linked");
        }
        for name in ["check-python.wasm", "fixer.wasm"] {
            symlink(plugins().join(name), shelf.dir.join(name)).expect("it is linked");
        }
        shelf
    }

    fn builder(&self, version: Version) -> Vec<u8> {
        match version {
            Version::Good(number) => variant(&self.builder, number),
            Version::Broken => self.builder[..self.builder.len() / 2].to_vec(),
            Version::Greedy => guest("builder", "check_often"),
            Version::Traps => guest("builder", "unreachable"),
        }
    }

    fn adapter(&self, number: u8) -> Vec<u8> {
        variant(&self.adapter, number)
    }

    /// With the adapter that belongs to the last good builder.
    fn put(&self, step: usize, version: Version, good: u8) {
        let name = format!("..{step}");
        let dir = self.dir.join(&name);
        std::fs::create_dir(&dir).expect("it can be made");
        std::fs::write(dir.join("builder.wasm"), self.builder(version)).expect("it is written");
        std::fs::write(dir.join("adapter-openai.wasm"), self.adapter(good)).expect("it is written");
        symlink(name, self.dir.join("..data_tmp")).expect("it is linked");
        std::fs::rename(self.dir.join("..data_tmp"), self.dir.join("..data")).expect("it is renamed");
    }
}

async fn swaps(tasks: usize, versions: &[Version]) {
    let model = FakeModel::start((0..tasks + 64).map(|_| Reply::says(sample::RIGHT))).await;
    let setup = Setup::with_model(&model).set("watch.quiet_ms", 50).set("watch.poll_ms", 500);
    let shelf = Shelf::new(&setup);
    let setup = setup.set("plugins_dir", vec![shelf.dir.display().to_string()]);
    let mut good = 0;
    shelf.put(0, Version::Good(good), good);
    let host = setup.start().await;

    let batch = tasks / versions.len();
    let mut ids = Vec::new();
    for (step, version) in versions.iter().enumerate() {
        if let Version::Good(number) = version {
            good = *number;
        }
        let digest = Digest::of(&shelf.builder(*version));
        ids.extend(submit(&host, batch / 2).await);
        shelf.put(step + 1, *version, good);
        ids.extend(submit(&host, batch - batch / 2).await);
        match version {
            Version::Good(_) => until(&host, "the new builder", |all| serves(all, &digest)).await,
            Version::Broken => until(&host, "a refusal", |all| put_aside(all, "refused", &digest)).await,
            Version::Greedy => {
                until(&host, "a held-back builder", |all| put_aside(all, "held-back", &digest)).await
            }
            Version::Traps => {
                let taken = |all: &Value| serves(all, &digest) || put_aside(all, "withdrawn", &digest);
                until(&host, "the new builder", taken).await;
                ids.extend(submit(&host, 3).await);
                until(&host, "a withdrawal", |all| put_aside(all, "withdrawn", &digest)).await;
            }
        }
    }
    ids.extend(submit(&host, 3).await);

    // What a step may have run on: a builder with its own adapter, and one checker.
    let goods = std::iter::once(0).chain(versions.iter().filter_map(|version| match version {
        Version::Good(number) => Some(*number),
        _ => None,
    }));
    let pairs: BTreeSet<(String, String)> = goods
        .map(|number| {
            let digest = |bytes: Vec<u8>| Digest::of(&bytes).to_string();
            (digest(shelf.builder(Version::Good(number))), digest(shelf.adapter(number)))
        })
        .collect();
    let (mut seen, mut again, mut withdrawn) = (BTreeSet::new(), 0, 0);
    for id in &ids {
        let task = host.ended(id).await;
        assert_eq!(task["outcome"]["reason"]["kind"], "green", "{task:#}");
        assert_eq!(task["rounds"].as_array().map(Vec::len), Some(1), "{task:#}");
        let steps = task["rounds"][0]["steps"].as_array().expect("steps");
        assert_eq!(steps.len(), 2);
        for step in steps {
            let word = |value: &Value| value.as_str().expect("it is recorded").to_owned();
            assert_eq!(word(&step["contract"]), "aiagent:step@0.1.0");
            assert!(word(&step["policy"]).starts_with("sha256:") && step["generation"].is_number(), "{step}");
            if step["plugin"] == "builder" {
                let pair = (word(&step["digest"]), word(&step["model"]["adapter_digest"]));
                assert!(pairs.contains(&pair), "a mixture: {step:#}");
                seen.insert(pair);
            }
        }
        for event in host.events(id, 0).await.all().await {
            again += usize::from(event.kind == "step-restarted");
            withdrawn += usize::from(event.kind == "plugin-withdrawn");
        }
    }
    let traps = versions.contains(&Version::Traps);
    assert_eq!(withdrawn, usize::from(traps), "one task tells of the withdrawal");
    assert!(again >= 3 * withdrawn, "each trap's step was done again: {again}");
    eprintln!(
        "{} tasks over {} swaps: 0 failed, 0 steps on a mixture; {} of {} builders used, {again} steps done again",
        ids.len(),
        versions.len(),
        seen.len(),
        pairs.len()
    );
}

#[tokio::test]
async fn what_is_held_back_is_shown_and_can_be_allowed() {
    let setup = Setup::new().set("watch.quiet_ms", 50).set("watch.poll_ms", 500);
    let step = setup.file("shelf/step.wasm", guest("builder", "noop")).display().to_string();
    let shelf = setup.path("shelf").display().to_string();
    let setup = setup.set("plugins_dir", vec![shelf]);
    let host = setup.start().await;
    let greedy = guest("builder", "ask");
    setup.file("shelf/step.wasm", &greedy);
    host.logged("plugin held back: asks for more than the step before it: model").await;

    let status = setup.run(["plugins", "status", "--server", &host.url]).await;
    assert_eq!((status.code, status.err.as_str()), (0, ""));
    for part in [
        "generation 2\n",
        "held back ",
        "step.wasm: asks for more than the step before it: model\n",
        " serves on\n",
    ] {
        assert!(status.out.contains(part), "{part}: {}", status.out);
    }
    let inspected = setup.run(["plugins", "inspect", &step]).await;
    assert!(
        inspected.out.contains("lacks     asks for more than the step before it: model\n"),
        "{}",
        inspected.out
    );

    let allowed = setup.run(["plugins", "allow", &step]).await;
    let digest = Digest::of(&greedy);
    assert_eq!((allowed.code, allowed.out), (0, format!("✓ step {digest} may use: model\n")));
    until(&host, "the allowed builder", |all| serves(all, &digest)).await;
    let told = json(host.get("/api/v1/audit")).await.1["entries"][0].clone();
    assert_eq!((&told["what"], &told["subject"]), (&json!("allowed"), &json!("step.wasm")));
    let (_, all) = json(host.get("/api/v1/plugins")).await;
    assert_eq!(all["refused"].as_array().map(Vec::len), Some(0), "{all:#}");
    let history: Vec<_> =
        all["history"].as_array().expect("a list").iter().map(|change| &change["what"]).collect();
    assert_eq!(history, ["added", "held-back", "replaced"]);
}

#[tokio::test]
async fn a_digest_that_is_none_is_a_configuration_error() {
    let setup = Setup::new().set("plugins.builder.digest", "sha256:12");
    let said = setup.run(["plugins", "list"]).await;
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: plugins.builder.digest: sha256:12 is no digest; "), "{}", said.err);
}

async fn submit(host: &TestHost, count: usize) -> Vec<String> {
    let body = sample::body();
    futures_util::future::join_all((0..count).map(|_| host.submit(&body))).await
}

fn serves(all: &Value, digest: &Digest) -> bool {
    all["loaded"]
        .as_array()
        .is_some_and(|loaded| loaded.iter().any(|plugin| plugin["digest"] == digest.as_str()))
}

fn put_aside(all: &Value, status: &str, digest: &Digest) -> bool {
    let is = |refused: &Value| refused["digest"] == digest.as_str() && refused["status"] == status;
    all["refused"].as_array().is_some_and(|refused| refused.iter().any(is))
}

/// Waits until the host's plugins are as wanted.
async fn until(host: &TestHost, what: &str, wanted: impl Fn(&Value) -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let seen = async {
        loop {
            looks.tick().await;
            let (status, all) = json(host.get("/api/v1/plugins")).await;
            assert_eq!(status, StatusCode::OK);
            if wanted(&all) {
                return;
            }
        }
    };
    patience(what, seen).await;
}
