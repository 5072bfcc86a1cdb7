//! The SQLite store as a process sees it: crashes, neighbours and backups.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aiagent_host::store::{Cancelled, Claim, ClaimRequest, JournalEntry, LEASE, NewTask, SqliteStore, Store};
use aiagent_host::task::{Digest, EventBody, Level, Outcome, Reason, State, Task, TaskId};
use bytes::Bytes;
use futures_util::future::join_all;

#[path = "support/plain.rs"]
mod plain;

/// Where the child of [`kill_nine_loses_nothing_that_was_acknowledged`] finds its store.
const UNDER_LOAD: &str = "AIAGENT_TEST_STORE_UNDER_LOAD";

const EMPTY_TREE: &[u8] = b"{\"files\":{}}";

fn new_task(tree: &Digest) -> NewTask {
    NewTask::new(TaskId::fresh(), plain::spec("a goal", tree.clone()))
}

fn request(worker: &str, nonce: u64, lease: Duration) -> ClaimRequest {
    ClaimRequest::new(worker, nonce, lease)
}

fn log(message: &str) -> EventBody {
    EventBody::Log { level: Level::Info, source: "test".to_owned(), message: message.to_owned() }
}

fn entry(index: u32) -> JournalEntry {
    let (kind, asked) = ("model".to_owned(), Digest::of(&index.to_le_bytes()));
    JournalEntry { index, kind, asked, request: "{}".to_owned(), answer: "paid for".to_owned() }
}

fn green(task: &Task) -> Task {
    let outcome = Outcome { reason: Reason::Green, tree: task.spec.tree.clone(), report: None };
    Task { outcome: Some(outcome), ..task.clone() }
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).expect("opens")
}

async fn submit(store: &SqliteStore) -> TaskId {
    let tree = store.put_blob(Bytes::from_static(EMPTY_TREE)).await.expect("stores");
    store.submit(new_task(&tree)).await.expect("submits").id
}

async fn claim(store: &SqliteStore, worker: &str, nonce: u64) -> Claim {
    store.claim(&request(worker, nonce, LEASE)).await.expect("claims").expect("a task waits")
}

async fn assert_sound(store: &SqliteStore) {
    assert_eq!(store.fsck().await.expect("checks"), Vec::<String>::new());
}

/// The files as they are now, as a power cut would leave them: nothing was closed.
fn image(path: &Path, into: &Path) -> PathBuf {
    let copy = into.join("image.db");
    for suffix in ["", "-wal"] {
        let (from, to) = (format!("{}{suffix}", path.display()), format!("{}{suffix}", copy.display()));
        std::fs::copy(from, to).expect("copies");
    }
    copy
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_before_they_are_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let store = open(&path);
    let (first, second) = (submit(&store).await, submit(&store).await);
    let claim = claim(&store, "w", 1).await;
    store.append(&claim.lease, 0, entry(0)).await.expect("appends");
    let task = Task { step: 1, ..claim.task.clone() };
    store.commit(&claim.lease, &task, vec![log("a")]).await.expect("commits");
    assert_eq!(store.cancel(&second).await.expect("cancels"), Cancelled::Ended);

    let crashed = open(&image(&path, folder.path()));
    for id in [&first, &second] {
        assert_eq!(crashed.get(id).await.expect("reads"), store.get(id).await.expect("reads"));
        let events = crashed.events(id, 0, 100).await.expect("reads");
        assert_eq!(events, store.events(id, 0, 100).await.expect("reads"));
    }
    assert_eq!(crashed.journal(&first, 0).await.expect("reads"), [entry(0)]);
    assert_sound(&crashed).await;
    // The lease is part of what survives: the worker may go on with it, and claim it again.
    crashed.heartbeat(&claim.lease).await.expect("still held");
    assert_eq!(self::claim(&crashed, "w", 1).await.lease, claim.lease);
}

#[tokio::test]
async fn a_closed_store_opens_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let store = open(&path);
    let id = submit(&store).await;
    drop(store);
    assert!(!folder.path().join("store.db-wal").exists(), "the last one to close tidies up");
    let store = open(&path);
    assert_eq!(store.get(&id).await.expect("reads").expect("is there").state, State::Queued);
    assert_sound(&store).await;
}

/// Not a test of its own: works until it is killed, and says what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of kill_nine_loses_nothing_that_was_acknowledged"]
async fn load_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "how this test tells its child process what to do")]
    let Some(path) = std::env::var_os(UNDER_LOAD) else { return };
    let store = open(Path::new(&path));
    let say = |line: String| writeln!(std::io::stdout().lock(), "\nack {line}").expect("the parent reads");
    join_all((0..8).map(|worker| {
        let store = store.clone();
        tokio::spawn(async move {
            for nonce in 0.. {
                say(format!("submitted {}", submit(&store).await));
                // So short that the parent may reap at once what was going on.
                let request = request(&format!("w{worker}"), nonce, Duration::from_millis(1));
                let Some(claim) = store.claim(&request).await.expect("claims") else { continue };
                let (lease, id) = (&claim.lease, &claim.lease.task);
                for index in 0..3 {
                    store.append(lease, 0, entry(index)).await.expect("appends");
                    say(format!("journal {id} {}", index + 1));
                    let last = store.emit(lease, vec![log("line"), log("line")]).await.expect("emits");
                    say(format!("events {id} {last}"));
                }
                let task = Task { step: 1, ..claim.task.clone() };
                store.commit(lease, &task, vec![log("step")]).await.expect("commits");
                say(format!("step {id} 1"));
                store.finish(lease, &green(&task), Vec::new()).await.expect("finishes");
                say(format!("finished {id} 1"));
            }
        })
    }))
    .await;
}

#[tokio::test]
async fn kill_nine_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    // Three deaths of the same store, each in the middle of things.
    for death in 1..=3 {
        let acknowledged = kill_after(&path, 400 * death);
        let store = open(&path);
        assert_sound(&store).await;
        let mut interrupted = 0;
        for (id, kept) in &acknowledged {
            let task = store.get(id).await.expect("reads").expect("was submitted");
            let events = store.events(id, 0, usize::MAX).await.expect("reads");
            let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
            assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<u64>>());
            assert!(events.len() as u64 >= kept.events, "events of {id}");
            let journal = store.journal(id, 0).await.expect("reads");
            assert_eq!(journal, (0..journal.len() as u32).map(entry).collect::<Vec<_>>());
            assert!(journal.len() as u64 >= kept.journal, "journal of {id}");
            assert!(u64::from(task.step) >= kept.step, "step of {id}");
            assert!(kept.finished == 0 || task.state == State::Ended, "end of {id}");
            interrupted += u64::from(task.state == State::Running);
        }
        // Whatever was going on is taken up again, with its journal.
        let reaped = store.reap().await.expect("reaps");
        assert!(reaped.len() as u64 >= interrupted);
        let stats = store.stats().await.expect("counts");
        assert_eq!(stats.running, 0);
        assert!(stats.queued + stats.ended >= acknowledged.len() as u64);
    }
}

/// What a task was told to be safe.
#[derive(Default)]
struct Kept {
    events: u64,
    journal: u64,
    step: u64,
    finished: u64,
}

fn kill_after(path: &Path, lines: usize) -> BTreeMap<TaskId, Kept> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "load_until_killed", "--ignored", "--nocapture"])
        .env(UNDER_LOAD, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut said = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let mut acknowledged: BTreeMap<TaskId, Kept> = BTreeMap::new();
    let mut seen = 0;
    // To the end of the pipe: what it said before it died counts.
    for line in &mut said {
        let line = line.expect("reads");
        let words: Vec<&str> = line.split(' ').collect();
        let (what, id, number) = match words[..] {
            ["ack", what, id] => (what, id, 0),
            ["ack", what, id, number] => (what, id, number.parse().expect("a number")),
            _ => continue,
        };
        let kept = acknowledged.entry(TaskId::parse(id).expect("an id")).or_default();
        match what {
            "events" => kept.events = number,
            "journal" => kept.journal = number,
            "step" => kept.step = number,
            "finished" => kept.finished = number,
            _ => {}
        }
        seen += 1;
        if seen == lines {
            // SIGKILL, on Unix.
            child.kill().expect("dies");
        }
    }
    let status = child.wait().expect("ends");
    assert!(seen >= lines && !status.success(), "it ended by itself: {status}, after {seen} lines");
    acknowledged
}

#[tokio::test]
async fn another_process_wakes_a_watch() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let (dashboard, worker) = (open(&path), open(&path));
    let mut watch = worker.watch();
    let before = Instant::now();
    let id = submit(&dashboard).await;
    // Each wake may be spurious, so it looks each time.
    while worker.get(&id).await.expect("reads").is_none() {
        watch.changed(Duration::from_secs(60)).await;
    }
    let mut watch = dashboard.watch();
    claim(&worker, "w", 1).await;
    loop {
        let task = dashboard.get(&id).await.expect("reads").expect("is there");
        if task.state == State::Running {
            break;
        }
        watch.changed(Duration::from_secs(60)).await;
    }
    // And the wake as such comes, not only the look.
    let mut watch = worker.watch();
    dashboard.cancel(&id).await.expect("cancels");
    watch.changed(Duration::from_secs(60)).await;
    assert!(before.elapsed() < Duration::from_secs(30), "woke too late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_work() {
    const TASKS: usize = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let stores = [open(&path), open(&path)];
    join_all((0..TASKS).map(|n| submit(&stores[n % 2]))).await;
    let work = |store: SqliteStore, worker: String| async move {
        let mut done = Vec::new();
        for nonce in 0.. {
            let request = request(&worker, nonce, LEASE);
            let Some(claim) = store.claim(&request).await.expect("claims") else { break };
            store.finish(&claim.lease, &green(&claim.task), Vec::new()).await.expect("still mine");
            done.push(claim.lease.task);
        }
        done
    };
    let workers = (0..8).map(|n| tokio::spawn(work(stores[n % 2].clone(), format!("w{n}"))));
    let mut done: Vec<TaskId> =
        join_all(workers).await.into_iter().flat_map(|mine| mine.expect("no panic")).collect();
    assert_eq!(done.len(), TASKS);
    done.sort();
    done.dedup();
    assert_eq!(done.len(), TASKS, "a task was done twice");
    assert_eq!(stores[0].stats().await.expect("counts").ended, TASKS as u64);
    assert_sound(&stores[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_whole_while_work_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, target) = (folder.path().join("store.db"), folder.path().join("backup.db"));
    let store = open(&path);
    let before = submit(&store).await;
    let busy = {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..200 {
                submit(&store).await;
            }
        })
    };
    // The second one replaces the first.
    for _ in 0..2 {
        store.backup_to(&target).await.expect("backs up");
    }
    busy.await.expect("no panic");
    let last = submit(&store).await;
    let copy = open(&target);
    assert_sound(&copy).await;
    assert_eq!(copy.get(&before).await.expect("reads"), store.get(&before).await.expect("reads"));
    assert_eq!(copy.get(&last).await.expect("reads"), None);
    let left = std::fs::read_dir(folder.path()).expect("lists").filter_map(Result::ok);
    let strays = left.filter(|file| file.file_name().to_string_lossy().starts_with(".tmp")).count();
    assert_eq!(strays, 0);
    let nowhere = store.backup_to(&folder.path().join("missing/backup.db")).await;
    assert!(nowhere.is_err_and(|error| error.to_string().contains("can't back up to")));
}
