//! The same random verbs on memory, which is the model, and on another back end: every reply must be
//! the same.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::sample::{advanced, ended, entry, id, keyed, log, new_task, tree, waiting};
use super::{START, Subject, memory, redis, sqlite};
use crate::store::{Claim, ClaimRequest, Clock, Ending, Filter, Lease, Limits, QueueLimits};
use crate::task::{Digest, Place, State, Task};

/// What is asked of both stores. Numbers are small, so that they meet often.
#[derive(Clone, Debug)]
enum Op {
    Submit { task: u64, key: Option<u8>, body: u8, place: (u8, u8, u8, Option<u64>) },
    Requeue(u64),
    Pause(u8, bool),
    Queues,
    Claim { worker: u8, nonce: u64, seconds: u64, limited: u64 },
    Held { claim: usize, verb: Verb },
    Cancel(u64),
    Reap,
    Expire,
    Gc { seconds: u64 },
    List(Box<Filter>),
    Past { seconds: u64, most: usize },
    Delete(u64),
    PutBlob(u8),
    GetBlob(u8),
    Wait { seconds: u64 },
}

/// What the holder of a lease asks, be it still valid or not.
#[derive(Clone, Debug)]
enum Verb {
    Heartbeat,
    Append { step: u32, index: u32, answer: u8 },
    Emit(u8),
    Commit { tree: u8, line: Option<u8> },
    Finish { tree: u8 },
    Release,
    Postpone { tree: u8, seconds: u64 },
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        2 => Just(Verb::Heartbeat),
        3 => (0..2u32, 0..4u32, 0..2u8).prop_map(|(step, index, answer)| Verb::Append { step, index, answer }),
        2 => (0..4u8).prop_map(Verb::Emit),
        4 => (0..4u8, prop::option::of(0..2u8)).prop_map(|(tree, line)| Verb::Commit { tree, line }),
        2 => (0..4u8).prop_map(|tree| Verb::Finish { tree }),
        2 => Just(Verb::Release),
        2 => (0..4u8, 0..40u64).prop_map(|(tree, seconds)| Verb::Postpone { tree, seconds }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let state = prop::option::of(prop_oneof![Just(State::Queued), Just(State::Running), Just(State::Ended)]);
    let text = prop::option::of(prop_oneof![Just("GOAL 1"), Just("0004"), Just("none")]);
    let ending = prop_oneof![Just(Ending::Green), Just(Ending::NotGreen), Just(Ending::Cancelled)];
    let rare = || prop::option::weighted(0.2, 0..8u64);
    let first = (state, prop::bool::weighted(0.2), text, prop::option::weighted(0.2, ending));
    (first, rare(), rare(), rare(), rare(), 0..4usize).prop_map(
        |((state, dead, text, outcome), since, until, cursor, floor, limit)| Filter {
            state,
            dead,
            outcome,
            text: text.map(str::to_owned),
            since: since.map(|hour| START + hour * 3_600_000),
            until: until.map(|hour| START + hour * 3_600_000),
            cursor: cursor.map(id),
            floor: floor.map(id),
            limit,
            ..Filter::default()
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let place = (0..2u8, 0..3u8, 4..7u8, prop::option::of(0..100u64));
    let submit = (0..8u64, prop::option::of(0..3u8), 0..2u8, place);
    prop_oneof![
        4 => submit.prop_map(|(task, key, body, place)| Op::Submit { task, key, body, place }),
        6 => (0..2u8, 0..4u64, 1..60u64, 0..3u64)
            .prop_map(|(worker, nonce, seconds, limited)| Op::Claim { worker, nonce, seconds, limited }),
        14 => (0..6usize, verb()).prop_map(|(claim, verb)| Op::Held { claim, verb }),
        2 => (0..8u64).prop_map(Op::Cancel),
        3 => Just(Op::Reap),
        2 => Just(Op::Expire),
        2 => (0..8u64).prop_map(Op::Requeue),
        1 => (0..2u8, prop::bool::weighted(0.3)).prop_map(|(queue, paused)| Op::Pause(queue, paused)),
        1 => Just(Op::Queues),
        1 => (0..100_000u64).prop_map(|seconds| Op::Gc { seconds }),
        3 => filter().prop_map(|filter| Op::List(Box::new(filter))),
        1 => (0..100_000u64, 0..4usize).prop_map(|(seconds, most)| Op::Past { seconds, most }),
        2 => (0..8u64).prop_map(Op::Delete),
        2 => (0..5u8).prop_map(Op::PutBlob),
        1 => (0..5u8).prop_map(Op::GetBlob),
        4 => prop_oneof![1..40u64, 1000..90_000u64].prop_map(|seconds| Op::Wait { seconds }),
    ]
}

/// 0: none.
fn limits(limited: u64) -> Arc<Limits> {
    let limits = QueueLimits { running: Some(limited * 2), running_per_tenant: Some(limited) };
    let queues = (limited > 0).then(|| ("q0".to_owned(), limits)).into_iter().collect();
    Arc::new(Limits { default: QueueLimits::default(), queues })
}

/// The bytes of blob `number`: snapshots (even) and the files they hold (odd).
fn blob(number: u8) -> Bytes {
    let (tree, file) = tree(&format!("text {}", number / 2));
    if number.is_multiple_of(2) { tree.manifest().to_bytes().into() } else { file }
}

/// One store, and the claims it has given.
struct Side {
    on: Subject,
    claims: Vec<Claim>,
}

impl Side {
    async fn apply(&mut self, op: &Op) -> String {
        let store = &self.on.store;
        match op {
            Op::Submit { task, key, body, place: (queue, tenant, priority, delay) } => {
                let mut new = match key {
                    Some(key) => keyed(*task, &key.to_string(), &[*body]),
                    None => new_task(*task),
                };
                new.spec.tree = Digest::of(&blob(*body * 2));
                let not_before = delay.map(|delay| (self.on.clock.now().millis()) + delay * 1000);
                let (queue, tenant) = (format!("q{queue}"), format!("t{tenant}"));
                new.place = Place { queue, tenant, priority: *priority, not_before };
                new.max_waiting = Some(5);
                // By its number alone, so that the same task may come again.
                let deadline = START + 20_000 * (task + 1);
                new.spec.budget.deadline = task.is_multiple_of(2).then_some(deadline);
                format!("{:?}", store.submit(new).await)
            }
            Op::Claim { worker, nonce, seconds, limited } => {
                let lease = Duration::from_secs(*seconds);
                let request = ClaimRequest {
                    limits: limits(*limited),
                    ..ClaimRequest::new(format!("w{worker}"), *nonce, lease)
                };
                let reply = store.claim(&request).await;
                if let Ok(Some(claim)) = &reply {
                    self.claims.push(claim.clone());
                }
                format!("{reply:?}")
            }
            Op::Held { claim, verb } => {
                let back = self.claims.len().checked_sub(claim + 1);
                match back.map(|at| self.claims[at].clone()) {
                    Some(claim) => self.held(&claim.lease, &claim.task, verb).await,
                    None => "no claim yet".to_owned(),
                }
            }
            Op::Cancel(task) => format!("{:?}", store.cancel(&id(*task)).await),
            Op::Requeue(task) => format!("{:?}", store.requeue(&id(*task), "asked").await),
            Op::Pause(queue, paused) => format!("{:?}", store.pause(&format!("q{queue}"), *paused).await),
            Op::Queues => format!("{:?} {:?}", store.queues().await, store.cancels().await),
            Op::Expire => format!("{:?}", store.expire().await),
            Op::Reap => format!("{:?}", store.reap().await),
            Op::Gc { seconds } => format!("{:?}", store.gc(Duration::from_secs(*seconds)).await),
            Op::List(filter) => format!("{:?} {:?}", store.list(filter).await, store.count(filter).await),
            Op::Past { seconds, most } => format!("{:?}", store.past(START + seconds * 1000, *most).await),
            Op::Delete(task) => format!("{:?}", store.delete(&id(*task)).await),
            Op::PutBlob(number) => format!("{:?}", store.put_blob(blob(*number)).await),
            Op::GetBlob(number) => format!("{:?}", store.get_blob(&Digest::of(&blob(*number))).await),
            Op::Wait { seconds } => {
                self.on.wait(*seconds);
                String::new()
            }
        }
    }

    async fn held(&self, lease: &Lease, task: &Task, verb: &Verb) -> String {
        let store = &self.on.store;
        let left = |tree: u8| advanced(task, &Digest::of(&blob(tree)));
        match verb {
            Verb::Heartbeat => format!("{:?}", store.heartbeat(lease).await),
            Verb::Append { step, index, answer } => {
                format!("{:?}", store.append(lease, *step, entry(*index, &answer.to_string())).await)
            }
            Verb::Emit(lines) => {
                let lines = (0..*lines).map(|line| log(&line.to_string())).collect();
                format!("{:?}", store.emit(lease, lines).await)
            }
            Verb::Commit { tree, line } => {
                let events = line.map(|line| log(&line.to_string())).into_iter().collect();
                format!("{:?}", store.commit(lease, &left(*tree), events).await)
            }
            Verb::Finish { tree } => {
                format!("{:?}", store.finish(lease, &ended(&left(*tree)), vec![log("last")]).await)
            }
            Verb::Postpone { tree, seconds } => {
                let task = waiting(&left(*tree), u32::from(*tree));
                let wait = Duration::from_secs(*seconds);
                format!("{:?}", store.postpone(lease, &task, vec![log("away")], wait, "why").await)
            }
            Verb::Release => format!("{:?}", store.release(lease, "drain").await),
        }
    }

    /// Everything a reader can see.
    async fn all(&self) -> Vec<String> {
        let store = &self.on.store;
        let mut seen = vec![format!("{:?}", store.stats().await)];
        for task in (0..8).map(id) {
            seen.push(format!("{:?}", store.get(&task).await));
            seen.push(format!("{:?}", store.events(&task, 0, usize::MAX).await));
            for step in 0..2 {
                seen.push(format!("{:?}", store.journal(&task, step).await));
            }
        }
        let mut found = store.fsck().await.expect("checks");
        found.sort();
        seen.extend(found);
        seen
    }
}

fn answers_as_memory_does(
    ops: &[Op],
    real: impl Future<Output = Subject>,
) -> Result<(), proptest::test_runner::TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut model = Side { on: memory().await, claims: Vec::new() };
        let mut real = Side { on: real.await, claims: Vec::new() };
        for op in ops {
            let (expected, reply) = (model.apply(op).await, real.apply(op).await);
            prop_assert_eq!(reply, expected, "{:?}", op);
        }
        prop_assert_eq!(real.all().await, model.all().await);
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_answers_as_memory_does(ops in prop::collection::vec(op(), 1..80)) {
        answers_as_memory_does(&ops, sqlite())?;
    }

    #[test]
    fn redis_answers_as_memory_does(ops in prop::collection::vec(op(), 1..80)) {
        answers_as_memory_does(&ops, redis())?;
    }
}

#[test]
fn a_manual_clock_moves_only_by_hand() {
    let clock = Clock::manual(START);
    let copy = clock.clone();
    assert_eq!(clock.now().micros, START * 1000);
    copy.advance(Duration::from_millis(2));
    assert_eq!(clock.now().millis(), START + 2);
}
