//! The worker over a store that fails and a model that keeps it waiting.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aiagent_host::store::{ClaimRequest, JournalEntry, LEASE, MemoryStore};
use aiagent_host::task::{Budget, Digest, EventBody, Limit, Reason, State};

use crate::flaky::Flaky;
use crate::shop::{Shop, spec};

const NO_GRACE: Duration = Duration::ZERO;
const GRACE: Duration = Duration::from_secs(60);

/// The answer's usage, as the echo adapter reports it.
const TOKENS: u64 = 7;

fn count(events: &[EventBody], wanted: impl Fn(&EventBody) -> bool) -> usize {
    events.iter().filter(|body| wanted(body)).count()
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_costs_no_answer_and_no_event() {
    let outages = [
        ("claim", true),
        ("journal", false),
        ("append", false),
        ("append", true),
        ("commit", true),
        ("commit", false),
        ("finish", false),
        ("finish", true),
    ];
    let store = Arc::new(Flaky::with(&outages));
    let shop = Shop::open(store.clone()).await;
    shop.vendor.answers(1);
    let id = shop.submit("ask", "pass", Budget::default()).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    assert_eq!(store.left(), []);
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green));
    assert_eq!((task.crashes, task.spend.tokens(), shop.vendor.served()), (0, TOKENS, (1, 1)));
    assert_eq!(count(&events, |body| matches!(body, EventBody::Claimed { .. })), 1);
    assert_eq!(count(&events, |body| matches!(body, EventBody::ModelEnded { .. })), 1);
    assert_eq!(count(&events, |body| matches!(body, EventBody::Checked { .. })), 1);
}

/// It is no answer of the model's, which whoever goes on with the step would read in the journal.
#[tokio::test]
async fn a_store_that_fails_before_a_call_leaves_nothing_in_the_journal() {
    let shop = Shop::open(Arc::new(Flaky::spoilt("reserve"))).await;
    let id = shop.submit("ask", "pass", Budget::default()).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    let message = "the reply to reserve can't be read".to_owned();
    let reason = Reason::StepFailed { plugin: "ask".to_owned(), message };
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(reason), "{events:?}");
    assert_eq!(shop.store.journal(&id, 0).await.expect("it answers"), []);
    assert_eq!(shop.vendor.served(), (0, 0));
}

#[tokio::test]
async fn a_task_whose_files_are_gone_ends_and_says_so() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    let gone = Digest::of(b"nobody stored this");
    let id = shop.submit_spec(spec("noop", "pass", Budget::default(), gone.clone())).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    let Some(Reason::StepFailed { plugin, message }) = task.outcome.map(|outcome| outcome.reason) else {
        panic!("{events:?}")
    };
    assert_eq!(plugin, "noop");
    assert!(message.contains(gone.as_str()), "{message}");
    assert_eq!(count(&events, |body| matches!(body, EventBody::Requeued { .. })), 0);
}

#[tokio::test]
async fn a_drain_in_the_middle_of_a_step_repeats_no_answered_call() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    shop.vendor.answers(1);
    let id = shop.submit("ask-twice", "pass", Budget::default()).await;
    let worker = shop.worker("one", NO_GRACE);
    shop.events(&id, |body| matches!(body, EventBody::ModelStarted { call: 2, .. })).await;
    worker.stop().await;
    let task = shop.task(&id).await;
    assert_eq!((task.state, task.crashes, task.step), (State::Queued, 0, 0));
    assert_eq!(task.spend.tokens(), 0, "the journal tells of them");

    shop.vendor.answers(1);
    let worker = shop.worker("two", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green));
    assert_eq!((task.spend.tokens(), task.spend.model_calls), (2 * TOKENS, 2));
    assert_eq!(shop.vendor.served().1, 2, "each call is answered once");
    let resumed = |body: &EventBody| matches!(body, EventBody::StepStarted { replayed: 1, .. });
    assert_eq!(count(&events, resumed), 1, "{events:?}");
}

#[tokio::test]
async fn a_model_that_goes_away_in_the_middle_of_a_step_costs_no_answered_call() {
    let mut shop = Shop::with(Arc::new(MemoryStore::default()), |model| {
        (model.retries, model.first_byte_timeout) = (0, Duration::from_secs(2));
    })
    .await;
    shop.backoff.times = 100;
    shop.vendor.answers(1);
    let id = shop.submit("ask-twice", "pass", Budget::default()).await;
    let worker = shop.worker("one", GRACE);
    shop.events(&id, |body| matches!(body, EventBody::Requeued { wait_ms: Some(0), .. })).await;
    shop.vendor.answers(1);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green), "{events:?}");
    assert_eq!((task.crashes, task.postponed), (0, None));
    assert_eq!((task.spend.tokens(), task.spend.model_calls), (2 * TOKENS, 2));
    assert_eq!(shop.vendor.served().1, 2, "each call is answered once");
    let resumed = |body: &EventBody| matches!(body, EventBody::StepStarted { replayed: 1, .. });
    assert!(count(&events, resumed) >= 1, "{events:?}");
}

#[tokio::test]
async fn a_draining_worker_begins_no_further_step() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    let id = shop.submit("ask", "pass", Budget::default()).await;
    let worker = shop.worker("one", GRACE);
    shop.vendor.asked.notified().await;
    let drained = tokio::spawn(worker.stop());
    shop.vendor.answers(1);
    drained.await.expect("it drains");
    let task = shop.task(&id).await;
    assert_eq!((task.state, task.step, task.rounds.len()), (State::Queued, 1, 1));
}

#[tokio::test]
async fn a_cancel_ends_a_call_that_the_model_keeps_waiting() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    let id = shop.submit("ask", "pass", Budget::default()).await;
    let worker = shop.worker("one", GRACE);
    shop.vendor.asked.notified().await;
    shop.store.cancel(&id).await.expect("it is asked for");
    let (task, _) = shop.ended(&id).await;
    worker.stop().await;
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Cancelled));
    assert_eq!(shop.vendor.served(), (1, 0));
}

/// Every byte restarts the model's own clock, but not the task's.
#[tokio::test]
async fn an_answer_that_drips_ends_with_the_tasks_wall_time() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    shop.vendor.drips.store(true, SeqCst);
    shop.vendor.answers(1);
    let budget = Budget { wall_ms: 500, ..Budget::default() };
    let id = shop.submit("ask", "pass", budget).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    let reason = task.outcome.map(|outcome| outcome.reason);
    assert_eq!(reason, Some(Reason::Budget { limit: Limit::Wall }), "{events:?}");
    assert_eq!(shop.vendor.served(), (1, 1));
}

#[tokio::test]
async fn checks_inside_a_step_spend_the_tasks_compute() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    // Two checks of 100 ms, and a bit.
    let budget = Budget { compute_ms: 250, ..Budget::default() };
    let id = shop.submit("check-always", "spin", budget).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    let reason = task.outcome.map(|outcome| outcome.reason);
    assert_eq!(reason, Some(Reason::Budget { limit: Limit::Compute }), "{events:?}");
    assert!(task.spend.compute_ms < 1_000, "{} of 250 ms", task.spend.compute_ms);
}

/// Another worker's claim, whose answers took twenty minutes: to questions that nobody asks again.
async fn answered_elsewhere(shop: &Shop) {
    let claim = ClaimRequest::new("lost", 1, LEASE);
    let lease = shop.store.claim(&claim).await.expect("claimed").expect("it waits").lease;
    for index in 0..2 {
        let answer = r#"{"result":{"Ok":{"text":"x","finish":"stop","usage":{"input_tokens":100,"output_tokens":0},
            "model":"m"}},"cost_micros":null,"wall_ms":600000}"#;
        let entry = JournalEntry {
            index,
            kind: "model".to_owned(),
            asked: Digest::of(b"another question"),
            request: "{}".to_owned(),
            answer: answer.to_owned(),
        };
        shop.store.append(&lease, 0, entry).await.expect("appended");
    }
    shop.store.release(&lease, "a test").await.expect("released");
}

/// With a deadline so much later than now.
fn within(millis: u64) -> Budget {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    Budget { deadline: Some(now + millis), ..Budget::default() }
}

#[tokio::test]
async fn time_that_the_journal_tells_of_brings_no_deadline_nearer() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    shop.vendor.answers(1);
    let id = shop.submit("ask", "pass", within(600_000)).await;
    answered_elsewhere(&shop).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green), "{events:?}");
    assert!(task.spend.wall_ms >= 1_200_000, "{}", task.spend.wall_ms);
}

#[tokio::test]
async fn a_deadline_that_passes_between_two_steps_ends_the_task() {
    // Longer than there is time, all its waits together.
    let store = Arc::new(Flaky::with(&[("commit", false); 7]));
    let shop = Shop::open(store.clone()).await;
    let id = shop.submit("noop", "pass", within(1_500)).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    let reason = task.outcome.map(|outcome| outcome.reason);
    assert_eq!(reason, Some(Reason::Budget { limit: Limit::Deadline }), "{events:?}");
    assert_eq!(count(&events, |body| matches!(body, EventBody::Checked { .. })), 0, "{events:?}");
}

#[tokio::test]
async fn a_step_that_asks_something_new_starts_anew_and_pays_for_what_it_had() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    shop.vendor.answers(1);
    let id = shop.submit("ask", "pass", Budget::default()).await;
    answered_elsewhere(&shop).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(Reason::Green));
    assert_eq!((task.spend.tokens(), task.spend.model_calls), (200 + TOKENS, 3));
    assert!(task.spend.wall_ms >= 1_200_000, "{}", task.spend.wall_ms);
    assert_eq!(count(&events, |body| matches!(body, EventBody::StepRestarted { .. })), 1, "{events:?}");
}

#[tokio::test]
async fn a_fixer_that_stops_announces_no_check() {
    let shop = Shop::open(Arc::new(MemoryStore::default())).await;
    let id = shop.submit("noop", "fail", Budget::default()).await;
    let worker = shop.worker("one", GRACE);
    let (task, events) = shop.ended(&id).await;
    worker.stop().await;
    let reason = Reason::Stopped { reason: "no way on".to_owned() };
    assert_eq!(task.outcome.map(|outcome| outcome.reason), Some(reason));
    assert_eq!(count(&events, |body| matches!(body, EventBody::Checked { .. })), 1, "{events:?}");
}
