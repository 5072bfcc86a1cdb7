//! `kill -9` of the whole host in the middle of a step: after a restart on the same state the task
//! ends as it would have, and nothing that the model has answered is asked again.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::sse::Message;
use crate::steady::steady;
use crate::test_host::{Setup, TestHost};

/// When the host is killed.
enum Moment {
    /// So many requests have reached the model.
    Asked(usize),
    /// A check is running.
    Checking,
}

struct Interruption {
    moment: Moment,
    test: &'static str,
    /// The model's replies to the first host and to the second.
    before: Vec<Reply>,
    after: Vec<Reply>,
    /// The steps of both hosts together.
    steps: &'static [&'static str],
}

/// Computes for seconds: long enough to be killed in.
const SLOW_TEST: &str = "\
import unittest
from add import add


class TestAdd(unittest.TestCase):
    def test_sum(self):
        for n in range(1_500_000):
            add(n, 3)
        self.assertEqual(add(2, 3), 5)
";

#[tokio::test]
async fn in_a_build() {
    survives(Interruption {
        moment: Moment::Asked(1),
        test: sample::TEST,
        before: vec![Reply::HalfHeld(sample::WRONG.to_owned())],
        after: vec![Reply::says(sample::WRONG), Reply::says(sample::RIGHT)],
        steps: &["build 0", "build 0", "check 0", "fix 0", "check 0"],
    })
    .await;
}

#[tokio::test]
async fn in_a_check() {
    survives(Interruption {
        moment: Moment::Checking,
        test: SLOW_TEST,
        before: vec![Reply::says(sample::RIGHT)],
        after: vec![],
        steps: &["build 0", "check 0", "check 0"],
    })
    .await;
}

#[tokio::test]
async fn in_a_fix() {
    survives(Interruption {
        moment: Moment::Asked(2),
        test: sample::TEST,
        before: vec![Reply::says(sample::WRONG), Reply::Silent],
        after: vec![Reply::says(sample::RIGHT)],
        steps: &["build 0", "check 0", "fix 0", "fix 0", "check 0"],
    })
    .await;
}

/// The first answer is in the journal when the host dies, and the step is not committed: the second
/// host reads it there and asks only what was not answered.
#[tokio::test]
async fn between_two_answers_of_one_step() {
    survives(between_answers()).await;
}

/// What only a power cut may take, a killed process leaves.
#[tokio::test]
async fn before_anything_is_on_the_disk() {
    survives_with("everysec", between_answers()).await;
}

fn between_answers() -> Interruption {
    Interruption {
        moment: Moment::Asked(2),
        test: sample::TEST,
        before: vec![Reply::says("I would rather not write code today."), Reply::Silent],
        after: vec![Reply::says(sample::RIGHT)],
        steps: &["build 0", "build 1", "check 0"],
    }
}

async fn survives(interruption: Interruption) {
    survives_with("always", interruption).await;
}

async fn survives_with(fsync: &str, interruption: Interruption) {
    let Interruption { moment, test, before, after, steps } = interruption;
    let undisturbed = undisturbed(test, before.iter().chain(&after)).await;

    let model = FakeModel::start(before).await;
    let setup = Setup::with_model(&model).set("sqlite.fsync", fsync);
    let host = setup.start().await;
    let id = host.submit(&body(test)).await;
    let mut events = host.events(&id, 0).await;
    match moment {
        Moment::Asked(count) => {
            model.until_asked(count).await;
            // The host must also have told of it: what it has not yet written is lost with it.
            for _ in 0..count {
                events.until("model-started").await;
            }
        }
        Moment::Checking => {
            let checking =
                |message: &Message| message.kind == "step-started" && message.data["kind"] == "check";
            while !events.next().await.is_some_and(|message| checking(&message)) {}
        }
    }
    host.kill().await;
    // Of requests that were cut off nothing is left to answer.
    model.forget();
    model.add(after);

    let host = setup.start().await;
    let events = host.events(&id, 0).await.all().await;
    assert_eq!(started(&events), steps);
    let ids: Vec<u64> = events.iter().map(|message| message.id).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>(), "events have no gaps");
    assert_eq!(told(&host, &id).await, undisturbed);
    model.assert_nothing_answered_was_asked_again();
}

/// How the task ends where nobody is killed.
async fn undisturbed(test: &str, replies: impl Iterator<Item = &Reply>) -> Value {
    let replies = replies.filter(|reply| matches!(reply, Reply::Says(_))).cloned();
    let model = FakeModel::start(replies).await;
    let host = Setup::with_model(&model).start().await;
    let id = host.submit(&body(test)).await;
    let end = host.ended(&id).await;
    assert_eq!(end["outcome"]["reason"], json!({ "kind": "green" }), "{end:#}");
    told(&host, &id).await
}

/// The task, but for the lost worker that it remembers.
async fn told(host: &TestHost, id: &str) -> Value {
    let mut task = steady(host.task(id).await);
    task["crashes"].take();
    task
}

fn started(events: &[Message]) -> Vec<String> {
    let started = events.iter().filter(|message| message.kind == "step-started");
    let word = |message: &Message| {
        format!("{} {}", message.data["kind"].as_str().unwrap_or("?"), message.data["replayed"])
    };
    started.map(word).collect()
}

fn body(test: &str) -> Value {
    let mut body = sample::body();
    body["files"][0]["content"] = json!(test);
    body
}
