//! Deleting one task.

use super::Subject;
use super::sample::{ended, entry, id, log, new_task};
use crate::store::{Deleted, Filter, StoreError};
use crate::task::TaskId;

async fn delete(on: &Subject, task: &TaskId) -> Result<Deleted, StoreError> {
    on.store.delete(task).await
}

pub(super) async fn an_ended_task_goes_with_all_that_is_its(on: &Subject) {
    let claim = on.running(1).await;
    on.store.append(&claim.lease, 0, entry(0, "a")).await.expect("appends");
    on.store.emit(&claim.lease, vec![log("a")]).await.expect("emits");
    on.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("finishes");
    on.submit(2).await;
    on.store.cancel(&id(2)).await.expect("cancels");
    let mut watch = on.store.watch();
    assert_eq!(delete(on, &id(1)).await.expect("deletes"), Deleted::Gone);
    watch.changed(std::time::Duration::from_secs(60)).await;
    assert_eq!(on.store.get(&id(1)).await.expect("reads"), None);
    assert_eq!(on.events(&id(1)).await, []);
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), []);
    assert_eq!(on.store.stats().await.expect("counts").ended, 1);
    assert_eq!(on.store.list(&Filter::default()).await.expect("lists").tasks.len(), 1);
    assert_eq!(delete(on, &id(2)).await.expect("deletes"), Deleted::Gone);
    assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
    for gone in [id(1), id(3)] {
        let reply = delete(on, &gone).await;
        assert!(matches!(&reply, Err(StoreError::NotFound(what)) if *what == gone), "{reply:?}");
    }
    // Nothing is left that a new task of this id would inherit.
    on.submit(1).await;
    assert_eq!(on.events(&id(1)).await.len(), 1);
}

pub(super) async fn what_waits_or_runs_stays(on: &Subject) {
    on.running(1).await;
    on.submit(2).await;
    for living in [id(1), id(2)] {
        assert_eq!(delete(on, &living).await.expect("answers"), Deleted::NotEnded);
        assert!(on.store.get(&living).await.expect("reads").is_some());
    }
    let stats = on.store.stats().await.expect("counts");
    assert_eq!((stats.queued, stats.running, stats.ended), (1, 1, 0));
}

pub(super) async fn its_blobs_go_with_the_next_gc(on: &Subject) {
    let (own, own_file) = on.snapshot("own").await;
    let mut new = new_task(1);
    new.spec.tree = own.clone();
    on.store.submit(new).await.expect("submits");
    on.store.cancel(&id(1)).await.expect("cancels");
    on.wait(2 * 3600);
    let keep = std::time::Duration::from_secs(24 * 3600);
    assert_eq!(on.store.gc(keep).await.expect("collects").blobs, 0);
    delete(on, &id(1)).await.expect("deletes");
    assert_eq!(on.store.gc(keep).await.expect("collects").blobs, 2);
    for blob in [own, own_file] {
        assert_eq!(on.store.get_blob(&blob).await.expect("reads"), None);
    }
}
