//! Finding tasks.

use super::Subject;
use super::sample::{id, new_task};
use crate::store::Filter;
use crate::task::{State, TaskId};

async fn ids(on: &Subject, filter: Filter) -> (Vec<TaskId>, Option<TaskId>) {
    let page = on.store.list(&filter).await.expect("lists");
    (page.tasks.into_iter().map(|task| task.id).collect(), page.next)
}

pub(super) async fn pages_are_newest_first(on: &Subject) {
    for number in 1..=7 {
        on.submit(number).await;
    }
    let page = |cursor| Filter { cursor, limit: 3, ..Filter::default() };
    let (first, next) = ids(on, page(None)).await;
    assert_eq!((first, &next), (vec![id(7), id(6), id(5)], &Some(id(5))));
    let (second, next) = ids(on, page(next)).await;
    assert_eq!((second, &next), (vec![id(4), id(3), id(2)], &Some(id(2))));
    // What is submitted meanwhile does not shift the pages.
    on.submit(8).await;
    assert_eq!(ids(on, page(next)).await, (vec![id(1)], None));
    assert_eq!(ids(on, page(Some(id(1)))).await, (vec![], None));
    // A page that is just full is the last one.
    assert_eq!(ids(on, Filter { cursor: Some(id(4)), ..page(None) }).await.1, None);
}

pub(super) async fn filters_hold_together(on: &Subject) {
    for number in 1..=6 {
        let mut new = new_task(number);
        if number % 2 == 0 {
            new.spec.pipeline.name = "even".to_owned();
        }
        on.store.submit(new).await.expect("submits");
    }
    for nonce in 1..=2 {
        on.claim("w", nonce).await.expect("a task waits");
    }
    on.store.cancel(&id(6)).await.expect("cancels");
    let even = Filter { pipeline: Some("even".to_owned()), ..Filter::default() };
    assert_eq!(ids(on, even.clone()).await.0, [id(6), id(4), id(2)]);
    for (state, expected) in [(State::Queued, 4), (State::Running, 2), (State::Ended, 6)] {
        assert_eq!(ids(on, Filter { state: Some(state), ..even.clone() }).await.0, [id(expected)]);
    }
    let running = Filter { state: Some(State::Running), ..Filter::default() };
    assert_eq!(ids(on, running.clone()).await.0, [id(2), id(1)]);
    assert_eq!(ids(on, Filter { cursor: Some(id(2)), ..running.clone() }).await.0, [id(1)]);
    assert_eq!(ids(on, Filter { text: Some("goal 2".to_owned()), ..running }).await.0, [id(2)]);
    assert_eq!(ids(on, Filter { pipeline: Some("odd".to_owned()), ..Filter::default() }).await.0, []);
}

pub(super) async fn text_ignores_case(on: &Subject) {
    let mut new = new_task(1);
    new.spec.goal = "Write a SLUGIFY function for \u{c4}pfel".to_owned();
    on.store.submit(new).await.expect("submits");
    let ulid = TaskId::parse("01J9Z3NDEKTSV4RRFFQ69G5FAV").expect("an id");
    on.store.submit(crate::store::NewTask { id: ulid.clone(), ..new_task(2) }).await.expect("submits");
    let search =
        async |text: &str| ids(on, Filter { text: Some(text.to_owned()), ..Filter::default() }).await.0;
    assert_eq!(search("slugify").await, [id(1)]);
    assert_eq!(search("A SLUG").await, [id(1)]);
    assert_eq!(search("\u{e4}PFEL").await, [id(1)]);
    assert_eq!(search("ndektsv4rr").await, vec![ulid.clone()]);
    assert_eq!(search("").await, [ulid, id(1)]);
    assert_eq!(search("nothing like it").await, []);
}

pub(super) async fn wildcards_are_plain_text(on: &Subject) {
    let mut new = new_task(1);
    new.spec.goal = "make it 100% a_b *really*".to_owned();
    on.store.submit(new).await.expect("submits");
    on.submit(2).await;
    for text in ["%", "_", "*", "100% a_b *"] {
        let found = ids(on, Filter { text: Some(text.to_owned()), ..Filter::default() }).await.0;
        assert_eq!(found, [id(1)], "{text}");
    }
}

pub(super) async fn a_page_has_a_limit(on: &Subject) {
    for number in 1..=201 {
        on.submit(number).await;
    }
    for limit in [0, 200, 201, usize::MAX] {
        let (page, next) = ids(on, Filter { limit, ..Filter::default() }).await;
        assert_eq!((page.len(), next), (200, Some(id(2))));
    }
}
