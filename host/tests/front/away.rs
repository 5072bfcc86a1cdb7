//! A model that is away: its tasks wait for it in the queue, and others go on meanwhile.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::RedisServer;
use crate::sample;
use crate::test_host::{Setup, TestHost, json};

fn down(headers: &'static str) -> Reply {
    Reply::Sends(503, headers, json!({ "error": { "message": "down", "type": "server_error" } }).to_string())
}

/// One task at a time, and no attempts within a call.
fn setup(model: &FakeModel) -> Setup {
    Setup::with_model(model)
        .set("models.default.retries", 0)
        .set("worker.tasks", 1)
        .set("worker.model_retries", 3)
        .set("worker.model_retry_s", 0.1)
}

/// The waits that its events tell of.
async fn waits(host: &TestHost, id: &str) -> Vec<Value> {
    let events = host.events(id, 0).await.all().await;
    let ids: Vec<u64> = events.iter().map(|message| message.id).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>(), "events have no gaps");
    events.into_iter().filter(|message| message.kind == "requeued").map(|message| message.data).collect()
}

#[tokio::test]
async fn a_task_waits_for_its_model_and_goes_on_where_it_was() {
    let redis = RedisServer::start("");
    for store in [None, Some(redis.url())] {
        let model = FakeModel::start([
            Reply::says(sample::WRONG),
            down(""),
            Reply::Closes,
            Reply::says(sample::RIGHT),
        ])
        .await;
        let setup = match store {
            None => setup(&model),
            Some(url) => setup(&model).set("store", url),
        };
        let host = setup.start().await;
        let id = host.submit(&sample::body()).await;
        let task = host.ended(&id).await;
        assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
        assert_eq!((&task["crashes"], &task["postponed"]), (&json!(0), &Value::Null));
        assert_eq!(task["rounds"].as_array().map(Vec::len), Some(2));
        let waits = waits(&host, &id).await;
        let overloaded = "model default: the model's server is overloaded or down";
        assert_eq!(waits.len(), 2, "{waits:?}");
        assert_eq!(waits[0]["why"], overloaded);
        assert!(waits.iter().all(|wait| wait["wait_ms"].as_u64().is_some_and(|ms| ms <= 200)), "{waits:?}");
        // The answer that came before is not asked for again, and what was asked in vain is the same each time.
        let asked: Vec<_> = model.asked().into_iter().map(|asked| asked.idempotency_key).collect();
        assert!(asked.len() == 4 && asked[0] != asked[1], "{asked:?}");
        assert!(asked[1..].iter().all(|key| *key == asked[1]), "{asked:?}");
    }
}

#[tokio::test]
async fn others_run_while_a_task_waits_for_its_model() {
    let model = FakeModel::start([down("retry-after: 3600\r\n"), Reply::says(sample::RIGHT)]).await;
    let host = setup(&model).start().await;
    let waiting = host.submit(&sample::body()).await;
    host.events(&waiting, 0).await.until("requeued").await;
    let other = host.ended(&host.submit(&sample::body()).await).await;
    assert_eq!(other["outcome"]["reason"], json!({ "kind": "green" }), "{other:#}");
    let task = host.task(&waiting).await;
    let postponed = &task["postponed"];
    assert_eq!((&task["state"], &task["worker"]), (&json!("queued"), &Value::Null));
    assert_eq!(postponed["times"], 1);
    assert_eq!(
        postponed["why"],
        "model default: the model's server is overloaded or down; it asks to wait 3600.0 s"
    );
    let submitted = task["submitted_at"].as_u64().expect("a time");
    assert!(postponed["until"].as_u64().is_some_and(|until| until >= submitted + 3_600_000), "{task:#}");
    let (_, list) = json(host.get("/api/v1/tasks?state=queued")).await;
    assert_eq!(list["tasks"][0]["postponed"], *postponed);
    let (status, _) = json(host.post(&format!("/api/v1/tasks/{waiting}/cancel"))).await;
    assert_eq!(status, 202);
    assert_eq!(host.ended(&waiting).await["outcome"]["reason"], json!({ "kind": "cancelled" }));
}

#[tokio::test]
async fn a_model_that_stays_away_ends_the_task_with_what_it_said_last() {
    let model = FakeModel::start([down(""), Reply::Closes, down(""), down("")]).await;
    let host = setup(&model).start().await;
    let id = host.submit(&sample::body()).await;
    let task = host.ended(&id).await;
    let said = "the model's server is overloaded or down; model default was tried again 3 times (worker.model_retries)";
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "model-failed", "message": said }), "{task:#}");
    assert_eq!((waits(&host, &id).await.len(), model.asked().len()), (3, 4));
}

/// Waiting on would tell less than the model's own error does.
#[tokio::test]
async fn no_task_waits_beyond_its_deadline() {
    let model = FakeModel::start([down("retry-after: 3600\r\n")]).await;
    let host = setup(&model).start().await;
    let mut body = sample::body();
    body["budget"] = json!({ "deadline": sample::in_millis(3_000_000) });
    let id = host.submit(&body).await;
    let task = host.ended(&id).await;
    let said = "the model's server is overloaded or down; it asks to wait 3600.0 s";
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "model-failed", "message": said }), "{task:#}");
}
