//! Deadlines of tasks that nobody has begun.

use serde_json::json;

use crate::fake_model::FakeModel;
use crate::redis_server::RedisServer;
use crate::sample;
use crate::test_host::{Setup, json};

#[tokio::test]
async fn a_task_that_waits_ends_at_its_deadline_and_not_at_its_turn() {
    let redis = RedisServer::start("");
    for store in [None, Some(redis.url())] {
        let model = FakeModel::start([]).await;
        let mut setup = Setup::with_model(&model);
        if let Some(url) = store {
            setup = setup.set("store", url);
        }
        let host = setup.start().await;
        let (status, _) = json(host.post("/api/v1/queues/default/pause")).await;
        assert!(status.is_success());
        let mut body = sample::body();
        body["budget"] = json!({ "deadline": sample::in_millis(500) });
        let id = host.submit(&body).await;
        let other = host.submit(&sample::body()).await;
        let task = host.ended(&id).await;
        let reason = &task["outcome"]["reason"];
        assert_eq!(*reason, json!({ "kind": "budget", "limit": "deadline" }), "{task:#}");
        assert_eq!((&task["started_at"], &task["spend"]["rounds"]), (&json!(null), &json!(0)));
        assert_eq!(host.task(&other).await["state"], "queued");
        assert!(model.asked().is_empty());
    }
}
