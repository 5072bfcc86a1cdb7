//! Workers whose clocks are wrong: what counts is the store's.

use serde_json::json;

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::RedisServer;
use crate::sample;
use crate::test_host::{Setup, json};

#[tokio::test]
async fn a_worker_with_a_wrong_clock_does_as_the_others_do() {
    let redis = RedisServer::start("appendonly yes\nappendfsync everysec");
    let model = FakeModel::start([]).await;
    let host = |role: &str| Setup::with_model(&model).set("store", redis.url()).set("role", role);
    let dashboard = host("dashboard").start().await;
    let now = sample::in_millis(0);
    let mut body = sample::body();
    // By the clock that is ahead it has passed.
    body["budget"] = json!({ "deadline": now + 1_800_000 });
    let faketime = preloaded().await;
    for (name, wrong) in [("ahead", "+3600"), ("behind", "-90000")] {
        let start = || {
            let worker = host("worker").set("worker.name", name);
            // Time that passes is right, as where a clock was set wrongly.
            worker
                .env("LD_PRELOAD", &faketime)
                .env("FAKETIME", wrong)
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        };
        model.forget();
        model.add([Reply::Silent, Reply::says(sample::RIGHT), Reply::says(sample::RIGHT)]);
        let asked = model.asked().len();
        let dies = start().start().await;
        let id = dashboard.submit(&body).await;
        model.until_asked(asked + 1).await;
        let began = loop {
            let workers = json(dashboard.get("/api/v1/workers")).await.1["workers"].clone();
            let its = workers.as_array().and_then(|all| all.iter().find(|worker| worker["name"] == name));
            if let Some(began) = its.and_then(|worker| worker["started_at"].as_u64()) {
                break began;
            }
        };
        assert!(began.abs_diff(now) > 1_800_000, "{name}: its clock is right: {began}");
        let lost = dashboard.submit(&body).await;
        model.until_asked(asked + 2).await;
        dashboard.ended(&lost).await;
        dies.kill().await;
        let _takes_over = start().start().await;
        for id in [&id, &lost] {
            let task = dashboard.ended(id).await;
            assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{name}: {task:#}");
        }
        let task = dashboard.task(&id).await;
        assert_eq!(task["crashes"], json!(1), "{name}: the lease ran out by the store's clock: {task:#}");
    }
    let sound = host("dashboard").run(["queue", "fsck"]).await;
    assert_eq!((sound.code, sound.out.as_str()), (0, ""), "{}", sound.err);
}

/// The library that sets a program's clock. Its command would stand between us and the program.
async fn preloaded() -> String {
    let told = tokio::process::Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
    let told = told.await.expect("faketime runs; `.ci/setup.sh test` installs it").stdout;
    String::from_utf8(told).expect("UTF-8").trim().to_owned()
}
