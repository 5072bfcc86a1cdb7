//! What whoever watches is told.

use super::sample::{advanced, ended, green, id, log, report};
use super::{START, Subject};

use crate::task::{Basis, Digest, Event, EventBody, Limit, Outcome, Reason, RoundKind, Spend};

pub(super) async fn ids_have_no_gaps_over_all_verbs(on: &Subject) {
    let first = on.running(1).await;
    on.store.emit(&first.lease, vec![log("a"), log("b")]).await.expect("emits");
    on.store.release(&first.lease, "drain").await.expect("releases");
    let second = on.claim("w", 2).await.expect("it waits again");
    on.lose().await;
    let third = on.claim("w", 3).await.expect("it waits again");
    let task = advanced(&second.task, &Digest::of(b"tree"));
    on.store.commit(&third.lease, &task, vec![log("c")]).await.expect("commits");
    on.store.cancel(&id(1)).await.expect("cancels");
    on.store.finish(&third.lease, &ended(&task), vec![log("d")]).await.expect("finishes");
    let events = on.events(&id(1)).await;
    let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=12).collect::<Vec<u64>>());
    let requeued = |why: &str| EventBody::requeued(why.to_owned());
    let claimed = |again| EventBody::Claimed { worker: "w".to_owned(), again };
    let expected = [
        EventBody::Submitted,
        claimed(false),
        log("a"),
        log("b"),
        requeued("drain"),
        claimed(true),
        requeued("worker w was lost: no heartbeat within its lease"),
        claimed(true),
        log("c"),
        EventBody::CancelRequested,
        log("d"),
        EventBody::Ended { outcome: green(&task.spec.tree), spend: task.spend },
    ];
    assert_eq!(on.bodies(&id(1)).await, expected);
}

pub(super) async fn they_come_in_pages(on: &Subject) {
    let lease = on.running(1).await.lease;
    on.submit(2).await;
    on.store.emit(&lease, (0..10).map(|n| log(&n.to_string())).collect()).await.expect("emits");
    let page = async |after, limit| -> Vec<u64> {
        let events = on.store.events(&id(1), after, limit).await.expect("reads");
        events.iter().map(|event| event.id).collect()
    };
    assert_eq!(page(0, 5).await, [1, 2, 3, 4, 5]);
    assert_eq!(page(5, 5).await, [6, 7, 8, 9, 10]);
    assert_eq!(page(10, 5).await, [11, 12]);
    assert!(page(12, 5).await.is_empty());
    assert!(page(0, 0).await.is_empty());
    assert!(page(u64::MAX, usize::MAX).await.is_empty());
}

pub(super) async fn emit_returns_the_last_id(on: &Subject) {
    let lease = on.running(1).await.lease;
    assert_eq!(on.store.emit(&lease, vec![log("a")]).await.expect("emits"), 3);
    assert_eq!(on.store.emit(&lease, vec![log("b"), log("c")]).await.expect("emits"), 5);
    on.wait(2);
    on.store.emit(&lease, vec![log("d")]).await.expect("emits");
    let last = Event { id: 6, task: id(1), at: START + 2000, body: log("d") };
    assert_eq!(on.events(&id(1)).await.pop(), Some(last));
}

pub(super) async fn emitting_nothing_changes_nothing(on: &Subject) {
    let lease = on.running(1).await.lease;
    assert_eq!(on.store.emit(&lease, Vec::new()).await.expect("emits"), 2);
    assert_eq!(on.events(&id(1)).await.len(), 2);
}

pub(super) async fn there_are_none_for_an_unknown_task(on: &Subject) {
    assert_eq!(on.events(&id(9)).await, []);
}

pub(super) async fn they_come_back_as_they_were(on: &Subject) {
    let lease = on.running(1).await.lease;
    let digest = Digest::of(b"x");
    let stuck = Reason::Budget { limit: Limit::Tokens };
    let sent = vec![
        EventBody::StepStarted {
            round: 1,
            kind: "build".into(),
            plugin: "b".into(),
            basis: Some(Basis {
                digest: digest.clone(),
                contract: "c".into(),
                policy: digest.clone(),
                generation: 3,
                model: None,
            }),
            replayed: 2,
        },
        EventBody::Tokens { call: 0, text: "snow\u{2603} \0 \"quoted\"\r\n".into() },
        EventBody::Proposed { round: 1, kind: RoundKind::Fix, tree: digest.clone(), summary: String::new() },
        EventBody::Checked { round: 1, report: report() },
        EventBody::ModelEnded {
            call: 1,
            input_tokens: u64::MAX,
            output_tokens: 0,
            estimated: true,
            wall_ms: 1,
            error: None,
        },
        EventBody::Ended {
            outcome: Outcome { reason: stuck, tree: digest, report: Some(report()) },
            spend: Spend { cost_micros: Some(7), ..Spend::default() },
        },
    ];
    on.store.emit(&lease, sent.clone()).await.expect("emits");
    assert_eq!(on.bodies(&id(1)).await[2..], sent);
}

pub(super) async fn the_last_of_each_is_known(on: &Subject) {
    let claim = on.running(1).await;
    on.store.emit(&claim.lease, vec![log("a"), log("b")]).await.expect("emits");
    on.submit(2).await;
    let heads = on.store.heads(&[id(1), id(3), id(2)]).await.expect("reads");
    assert_eq!(heads, [Some(4), None, Some(1)]);
    assert_eq!(on.store.heads(&[]).await.expect("reads"), []);
    on.store.cancel(&id(2)).await.expect("cancels");
    on.store.delete(&id(2)).await.expect("deletes");
    assert_eq!(on.store.heads(&[id(2)]).await.expect("reads"), [None]);
}
