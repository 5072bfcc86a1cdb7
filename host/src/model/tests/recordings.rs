//! A replay says what the record heard, without a network and without a key.

use std::time::Duration;

use super::vendor::{hanging, ok, status, streamed, with};
use super::*;
use crate::model::Replay;

fn replay(folder: &tempfile::TempDir) -> Mode {
    Mode::Replay(Replay { paths: vec![recording(folder)], pace: 0.0, cycle: false })
}

/// Waits are drawn at random, clocks differ, and this wire format's answers name no model.
fn untimed(
    result: Result<Answered, ModelError>,
    events: Vec<DoorEvent>,
) -> (Result<Answered, ModelError>, Vec<DoorEvent>) {
    let still = |event| match event {
        DoorEvent::Retrying { error, .. } => DoorEvent::Retrying { error, wait: Duration::ZERO },
        other @ (DoorEvent::Text(_) | DoorEvent::Thinking(_) | DoorEvent::Away) => other,
    };
    let plain = |mut answered: Answered| {
        answered.completion.model.clear();
        Answered { wall: Duration::ZERO, ..answered }
    };
    (result.map(plain), events.into_iter().map(still).collect())
}

#[tokio::test]
async fn a_replay_equals_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendor = Vendor::of([
        with(
            with(status(429, "for sk-canary-0123456789abcdef"), "retry-after-ms", "3"),
            "x-request-id",
            CANARY,
        ),
        hanging(&["text ha"]),
        streamed(&["think ü", "\ntext Bearer sk-can", "ary-0123456789abcdef\nusage 7 8\n", "done\n"]),
        ok("text second\ndone\n"),
        status(401, "not sk-canary-0123456789abcdef"),
    ])
    .await;
    let mut bench = Bench::new(&vendor);
    bench.mode = Mode::Record(recording(&folder));
    bench.config.idle_timeout = Duration::from_millis(50);
    let door = bench.door();
    let mut seeded = request("hello");
    seeded.seed = Some(1);
    // A tree may hold the key.
    let with_key = request(&format!("my key is {CANARY}"));
    let asked = [seeded.clone(), seeded, with_key];
    let mut recorded = Vec::new();
    for request in asked.clone() {
        let (result, events) = bench.ask_at(&door, request).await;
        recorded.push(untimed(result, events));
    }
    drop(vendor);
    let text = std::fs::read_to_string(recording(&folder)).expect("a recording");
    assert_eq!(text.lines().count(), 5);
    assert!(!text.contains("canary"), "{text}");

    bench.mode = replay(&folder);
    bench.config.key = KeySource::Env("AIAGENT_NO_SUCH_KEY".into());
    bench.config.allow.clear();
    bench.config.base_url = None;
    bench.config.model = "recorded".into();
    bench.config.context_window *= 2;
    let door = bench.door();
    for (index, mut request) in asked.into_iter().enumerate() {
        // Another run draws other seeds.
        request.seed = request.seed.map(|_| 99);
        let (result, events) = bench.ask_at(&door, request).await;
        assert_eq!(untimed(result, events), recorded[index]);
    }
    let error = bench.ask_at(&door, request("never asked")).await.0.expect_err("no recording");
    assert!(matches!(&error, ModelError::Unreachable(text) if text.contains("--record FILE")), "{error}");

    // Another model's answers are not this one's.
    bench.config.name = "n".into();
    let door =
        Door::new(vec![bench.config.clone(), ModelConfig { name: "m".into(), ..bench.config }], bench.mode);
    let events = &mut |_| {};
    let (request, wire, idempotency_key) = (request("hello"), &bench.wire, "k");
    let call = Completing {
        model: "n",
        request,
        wire,
        idempotency_key,
        trace: None,
        tokens_left: None,
        cost_left: None,
        events,
    };
    let error = door.expect("a door").complete(call).await.expect_err("no recording");
    assert!(matches!(error, ModelError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn a_pace_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendor = Vendor::of([with(status(503, ""), "retry-after-ms", "40"), ok("done\n")]).await;
    let mut bench = Bench::new(&vendor);
    bench.mode = Mode::Record(recording(&folder));
    bench.ask().await.0.expect("an answer");
    for (pace, slow) in [(0.0, false), (1.0, true)] {
        bench.mode = Mode::Replay(Replay { paths: vec![recording(&folder)], pace, cycle: false });
        let wall = bench.ask().await.0.expect("an answer").wall;
        assert_eq!(wall >= Duration::from_millis(40), slow, "{wall:?}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_an_error() {
    let vendor = Vendor::of([ok("done\n")]).await;
    let mut bench = Bench::new(&vendor);
    bench.mode = Mode::Record("/dev/full".into());
    let error = bench.error().await;
    assert!(
        matches!(&error, ModelError::Other(text) if text.contains("can't be recorded in /dev/full")),
        "{error}"
    );
}
