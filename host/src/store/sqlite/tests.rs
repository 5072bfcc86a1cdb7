//! What only this back end can get wrong: its file, its groups, its neighbours.

use std::path::Path;

use bytes::Bytes;
use futures_util::future::join_all;
use rusqlite::{Connection, ErrorCode};
use sha2::{Digest as _, Sha256};

use super::writer::{Done, Tx};
use super::{Fsync, SqliteStore, Store, StoreError};
use crate::store::conformance::spec;
use crate::store::{ClaimRequest, Clock, Filter, LEASE, NewTask};
use crate::task::{Digest, TaskId};

struct Scratch {
    store: SqliteStore,
    folder: tempfile::TempDir,
}

fn scratch() -> Scratch {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("store.db")).expect("a new store");
    Scratch { store, folder }
}

fn refusal(path: &Path) -> String {
    match SqliteStore::open(path) {
        Err(StoreError::Corrupt(message)) => message,
        Err(other) => panic!("refused as {other:?}"),
        Ok(_) => panic!("was not refused"),
    }
}

/// Leaves a SQLite file after running some SQL on it.
fn file(folder: &Path, sql: &str) -> std::path::PathBuf {
    let path = folder.join("other.db");
    Connection::open(&path).expect("opens").execute_batch(sql).expect("runs");
    path
}

#[test]
fn a_newer_schema_is_refused() {
    let Scratch { store, folder } = scratch();
    drop(store);
    let path = folder.path().join("store.db");
    Connection::open(&path).expect("opens").execute_batch("PRAGMA user_version = 7").expect("runs");
    let message = refusal(&path);
    assert!(message.contains("has schema 7, written by a newer aiagent-host"), "{message}");
}

/// Its file had no deadlines in that column when it ended.
#[tokio::test]
async fn a_task_that_ended_under_an_older_schema_has_its_deadline_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let clock = Clock::manual(1_780_000_000_000);
    let store = SqliteStore::open_with(&path, Fsync::Always, clock.clone()).expect("a new store");
    let mut new = NewTask::new(TaskId::fresh(), spec("goal"));
    new.spec.budget.deadline = Some(1_780_000_010_000);
    let id = store.submit(new).await.expect("submits").id;
    store.cancel(&id).await.expect("cancels");
    Connection::open(&path).expect("opens").execute("UPDATE tasks SET deadline = NULL", []).expect("runs");
    store.requeue(&id, "asked").await.expect("requeues");
    clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(store.expire().await.expect("looks"), [id]);
}

#[tokio::test]
async fn tasks_of_an_older_schema_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = |number: u8, queue, state| {
        format!(
            "INSERT INTO tasks (id, state, pipeline, cancel, nonce, fence, term, lease_until, last_event, crashes, \
             submitted_at, queue) VALUES ('{number}', {state}, 'p', 0, 0, 0, 0, 0, 0, 0, 0, '{queue}');"
        )
    };
    let tasks =
        [task(1, "a", 0), task(2, "a", 1), task(3, "a", 2), task(4, "b", 0), task(5, "b", 2)].concat();
    let schema = super::file::MIGRATIONS[..5].concat();
    let sql = format!("{schema} {tasks} PRAGMA user_version = 5; PRAGMA application_id = {};", 0x4149_4147);
    let path = file(folder.path(), &sql);
    let store = SqliteStore::open(&path).expect("is brought up to date");
    let stats = store.stats().await.expect("counts");
    assert_eq!((stats.queued, stats.running, stats.ended), (2, 1, 2));
    let queues = store.queues().await.expect("counts");
    let queues: Vec<_> = queues.iter().map(|queue| (&queue.name[..], queue.waiting, queue.running)).collect();
    assert_eq!(queues, [("a", 1, 1), ("b", 1, 0)]);
}

#[test]
fn another_programs_file_is_refused_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "CREATE TABLE photos (name TEXT)");
    let before = std::fs::read(&path).expect("reads");
    let message = refusal(&path);
    assert!(message.contains("is a SQLite file of another program"), "{message}");
    assert_eq!(std::fs::read(&path).expect("reads"), before);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    std::fs::write(&path, "not a database, whatever its name says. ".repeat(100)).expect("writes");
    let message = refusal(&path);
    assert!(message.contains("restore a backup"), "{message}");
}

#[test]
fn a_folder_that_is_missing_may_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = SqliteStore::open(&folder.path().join("missing/store.db"));
    assert!(matches!(opened, Err(StoreError::Unavailable(_))));
}

#[test]
fn errors_say_whether_trying_again_helps() {
    let of =
        |code: i32| StoreError::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
    for code in [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_LOCKED, rusqlite::ffi::SQLITE_FULL] {
        assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}");
    }
    for code in
        [rusqlite::ffi::SQLITE_CORRUPT, rusqlite::ffi::SQLITE_NOTADB, rusqlite::ffi::SQLITE_CONSTRAINT]
    {
        assert!(matches!(of(code), StoreError::Corrupt(_)), "{code}");
    }
}

#[tokio::test]
async fn the_file_is_set_to_survive_a_power_cut() {
    let on = scratch();
    let read = |pragma: &'static str| {
        on.store.0.writer.write(move |tx: &Tx<'_>| {
            Done::quiet(
                tx.conn.pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))?,
            )
        })
    };
    assert_eq!(read("journal_mode").await.expect("reads"), "wal".to_owned().into());
    assert_eq!(read("synchronous").await.expect("reads"), 2.into());
    assert_eq!(read("auto_vacuum").await.expect("reads"), 2.into());
}

/// Bytes that do not shrink.
fn noise(length: u32) -> Vec<u8> {
    (0..length / 32).flat_map(|n| Sha256::digest(n.to_le_bytes())).collect()
}

#[tokio::test]
async fn a_full_disk_is_said_and_survived() {
    let on = scratch();
    let limit = |pages: i64| {
        on.store.0.writer.write(move |tx: &Tx<'_>| {
            Done::quiet(
                tx.conn.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))?,
            )
        })
    };
    let kept = on.store.put_blob(Bytes::from_static(b"before")).await.expect("stores");
    // At once the limit can't be below what is used already.
    limit(1).await.expect("limits");
    let big = Bytes::from(noise(1 << 20));
    let full = on.store.put_blob(big.clone()).await;
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    assert!(on.store.get_blob(&kept).await.expect("reads").is_some());
    limit(1 << 20).await.expect("limits");
    on.store.put_blob(big).await.expect("there is room again");
    assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
}

#[tokio::test]
async fn a_verb_that_fails_half_way_undoes_its_own_work_only() {
    let on = scratch();
    let half = |end: fn() -> StoreError| {
        on.store.0.writer.write(move |tx: &Tx<'_>| -> Result<Done<()>, StoreError> {
            super::blobs::put(tx, &Digest::of(b"half"), false, b"half")?;
            Err(end())
        })
    };
    let put = |bytes: &'static [u8]| {
        on.store.0.writer.write(move |tx: &Tx<'_>| super::blobs::put(tx, &Digest::of(bytes), false, bytes))
    };
    // Holds the writer until all of them wait, so that they are one group.
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let hold = on.store.0.writer.write(move |_: &Tx<'_>| {
        let _ = gate.recv();
        Done::quiet(())
    });
    let release = async move { drop(open) };
    let panics = half(|| panic!("as a bug would"));
    let refused = half(|| StoreError::Corrupt("seen late".to_owned()));
    let (_, first, bug, second, late, third, ()) =
        tokio::join!(hold, put(b"1"), panics, put(b"2"), refused, put(b"3"), release);
    assert!(matches!(bug, Err(StoreError::Unavailable(message)) if message.contains("panic")));
    assert!(matches!(late, Err(StoreError::Corrupt(message)) if message == "seen late"));
    for (bytes, put) in [(b"1", first), (b"2", second), (b"3", third)] {
        put.expect("stores");
        assert!(on.store.get_blob(&Digest::of(bytes)).await.expect("reads").is_some());
    }
    assert_eq!(on.store.get_blob(&Digest::of(b"half")).await.expect("reads"), None);
}

#[tokio::test]
async fn callers_that_wait_together_share_commits() {
    let on = scratch();
    let commits = || async {
        // Frames only ever grow here: the file is far from a checkpoint.
        std::fs::metadata(on.folder.path().join("store.db-wal")).expect("is there").len()
    };
    let before = commits().await;
    on.store.put_blob(Bytes::from_static(b"one")).await.expect("stores");
    let one = commits().await - before;
    let before = commits().await;
    let many = (0..100u8).map(|n| on.store.put_blob(Bytes::from(vec![n])));
    assert!(join_all(many).await.iter().all(Result::is_ok));
    let hundred = commits().await - before;
    assert!(hundred < 50 * one, "one: {one} bytes, a hundred at once: {hundred}");
}

#[tokio::test]
async fn fsck_finds_what_does_not_fit() {
    let damages = [
        ("UPDATE tasks SET position = NULL", "has no queue entry"),
        ("UPDATE tasks SET state = 1, position = NULL", "has no worker"),
        ("UPDATE tasks SET last_event = 3", "the events have a gap"),
        ("DELETE FROM events", "the events have a gap"),
        ("INSERT INTO journal VALUES (1, 0, 1, '{}')", "the journal has a gap"),
        ("DELETE FROM progress", "has no spec or no progress"),
        ("DELETE FROM tasks", "belongs to no task"),
        ("UPDATE counts SET tasks = 7", "says 7 tasks; there are 1"),
        ("UPDATE counts SET queue = 'other'", "says 1 tasks; there are 0"),
        ("DELETE FROM counts", "says 0 tasks; there are 1"),
        ("UPDATE specs SET spec = '{'", "can't be read"),
        ("UPDATE tasks SET state = 2, position = NULL", "has not ended, or the other way round"),
        ("INSERT INTO blobs VALUES ('sha256:00', 0, x'01', 0)", "holds other bytes than its name says"),
        ("INSERT INTO blobs VALUES ('sha256:00', 0, x'01', 1)", "can't be unpacked"),
        ("DELETE FROM blobs", "is missing"),
    ];
    for (damage, finding) in damages {
        let on = scratch();
        let spec = crate::store::conformance::spec("goal");
        let mut new = crate::store::NewTask::new(crate::task::TaskId::fresh(), spec);
        new.spec.tree = on.store.put_blob(Bytes::from_static(b"{\"files\":{}}")).await.expect("stores");
        on.store.submit(new).await.expect("submits");
        assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
        let raw = Connection::open(on.folder.path().join("store.db")).expect("opens");
        raw.execute_batch(damage).expect("damages");
        let found = on.store.fsck().await.expect("checks");
        assert!(found.iter().any(|line| line.contains(finding)), "{damage}: {found:?}");
    }
}

/// As after an odd crash, or a downgrade: one bad record costs one task.
#[tokio::test]
async fn a_record_that_cannot_be_read_stands_in_nobodys_way() {
    for damage in [
        "UPDATE specs SET spec = '{' WHERE num = 1",
        "UPDATE progress SET progress = '{\"rounds\":7}' WHERE num = 1",
        "UPDATE specs SET spec = '[' WHERE num = 1; UPDATE events SET body = '?' WHERE num = 1",
    ] {
        for running in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("store.db");
            let clock = Clock::manual(1_780_000_000_000);
            let store = SqliteStore::open_with(&path, Fsync::Always, clock.clone()).expect("a new store");
            let mut ids = Vec::new();
            for goal in ["bad", "good"] {
                let id = TaskId::fresh();
                ids.push(id.clone());
                let new = NewTask::new(id, crate::store::conformance::spec(goal));
                store.submit(new).await.expect("submits");
            }
            let request = |nonce| ClaimRequest::new("w", nonce, LEASE);
            if running {
                for (nonce, id) in (1..).zip(&ids) {
                    let claim = store.claim(&request(nonce)).await.expect("claims").expect("a task");
                    assert_eq!(claim.lease.task, *id);
                }
                clock.advance(LEASE * 2);
            }
            Connection::open(&path).expect("opens").execute_batch(damage).expect("damages");
            if running {
                store.reap().await.expect("one bad record does not keep the others from their rescue");
            }
            let claim = store.claim(&request(9)).await.expect("claims").expect("the good one is there");
            assert_eq!(claim.lease.task, ids[1], "{damage}");
            assert!(store.claim(&request(10)).await.expect("claims").is_none());
            let listed = store.list(&Filter::default()).await.expect("lists").tasks;
            assert_eq!(listed.iter().map(|task| &task.id).collect::<Vec<_>>(), [&ids[1]]);
            assert!(matches!(store.get(&ids[0]).await, Err(StoreError::Corrupt(_))));
            let found = store.fsck().await.expect("checks");
            assert!(found.iter().any(|line| line.contains("can't be read")), "{found:?}");
            let stats = store.stats().await.expect("counts");
            assert_eq!((stats.queued, stats.running, stats.ended), (0, 1, 1));
        }
    }
}

#[tokio::test]
async fn a_page_with_a_record_that_cannot_be_read_leads_to_the_next() {
    for damage in ["UPDATE specs SET spec = '['", "DELETE FROM specs", "DELETE FROM progress"] {
        for bad in 0..5 {
            let on = scratch();
            let mut ids: Vec<TaskId> = (0..5).map(|_| TaskId::fresh()).collect();
            ids.sort_by(|a, b| b.cmp(a));
            for id in &ids {
                let new = NewTask::new(id.clone(), crate::store::conformance::spec("goal"));
                on.store.submit(new).await.expect("submits");
            }
            let found = format!("WHERE num = (SELECT num FROM tasks WHERE id = '{}')", ids.remove(bad));
            let raw = Connection::open(on.folder.path().join("store.db")).expect("opens");
            raw.execute_batch(&format!("{damage} {found}")).expect("damages");
            for limit in 1..=5 {
                let (mut listed, mut cursor) = (Vec::new(), None);
                loop {
                    let filter = Filter { limit, cursor, ..Filter::default() };
                    let page = on.store.list(&filter).await.expect("lists");
                    listed.extend(page.tasks.into_iter().map(|task| task.id));
                    cursor = page.next;
                    if cursor.is_none() {
                        break;
                    }
                }
                assert_eq!(listed, ids, "{damage}, number {bad}, {limit} a page");
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_its_blobs_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let clock = Clock::manual(1_780_000_000_000);
    let store = SqliteStore::open_with(&path, Fsync::Always, clock.clone()).expect("a new store");
    let mut new = NewTask::new(TaskId::fresh(), crate::store::conformance::spec("goal"));
    new.spec.tree = store.put_blob(Bytes::from_static(b"{\"files\":{}}")).await.expect("stores");
    let (kept, other) = (new.spec.tree.clone(), store.put_blob(Bytes::from_static(b"x")).await);
    store.submit(new).await.expect("submits");
    Connection::open(&path)
        .expect("opens")
        .execute_batch("UPDATE progress SET progress = '['; UPDATE specs SET spec = spec || ','")
        .expect("damages");
    clock.advance(std::time::Duration::from_secs(2 * 60 * 60));
    let collected = store.gc(std::time::Duration::from_secs(60)).await.expect("collects");
    assert_eq!(collected.blobs, 1);
    assert!(store.get_blob(&kept).await.expect("reads").is_some());
    assert_eq!(store.get_blob(&other.expect("stores")).await.expect("reads"), None);
}

#[test]
fn a_lock_that_is_held_too_long_is_busy() {
    // The handler's own wait is 10 s; what matters here is which error SQLite gives.
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "BEGIN IMMEDIATE; ROLLBACK");
    let (holder, waiter) = (Connection::open(&path).expect("opens"), Connection::open(&path).expect("opens"));
    holder.execute_batch("BEGIN IMMEDIATE").expect("locks");
    waiter.busy_timeout(std::time::Duration::ZERO).expect("sets");
    let error = waiter.execute_batch("BEGIN IMMEDIATE").expect_err("is locked");
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    assert!(matches!(StoreError::from(error), StoreError::Unavailable(_)));
}

#[tokio::test]
async fn large_blobs_take_little_room() {
    let on = scratch();
    let conn = || Connection::open(on.folder.path().join("store.db")).expect("opens");
    let text = Bytes::from("def add(a, b):\n    return a + b\n".repeat(10_000));
    // What does not shrink is kept as it is, and so is what looks as if it were compressed.
    let noise = Bytes::from(zstd::bulk::compress(&noise(1 << 17), 1).expect("compresses"));
    let mut digests = Vec::new();
    for blob in [&text, &noise] {
        let digest = on.store.put_blob(blob.clone()).await.expect("stores");
        assert_eq!(on.store.get_blob(&digest).await.expect("reads").as_ref(), Some(blob));
        digests.push(digest);
    }
    let kept = |digest: &Digest| -> i64 {
        let sql = "SELECT length(bytes) FROM blobs WHERE digest = ?";
        conn().query_row(sql, [digest.as_str()], |row| row.get(0)).expect("is there")
    };
    assert!(kept(&digests[0]) * 100 < text.len() as i64, "{}", kept(&digests[0]));
    assert_eq!(kept(&digests[1]), noise.len() as i64);
    assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
}
