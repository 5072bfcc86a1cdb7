//! The answers a step has had from outside.

use super::Subject;
use super::sample::{entry, id};
use crate::store::StoreError;

pub(super) async fn entries_come_back_in_order(on: &Subject) {
    let lease = on.running(1).await.lease;
    for index in 0..12 {
        on.store.append(&lease, 0, entry(index, "a")).await.expect("appends");
        on.store.append(&lease, 1, entry(index, "b")).await.expect("appends");
    }
    let expected: Vec<_> = (0..12).map(|index| entry(index, "b")).collect();
    assert_eq!(on.store.journal(&id(1), 1).await.expect("reads"), expected);
    assert_eq!(on.store.journal(&id(1), 2).await.expect("reads"), []);
}

pub(super) async fn the_same_entry_again_is_harmless(on: &Subject) {
    let lease = on.running(1).await.lease;
    for index in [0, 0, 1, 0, 1] {
        on.store.append(&lease, 0, entry(index, "a")).await.expect("appends");
    }
    let expected = [entry(0, "a"), entry(1, "a")];
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), expected);
}

pub(super) async fn another_entry_at_a_used_index_is_refused(on: &Subject) {
    let lease = on.running(1).await.lease;
    on.store.append(&lease, 0, entry(0, "a")).await.expect("appends");
    let reply = on.store.append(&lease, 0, entry(0, "b")).await;
    assert!(matches!(reply, Err(StoreError::Corrupt(_))));
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), [entry(0, "a")]);
}

pub(super) async fn a_gap_is_refused(on: &Subject) {
    let lease = on.running(1).await.lease;
    for index in [1, u32::MAX] {
        let reply = on.store.append(&lease, 0, entry(index, "a")).await;
        assert!(matches!(reply, Err(StoreError::Corrupt(_))));
    }
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), []);
}

pub(super) async fn the_next_holder_sees_it(on: &Subject) {
    let lease = on.running(1).await.lease;
    on.store.append(&lease, 0, entry(0, "paid for")).await.expect("appends");
    on.lose().await;
    let next = on.claim("v", 2).await.expect("it waits again");
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads"), [entry(0, "paid for")]);
    on.store.append(&next.lease, 0, entry(0, "paid for")).await.expect("the same");
    on.store.append(&next.lease, 0, entry(1, "more")).await.expect("the next");
    assert_eq!(on.store.journal(&id(1), 0).await.expect("reads").len(), 2);
}

pub(super) async fn there_is_none_for_an_unknown_task(on: &Subject) {
    assert_eq!(on.store.journal(&id(9), 0).await.expect("reads"), []);
}
