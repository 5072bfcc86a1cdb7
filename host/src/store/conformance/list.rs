//! Finding tasks.

use super::sample::{advanced, id, new_task};
use super::{START, Subject};
use crate::store::{Count, Ending, Filter, Past};
use crate::task::{Digest, Outcome, Reason, State, Task, TaskId};

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

/// Many tasks of another state lie between those of a page, and between two pages.
pub(super) async fn a_state_is_found_among_many_of_another(on: &Subject) {
    for number in 1..=130 {
        on.submit(number).await;
    }
    let ended = [130, 77, 3, 2, 1];
    for number in ended {
        on.store.cancel(&id(number)).await.expect("cancels");
    }
    let mut filter = Filter { state: Some(State::Ended), limit: 2, ..Filter::default() };
    let mut found = Vec::new();
    loop {
        let (page, next) = ids(on, filter.clone()).await;
        found.extend(page);
        filter.cursor = next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ended.map(id));
    let between =
        Filter { state: Some(State::Ended), floor: Some(id(2)), ceiling: Some(id(130)), ..Filter::default() };
    assert_eq!(ids(on, between).await, (vec![id(77), id(3)], None));
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

/// Three tasks: 1 is green, 2 runs task 1 again and is stuck, 3 is of other parts and waits.
async fn three(on: &Subject) {
    on.submit(1).await;
    let mut again = new_task(2);
    again.spec.parent = Some(id(1));
    again.spec.pipeline.fixer = None;
    on.store.submit(again).await.expect("submits");
    let mut other = new_task(3);
    other.spec.pipeline.model = Some("large".to_owned());
    other.spec.pipeline.builder.name = "agent".to_owned();
    on.store.submit(other).await.expect("submits");
    for reason in [Reason::Green, Reason::Stuck { failure: "again".to_owned() }] {
        let claim = on.claim("w", 1).await.expect("a task waits");
        let task = advanced(&claim.task, &Digest::of(b"left"));
        let outcome = Outcome { reason, tree: task.spec.tree.clone(), report: None };
        let task = Task { outcome: Some(outcome), ..task };
        on.wait(2);
        on.store.finish(&claim.lease, &task, Vec::new()).await.expect("finishes");
    }
}

pub(super) async fn how_and_with_what_a_task_was_done(on: &Subject) {
    three(on).await;
    let all = Filter::default();
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (Filter { outcome: Some(Ending::Green), ..all.clone() }, vec![id(1)]),
        (Filter { outcome: Some(Ending::NotGreen), ..all.clone() }, vec![id(2)]),
        (Filter { outcome: Some(Ending::Stuck), ..all.clone() }, vec![id(2)]),
        (Filter { outcome: Some(Ending::Crashed), ..all.clone() }, vec![]),
        (Filter { model: text("small"), ..all.clone() }, vec![id(2), id(1)]),
        (Filter { model: text("large"), ..all.clone() }, vec![id(3)]),
        (Filter { plugin: text("check-python"), ..all.clone() }, vec![id(3), id(2), id(1)]),
        (Filter { plugin: text("fixer"), ..all.clone() }, vec![id(3), id(1)]),
        (Filter { plugin: text("agent"), ..all.clone() }, vec![id(3)]),
        (Filter { plugin: text("check"), ..all.clone() }, vec![]),
        (Filter { parent: Some(id(1)), ..all.clone() }, vec![id(2)]),
        (Filter { parent: Some(id(2)), ..all.clone() }, vec![]),
        (Filter { model: text("small"), outcome: Some(Ending::Green), ..all.clone() }, vec![id(1)]),
        (Filter { model: text("small"), text: text("GOAL 2"), ..all.clone() }, vec![id(2)]),
        (Filter { parent: Some(id(1)), state: Some(State::Queued), ..all.clone() }, vec![]),
        (Filter { dead: true, plugin: text("builder"), ..all.clone() }, vec![]),
    ] {
        assert_eq!(ids(on, filter.clone()).await, (expected.clone(), None), "{filter:?}");
        let count = on.store.count(&filter).await.expect("counts");
        assert_eq!(count, Count { count: expected.len() as u64, exact: true }, "{filter:?}");
    }
    // One that waits again has no outcome.
    on.store.requeue(&id(2), "asked").await.expect("requeues");
    assert_eq!(ids(on, Filter { outcome: Some(Ending::NotGreen), ..all }).await.0, []);
}

pub(super) async fn when_a_task_was_submitted(on: &Subject) {
    for number in 1..=4 {
        on.submit(number).await;
        on.wait(1);
    }
    let at = |second: u64| Some(START + second * 1000);
    for (since, until, expected) in [
        (None, None, vec![id(4), id(3), id(2), id(1)]),
        (at(1), None, vec![id(4), id(3), id(2)]),
        (None, at(1), vec![id(1)]),
        (at(1), at(3), vec![id(3), id(2)]),
        (at(9), None, vec![]),
        (Some(u64::MAX), Some(u64::MAX), vec![]),
        (Some(0), Some(u64::MAX), vec![id(4), id(3), id(2), id(1)]),
    ] {
        assert_eq!(ids(on, Filter { since, until, ..Filter::default() }).await, (expected, None));
    }
    let between = Filter { floor: Some(id(1)), ceiling: Some(id(4)), ..Filter::default() };
    assert_eq!(ids(on, between.clone()).await.0, [id(3), id(2)]);
    let first = Filter { limit: 1, ..between };
    assert_eq!(ids(on, first.clone()).await, (vec![id(3)], Some(id(3))));
    for (cursor, expected) in [(id(3), vec![id(2)]), (id(2), vec![]), (id(9), vec![id(3)])] {
        assert_eq!(ids(on, Filter { cursor: Some(cursor), ..first.clone() }).await.0, expected);
    }
}

pub(super) async fn a_count_is_of_all_pages(on: &Subject) {
    for number in 1..=7 {
        on.submit(number).await;
    }
    on.store.cancel(&id(7)).await.expect("cancels");
    let count = async |filter: Filter| on.store.count(&filter).await.expect("counts").count;
    let all = Filter { limit: 2, cursor: Some(id(3)), ..Filter::default() };
    assert_eq!(count(all.clone()).await, 7);
    assert_eq!(count(Filter { floor: Some(id(5)), ..all.clone() }).await, 2);
    let between = Filter { floor: Some(id(2)), ceiling: Some(id(7)), ..all.clone() };
    assert_eq!(count(between.clone()).await, 4);
    assert_eq!(count(Filter { floor: None, ..between.clone() }).await, 6);
    for (state, expected) in [(State::Queued, 4), (State::Ended, 0)] {
        assert_eq!(count(Filter { state: Some(state), ..between.clone() }).await, expected);
    }
    assert_eq!(count(Filter { text: Some("goal".to_owned()), ..between }).await, 4);
    let below = Filter { ceiling: Some(id(7)), ..all.clone() };
    assert_eq!(count(Filter { state: Some(State::Ended), ..below }).await, 0);
    assert_eq!(count(Filter { state: Some(State::Queued), ..all.clone() }).await, 6);
    let pipeline = Some("default".to_owned());
    assert_eq!(count(Filter { pipeline: pipeline.clone(), ..all.clone() }).await, 7);
    assert_eq!(count(Filter { pipeline, state: Some(State::Ended), ..all.clone() }).await, 1);
    assert_eq!(count(Filter { text: Some("goal".to_owned()), ..all.clone() }).await, 7);
    assert_eq!(count(Filter { pipeline: Some("none".to_owned()), ..all }).await, 0);
}

pub(super) async fn what_has_ended_is_told_newest_first(on: &Subject) {
    three(on).await;
    let past = |ended_s: u64, started_s: u64, green| Past {
        ended_at: START + ended_s * 1000,
        started_at: Some(START + started_s * 1000),
        pipeline: "default".to_owned(),
        model: Some("small".to_owned()),
        green,
        input_tokens: 100,
        output_tokens: 0,
        cost_micros: Some(0),
    };
    let told =
        async |since: u64, most: usize| on.store.past(START + since * 1000, most).await.expect("tells");
    let all = told(0, 9).await;
    assert_eq!(all.tasks, [past(4, 2, false), past(2, 0, true)]);
    assert!(!all.truncated);
    assert_eq!(told(3, 9).await.tasks, [past(4, 2, false)]);
    assert_eq!(told(5, 9).await.tasks, []);
    let one = told(0, 1).await;
    assert_eq!((one.tasks.len(), one.truncated), (1, true));
    // What a model without a price took can't be told, and what never began has no start.
    let claim = on.claim("w", 3).await.expect("a task waits");
    let mut task = super::sample::ended(&claim.task);
    (task.spend.model_calls, task.spend.cost_micros) = (1, None);
    on.store.finish(&claim.lease, &task, Vec::new()).await.expect("finishes");
    on.submit(4).await;
    on.wait(1);
    on.store.cancel(&id(4)).await.expect("cancels");
    let last = told(0, 2).await.tasks;
    assert_eq!(last.iter().map(|past| past.started_at).collect::<Vec<_>>(), [None, Some(START + 4000)]);
    assert_eq!(last.iter().map(|past| past.cost_micros).collect::<Vec<_>>(), [Some(0), None]);
    // One that waits again has not ended.
    on.store.requeue(&id(4), "asked").await.expect("requeues");
    assert_eq!(told(0, 9).await.tasks.len(), 3);
}
