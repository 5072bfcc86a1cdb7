//! Workers that are replaced one after the other while tasks run, as an upgrade does it.
//!
//! With AIAGENT_OTHER_HOST, the program of another version, every second worker is one of that version.

use std::path::PathBuf;

use aiagent_host::config::Environment;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::RedisServer;
use crate::sample;
use crate::test_host::{Setup, TestHost};

const ROUNDS: usize = 6;

/// More than one worker holds.
const TASKS: usize = 6;

#[tokio::test]
async fn workers_replaced_under_load_lose_nothing_and_fail_nothing() {
    let redis = RedisServer::start("appendonly yes\nappendfsync everysec");
    let model = FakeModel::start([]).await;
    let host = |role: &str| Setup::with_model(&model).set("store", redis.url()).set("role", role);
    let other = Environment::of_process().get("AIAGENT_OTHER_HOST").map(PathBuf::from);
    let dashboard = host("dashboard").start().await;
    let start = async |number: usize| -> TestHost {
        let setup = host("worker")
            .set("worker.name", format!("worker{number}"))
            .set("worker.tasks", TASKS as i64 / 2)
            .set("worker.grace_s", 1);
        match &other {
            Some(program) if number % 2 == 1 => setup.with_program(program).start().await,
            _ => setup.start().await,
        }
    };
    let mut workers = vec![start(0).await, start(1).await];
    let (mut ids, mut asked) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let gate = CancellationToken::new();
        let held = || Reply::Held(gate.clone(), Box::new(Reply::says(sample::RIGHT)));
        model.forget();
        model.add((0..TASKS).map(|_| held()));
        for number in 0..TASKS {
            let mut body = sample::body();
            body["goal"] = json!(format!("{} This is task {round}.{number}.", sample::GOAL));
            ids.push(dashboard.submit(&body).await);
        }
        model.until_asked(asked + TASKS).await;
        let leaves = workers.remove(0);
        leaves.signal("TERM").await;
        leaves.logged("SIGTERM: draining").await;
        // Every other time its steps can finish; else it hands them back when its grace is over.
        if round % 2 == 0 {
            gate.cancel();
        }
        let next = start(round + 2).await;
        // Those that are handed back are asked once more.
        model.add((0..TASKS).map(|_| held()));
        assert_eq!(leaves.exit().await, Some(0));
        workers.push(next);
        gate.cancel();
        for id in &ids[round * TASKS..] {
            dashboard.ended(id).await;
        }
        asked = model.asked().len();
    }
    for id in &ids {
        let task = dashboard.task(id).await;
        assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
        assert_eq!(task["crashes"], json!(0), "{task:#}");
        let events = dashboard.events(id, 0).await.all().await;
        let numbers: Vec<u64> = events.iter().map(|message| message.id).collect();
        assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "events have no gaps");
    }
    model.assert_nothing_answered_was_asked_again();
    let sound = host("dashboard").run(["queue", "fsck"]).await;
    assert_eq!((sound.code, sound.out.as_str()), (0, ""), "{}", sound.err);
    eprintln!("{ROUNDS} workers replaced; {} of {} tasks green", ids.len(), ids.len());
}
