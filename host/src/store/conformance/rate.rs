//! What all workers together may ask of a model.

use std::time::Duration;

use super::Subject;
use crate::store::Rate;

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn requests_come_at_their_pace(on: &Subject) {
    let rate = Rate { requests: Some(3), tokens: None };
    let reserve = async |model: &str| on.store.reserve(model, rate, 1000).await.expect("reserves");
    for _ in 0..3 {
        assert_eq!(reserve("m").await, None);
    }
    assert_eq!(reserve("m").await, Some(20 * SECOND));
    assert_eq!(reserve("other").await, None);
    on.wait(5);
    assert_eq!(reserve("m").await, Some(15 * SECOND));
    on.wait(15);
    assert_eq!(reserve("m").await, None);
    assert_eq!(reserve("m").await, Some(20 * SECOND));
    // A minute's worth is all that is saved up.
    on.wait(600);
    for _ in 0..3 {
        assert_eq!(reserve("m").await, None);
    }
    assert_eq!(reserve("m").await, Some(20 * SECOND));
    assert_eq!(on.store.reserve("m", Rate::default(), 1000).await.expect("reserves"), None);
}

pub(super) async fn tokens_are_settled(on: &Subject) {
    let rate = Rate { requests: Some(100), tokens: Some(600) };
    let reserve = async |tokens| on.store.reserve("m", rate, tokens).await.expect("reserves");
    assert_eq!(reserve(400).await, None);
    // 200 of them are lent.
    assert_eq!(reserve(400).await, None);
    assert_eq!(reserve(1).await, Some(20 * SECOND));
    // It took less than was thought, and then more.
    on.store.settle("m", rate, 400, 100).await.expect("settles");
    assert_eq!(reserve(400).await, None);
    on.store.settle("m", rate, 400, 500).await.expect("settles");
    assert_eq!(reserve(100).await, Some(40 * SECOND));
    on.wait(40);
    assert_eq!(reserve(100).await, None);
    // More than there ever is: a minute's worth.
    assert_eq!(reserve(5000).await, Some(10 * SECOND));
    on.wait(10);
    assert_eq!(reserve(5000).await, None);
    assert_eq!(reserve(1).await, Some(60 * SECOND));
    assert_eq!(on.store.fsck().await.expect("checks"), Vec::<String>::new());
}

pub(super) async fn a_large_request_gets_its_turn_among_small_ones(on: &Subject) {
    let rate = Rate { requests: None, tokens: Some(600) };
    let reserve = async |tokens| on.store.reserve("m", rate, tokens).await.expect("reserves");
    // Each second's worth is taken as soon as it is there.
    let mut taken = 0;
    while reserve(10).await.is_none() {
        taken += 10;
    }
    on.wait(1);
    assert_eq!(reserve(600).await, None);
    // It is paid for by all that come after it: what is taken in two minutes is no more than without it.
    for _ in 0..60 {
        assert!(reserve(10).await.is_some());
        on.wait(1);
    }
    while reserve(10).await.is_none() {
        taken += 10;
    }
    assert_eq!(taken + 600, 600 + 61 * 10 + 10);
}
