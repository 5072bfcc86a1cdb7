//! A host in one file and back: what comes back is what was there, and what is no whole backup is refused.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::{RedisCluster, RedisServer};
use crate::sample;
use crate::test_host::{Said, Setup, TestHost, json as answer, text};

const FILE: &str = "aiagent.tar.gz";

/// Name and content.
type Entry = (String, Vec<u8>);

/// A setup, and what its host knew of one green task when it was backed up, while it served.
async fn backed_up() -> (Setup, TestHost, String, Vec<String>) {
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model).set("token", "s3cret");
    let host = setup.start().await;
    let id = host.submit(&sample::body()).await;
    host.ended(&id).await;
    let known = known(&host, &id).await;
    let said = setup.run(["backup", FILE]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    (setup, host, id, known)
}

/// All that the API tells of a task.
async fn known(host: &TestHost, id: &str) -> Vec<String> {
    let mut all = Vec::new();
    for part in ["", "/events", "/diff", "/diff?round=1", "/journal"] {
        let (status, said) = text(host.get(&format!("/api/v1/tasks/{id}{part}"))).await;
        assert!(status.is_success(), "{said}");
        all.push(said);
    }
    all
}

async fn restore(setup: &Setup, file: &Path, more: &[&str]) -> Said {
    let file = file.display().to_string();
    setup.run(["restore", &file, "--json"].iter().chain(more)).await
}

fn parsed(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out))
}

#[tokio::test]
async fn a_new_machine_knows_what_the_old_one_knew() {
    let (old, host, id, before) = backed_up().await;
    let file = old.path(FILE);
    // The first host is still there, and goes on.
    assert_eq!(known(&host, &id).await, before);

    let new = Setup::new();
    let refused = restore(&new, &file, &[]).await;
    let config = new.path("aiagent.toml");
    let why = format!("because this is here already: {}; --replace moves it aside", config.display());
    assert!(refused.code == 1 && refused.err.contains(&why), "{}", refused.err);
    assert!(!new.path("state/tasks.db").exists());

    let restored = parsed(&restore(&new, &file, &["--only", "state"]).await);
    let again = parsed(&new.run(["backup", "again.tar.gz", "--json"]).await);
    assert_eq!(restored["store"], restored["about"]["store"]);
    assert_eq!(again["about"]["store"], restored["store"]);
    assert_eq!(restored["store"]["tasks"]["rows"], 1);
    let moved = new.start().await;
    assert_eq!(known(&moved, &id).await, before);
}

#[tokio::test]
async fn the_configuration_comes_back_without_its_secrets_unless_asked() {
    let (old, _host, ..) = backed_up().await;
    let plain = std::fs::read_to_string(old.path("aiagent.toml")).expect("there");
    old.file("env", "AIAGENT_TOKEN=s3cret\n");
    for (flags, token, with_env) in
        [(vec![], "token = \"\"", false), (vec!["--with-keys"], "token = \"s3cret\"", true)]
    {
        let said = old.run(["backup", "c.tar.gz"].iter().chain(&flags)).await;
        assert_eq!(said.code, 0, "{}", said.err);
        let new = Setup::new();
        let there = std::fs::read_to_string(new.file("aiagent.toml", "keep_days = 3\n")).expect("there");
        let restored =
            parsed(&restore(&new, &old.path("c.tar.gz"), &["--only", "configuration", "--replace"]).await);
        let config = std::fs::read_to_string(new.path("aiagent.toml")).expect("there");
        assert_eq!(config, plain.replace("token = \"s3cret\"", token));
        assert_eq!(new.path("env").exists(), with_env);
        let aside = restored["aside"][0].as_str().expect("a path");
        assert_ne!(std::fs::read_to_string(aside).expect("there"), there, "the test's own file was in use");
        let everything = std::fs::read(old.path("c.tar.gz")).expect("there");
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&everything[..]).read_to_end(&mut unpacked).expect("unpacks");
        let held = unpacked.windows(6).any(|bytes| bytes == b"s3cret");
        assert_eq!(held, with_env, "{flags:?}");
    }
}

#[tokio::test]
async fn what_is_there_is_not_written_over() {
    let (setup, host, id, before) = backed_up().await;
    let file = setup.path(FILE);
    let refused = restore(&setup, &file, &["--replace"]).await;
    let why = format!("a host is running on {}; stop it first", setup.path("state").display());
    assert!(refused.code == 1 && refused.err.contains(&why), "{}", refused.err);
    let later = host.submit(&sample::body()).await;
    host.kill().await;

    let store = setup.path("state/tasks.db");
    let refused = restore(&setup, &file, &["--only", "state"]).await;
    let why = format!("because this is here already: {}", store.display());
    assert!(refused.code == 1 && refused.err.contains(&why), "{}", refused.err);
    let restored = parsed(&restore(&setup, &file, &["--only", "state", "--replace"]).await);
    let aside = restored["aside"].as_array().expect("a list");
    assert!(aside.iter().any(|path| path.as_str().is_some_and(|path| path.contains("tasks.db.replaced-"))));

    let host = setup.start().await;
    assert_eq!(known(&host, &id).await, before);
    let (status, _) = answer(host.get(&format!("/api/v1/tasks/{later}"))).await;
    assert_eq!(status, 404, "it came after the backup");
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_with_the_reason() {
    let (old, ..) = backed_up().await;
    let whole = std::fs::read(old.path(FILE)).expect("there");
    let entries = unpacked(&whole);
    let changed = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = entries.clone();
        change(&mut entries);
        packed(&entries)
    };
    let about = |change: &dyn Fn(&mut Value)| {
        changed(&|entries| {
            let mut about: Value = serde_json::from_slice(&entries[0].1).expect("JSON");
            change(&mut about);
            entries[0].1 = serde_json::to_vec(&about).expect("JSON");
        })
    };
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x20;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "no backup of aiagent-host"),
        ("text", b"hello".to_vec(), "no backup of aiagent-host: it is no .tar.gz"),
        (
            "another archive",
            packed(&[("a.txt".to_owned(), b"a".to_vec())]),
            "it does not begin with about.json",
        ),
        ("another program's", about(&|about| about["kind"] = json!("other")), "it calls itself \"other\""),
        ("a newer format", about(&|about| about["format"] = json!(9)), "which is newer (backup format 9"),
        ("a newer store", about(&|about| about["schema"] = json!(99)), "about.json is not as it was"),
        ("half", whole[..whole.len() / 2].to_vec(), "is damaged: "),
        ("a flipped bit", flipped, "is damaged: "),
        ("another store", changed(&|entries| entries[1].1[5000] ^= 1), "state/tasks.db is not as it was"),
        ("a lost file", changed(&|entries| drop(entries.remove(2))), " is missing"),
        ("no end", changed(&|entries| drop(entries.pop())), "it has no end"),
        (
            "one more",
            changed(&|entries| entries.insert(2, ("state/x".to_owned(), b"x".to_vec()))),
            "state/x was added to it",
        ),
        (
            "a way out",
            changed(&|entries| entries.insert(2, ("state/../../x".to_owned(), b"x".to_vec()))),
            "which no backup does",
        ),
    ];
    let new = Setup::new();
    let state = new.file("state/plugins/ledger.json", "{}");
    for (name, bytes, why) in cases {
        let file = new.file("bad.tar.gz", bytes);
        for more in [&["--only", "state", "--replace"][..], &["--check"]] {
            let said = restore(&new, &file, more).await;
            assert!(said.code == 1 && said.err.contains(why), "{name}: {}\n want: {why}", said.err);
        }
        assert_eq!(std::fs::read_to_string(&state).expect("there"), "{}", "{name}");
        assert_eq!(left(&new.path("state")), ["in-use.lock", "plugins"], "{name}");
    }
    let said = new.run(["restore", "nowhere.tar.gz"]).await;
    assert_eq!(said.err, "error: can't read nowhere.tar.gz: No such file or directory (os error 2)\n");
    let said = new.run(["backup", FILE]).await;
    let why = format!(
        "there is no store at {}: is this the host's --state-dir?",
        new.path("state/tasks.db").display()
    );
    assert!(said.code == 1 && said.err.contains(&why), "{}", said.err);
}

fn left(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn unpacked(bytes: &[u8]) -> Vec<Entry> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let entries = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("whole");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("whole");
        (entry.path().expect("a path").display().to_string(), content)
    });
    entries.collect()
}

fn packed(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        // Not by the library's own way, which refuses what leads out of the folder.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("memory takes all");
    gzip.finish().expect("memory takes all")
}

#[tokio::test]
async fn a_backup_belongs_elsewhere_than_into_the_state() {
    let (setup, ..) = backed_up().await;
    let inside: PathBuf = setup.path("state/b.tar.gz");
    let said = setup.run(["backup", &inside.display().to_string()]).await;
    assert!(said.code == 1 && said.err.contains("lies in the state folder"), "{}", said.err);
    let said = setup.run(["backup", "b.tar.gz", "--store", "memory"]).await;
    assert!(said.code == 2 && said.err.contains("a store in memory has nothing to keep"), "{}", said.err);
}

#[tokio::test]
async fn what_a_redis_holds_comes_back_in_another() {
    let (server, cluster) = (RedisServer::start("appendonly yes"), RedisCluster::start());
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let old = Setup::with_model(&model).set("store", server.url()).set("redis.prefix", "a*");
    let host = old.start().await;
    let id = host.submit(&sample::body()).await;
    host.ended(&id).await;
    let said = old.run(["queue", "pause", "--server", &host.url]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let waiting = host.submit(&sample::body()).await;
    let before = known(&host, &id).await;
    let packed = parsed(&old.run(["backup", FILE, "--json"]).await);
    let held = &packed["about"]["store"];
    assert_eq!((&held["tasks"]["rows"], &held["paused"]["rows"]), (&json!(2), &json!(1)), "{held:#}");
    let file = old.path(FILE);

    let only = ["--only", "state"];
    for (store, why) in [
        (server.url(), "is at work on redis://"),
        ("memory".to_owned(), "a store in memory has nothing to keep"),
        (format!("sqlite:{}", old.path("other.db").display()), "keeps its tasks in a Redis"),
    ] {
        let said = restore(&Setup::new().set("store", store).set("redis.prefix", "a*"), &file, &only).await;
        assert!(said.code != 0 && said.err.contains(why), "{}\n want: {why}", said.err);
    }
    host.kill().await;

    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let new = Setup::with_model(&model).set("store", cluster.url());
    let restored = parsed(&restore(&new, &file, &only).await);
    assert_eq!(&restored["store"], held);
    let again = parsed(&new.run(["backup", "again.tar.gz", "--json"]).await);
    assert_eq!(&again["about"]["store"], held);
    let said = restore(&new, &file, &only).await;
    assert!(said.code == 1 && said.err.contains("holds tasks already"), "{}", said.err);

    let moved = new.start().await;
    assert_eq!(known(&moved, &id).await, before);
    assert_eq!(moved.task(&waiting).await["state"], "queued");
    let said = new.run(["queue", "resume", "--server", &moved.url]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let task = moved.ended(&waiting).await;
    assert_eq!(task["outcome"]["reason"]["kind"], "green", "{task:#}");
    let said = new.run(["queue", "fsck"]).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}
