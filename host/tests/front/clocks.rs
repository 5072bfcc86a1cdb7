//! Workers whose clocks are wrong: what counts is the store's.

use serde_json::json;

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::RedisServer;
use crate::sample;
use crate::test_host::Setup;

#[tokio::test]
async fn a_worker_with_a_wrong_clock_does_as_the_others_do() {
    let redis = RedisServer::start("appendonly yes\nappendfsync everysec");
    let model = FakeModel::start([]).await;
    let host = |role: &str| Setup::with_model(&model).set("store", redis.url()).set("role", role);
    let dashboard = host("dashboard").start().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let mut body = sample::body();
    // An hour more than any of the clocks is wrong would still be enough for it.
    body["budget"] = json!({ "deadline": now.as_millis() as u64 + 1_800_000 });
    for (name, wrong) in [("ahead", "+3600"), ("behind", "-90000")] {
        let outer = ["faketime", "-f", wrong];
        let start = || host("worker").set("worker.name", name);
        model.forget();
        model.add([Reply::Silent, Reply::says(sample::RIGHT), Reply::says(sample::RIGHT)]);
        let asked = model.asked().len();
        let dies = start().start_in(&outer).await;
        let id = dashboard.submit(&body).await;
        model.until_asked(asked + 1).await;
        let lost = dashboard.submit(&body).await;
        model.until_asked(asked + 2).await;
        dashboard.ended(&lost).await;
        dies.kill().await;
        let _takes_over = start().start_in(&outer).await;
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
