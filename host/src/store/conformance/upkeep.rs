//! Counting, watching, blobs and `fsck`.

use std::time::Duration;

use bytes::Bytes;

use super::sample::{entry, id, new_task, tree};
use super::{START, Subject};
use crate::store::Stats;
use crate::task::Digest;

pub(super) async fn stats_count_by_state(on: &Subject) {
    assert_eq!(on.store.stats().await.expect("counts"), Stats::default());
    on.finished(1).await;
    let running = on.running(2).await;
    for number in 3..=5 {
        on.wait(1);
        on.submit(number).await;
    }
    let oldest_queued_at = Some(START + 1000);
    let stats = Stats { queued: 3, running: 1, ended: 1, oldest_queued_at };
    assert_eq!(on.store.stats().await.expect("counts"), stats);
    on.store.cancel(&id(3)).await.expect("cancels");
    on.store.release(&running.lease, "drain").await.expect("releases");
    let stats = Stats { queued: 3, running: 0, ended: 2, oldest_queued_at: Some(START) };
    assert_eq!(on.store.stats().await.expect("counts"), stats);
}

pub(super) async fn a_watch_wakes_after_a_change(on: &Subject) {
    // Far beyond what any change takes, so that a wake that is missing fails.
    const LONG: Duration = Duration::from_secs(60);
    let mut watch = on.store.watch();
    on.submit(1).await;
    let woken = async |watch: &mut crate::store::Watch| {
        let before = tokio::time::Instant::now();
        watch.changed(LONG).await;
        assert!(before.elapsed() < LONG / 2, "no wake");
    };
    woken(&mut watch).await;
    let claim = on.claim("w", 1).await.expect("a task waits");
    woken(&mut watch).await;
    on.store.emit(&claim.lease, vec![super::sample::log("a")]).await.expect("emits");
    woken(&mut watch).await;
    on.store.cancel(&id(1)).await.expect("cancels");
    woken(&mut watch).await;
    on.store.finish(&claim.lease, &super::sample::ended(&claim.task), Vec::new()).await.expect("finishes");
    woken(&mut watch).await;
}

pub(super) async fn blobs_come_back(on: &Subject) {
    for bytes in [Bytes::new(), Bytes::from_static(b"\0\xff"), Bytes::from(vec![7; 3 << 20])] {
        let digest = on.store.put_blob(bytes.clone()).await.expect("stores");
        assert_eq!(digest, Digest::of(&bytes));
        assert_eq!(on.store.put_blob(bytes.clone()).await.expect("stores again"), digest);
        assert_eq!(on.store.get_blob(&digest).await.expect("reads"), Some(bytes));
    }
    assert_eq!(on.store.get_blob(&Digest::of(b"unknown")).await.expect("reads"), None);
}

/// A task whose snapshot is there, in each state.
async fn sound(on: &Subject) {
    let (snapshot, _) = on.snapshot("text").await;
    for number in 1..=3 {
        let mut new = new_task(number);
        new.spec.tree = snapshot.clone();
        on.store.submit(new).await.expect("submits");
    }
    let claim = on.claim("w", 1).await.expect("a task waits");
    on.store.append(&claim.lease, 0, entry(0, "a")).await.expect("appends");
    on.store.finish(&claim.lease, &super::sample::ended(&claim.task), Vec::new()).await.expect("finishes");
    on.claim("w", 2).await.expect("a task waits");
}

pub(super) async fn fsck_finds_nothing_in_a_sound_store(on: &Subject) {
    sound(on).await;
    assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
}

pub(super) async fn fsck_finds_a_missing_snapshot(on: &Subject) {
    sound(on).await;
    on.submit(4).await;
    let missing = on.get(&id(4)).await.spec.tree;
    let expected = format!("task {}: snapshot {missing} is missing", id(4));
    assert_eq!(on.store.fsck().await.expect("checks"), [expected]);
}

pub(super) async fn fsck_finds_a_missing_file(on: &Subject) {
    sound(on).await;
    let (lost, file) = tree("never stored");
    let mut new = new_task(4);
    new.spec.tree = on.store.put_blob(lost.manifest().to_bytes().into()).await.expect("stores");
    let (snapshot, file) = (new.spec.tree.clone(), Digest::of(&file));
    on.store.submit(new).await.expect("submits");
    let expected = format!("task {}: file {file} of snapshot {snapshot} is missing", id(4));
    assert_eq!(on.store.fsck().await.expect("checks"), [expected]);
}

pub(super) async fn fsck_finds_a_snapshot_that_is_none(on: &Subject) {
    let mut new = new_task(1);
    new.spec.tree = on.store.put_blob(Bytes::from_static(b"not a manifest")).await.expect("stores");
    on.store.submit(new).await.expect("submits");
    let found = on.store.fsck().await.expect("checks");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("is not a manifest"), "{found:?}");
}
