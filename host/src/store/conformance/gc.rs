//! Collecting old tasks, and blobs nobody needs.

use std::time::Duration;

use bytes::Bytes;

use super::Subject;
use super::sample::{advanced, entry, id, log, new_task, round};
use crate::store::Collected;
use crate::task::{Digest, Task};

const HOUR: u64 = 3600;
const DAY: Duration = Duration::from_secs(24 * HOUR);

async fn gc(on: &Subject) -> Collected {
    on.store.gc(DAY).await.expect("collects")
}

async fn is_there(on: &Subject, digest: &Digest) -> bool {
    on.store.get_blob(digest).await.expect("reads").is_some()
}

pub(super) async fn young_and_living_tasks_stay(on: &Subject) {
    on.submit(1).await;
    on.finished(2).await;
    on.running(3).await;
    on.clock.advance(DAY);
    assert_eq!(gc(on).await, Collected::default());
    on.wait(1);
    assert_eq!(gc(on).await, Collected { tasks: 1, blobs: 0 });
    let left = on.store.list(&Default::default()).await.expect("lists");
    assert_eq!(left.tasks.len(), 2);
}

pub(super) async fn an_old_task_goes_with_all_that_is_its(on: &Subject) {
    let claim = on.running(1).await;
    on.store.append(&claim.lease, 0, entry(0, "a")).await.expect("appends");
    on.store.emit(&claim.lease, vec![log("a")]).await.expect("emits");
    on.store.finish(&claim.lease, &super::sample::ended(&claim.task), Vec::new()).await.expect("finishes");
    on.clock.advance(2 * DAY);
    assert_eq!(gc(on).await.tasks, 1);
    assert_eq!(on.store.get(&id(1)).await.expect("reads"), None);
    assert_eq!(on.events(&id(1)).await, []);
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), []);
    assert_eq!(on.store.stats().await.expect("counts").ended, 0);
    assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
    // Nothing is left that a new task of this id would inherit.
    on.submit(1).await;
    assert_eq!(on.events(&id(1)).await.len(), 1);
}

pub(super) async fn an_old_blob_without_a_task_goes(on: &Subject) {
    let old = on.store.put_blob(Bytes::from_static(b"old")).await.expect("stores");
    on.wait(HOUR);
    let young = on.store.put_blob(Bytes::from_static(b"young")).await.expect("stores");
    assert_eq!(gc(on).await, Collected::default());
    on.wait(1);
    assert_eq!(gc(on).await, Collected { tasks: 0, blobs: 1 });
    assert!(!is_there(on, &old).await);
    assert!(is_there(on, &young).await);
}

pub(super) async fn snapshots_and_their_files_stay(on: &Subject) {
    let mut needed = Vec::new();
    for text in ["submitted", "base", "left", "best"] {
        needed.push(on.snapshot(text).await);
    }
    let snapshot = |at: usize| needed[at].0.clone();
    let mut new = new_task(1);
    new.spec.tree = snapshot(0);
    on.store.submit(new).await.expect("submits");
    let claim = on.claim("w", 1).await.expect("a task waits");
    let mut task = claim.task.clone();
    task.rounds.push(crate::task::Round { base: snapshot(1), ..round(1, &snapshot(2)) });
    on.store.commit(&claim.lease, &task, Vec::new()).await.expect("commits");
    let best = Task { outcome: Some(super::sample::green(&snapshot(3))), ..task };
    on.store.finish(&claim.lease, &best, Vec::new()).await.expect("finishes");
    on.wait(3 * HOUR);
    assert_eq!(gc(on).await, Collected::default());
    for (manifest, file) in &needed {
        assert!(is_there(on, manifest).await && is_there(on, file).await);
    }
}

pub(super) async fn the_blobs_of_a_deleted_task_go(on: &Subject) {
    let (shared, shared_file) = on.snapshot("shared").await;
    let (own, own_file) = on.snapshot("own").await;
    for number in [1, 2] {
        let mut new = new_task(number);
        new.spec.tree = shared.clone();
        on.store.submit(new).await.expect("submits");
    }
    let claim = on.claim("w", 1).await.expect("a task waits");
    let task = advanced(&claim.task, &own);
    on.store.finish(&claim.lease, &super::sample::ended(&task), Vec::new()).await.expect("finishes");
    on.clock.advance(2 * DAY);
    assert_eq!(gc(on).await, Collected { tasks: 1, blobs: 2 });
    assert!(is_there(on, &shared).await && is_there(on, &shared_file).await);
    assert!(!is_there(on, &own).await && !is_there(on, &own_file).await);
}

pub(super) async fn storing_again_keeps_a_blob(on: &Subject) {
    let blob = Bytes::from_static(b"again");
    let digest = on.store.put_blob(blob.clone()).await.expect("stores");
    on.wait(HOUR - 1);
    on.store.put_blob(blob).await.expect("stores");
    on.wait(HOUR - 1);
    assert_eq!(gc(on).await, Collected::default());
    on.wait(2);
    assert_eq!(gc(on).await.blobs, 1);
    assert!(!is_there(on, &digest).await);
}
