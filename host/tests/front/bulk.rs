//! Many tasks at once: counted, cancelled, requeued, run again, deleted, added up.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::RedisServer;
use crate::sample;
use crate::test_host::{Setup, TestHost, json, text};

const NOBODY: &str = "00000000000000000000000001";

async fn bulk(host: &TestHost, deed: &str, body: &Value) -> (u16, Value) {
    let (status, reply) = json(host.post(&format!("/api/v1/tasks/bulk/{deed}")).json(body)).await;
    (status.as_u16(), reply)
}

async fn count(host: &TestHost, query: &str) -> Value {
    json(host.get(&format!("/api/v1/tasks/count?{query}"))).await.1
}

fn exactly(count: u64) -> Value {
    json!({ "count": count, "exact": true })
}

fn done(matched: u64, done: u64) -> (u16, Value) {
    (200, json!({ "matched": matched, "done": done, "refused": [] }))
}

async fn waiting(goals: &[&str]) -> (TestHost, Vec<String>) {
    let host = Setup::new().set("role", "dashboard").start().await;
    let mut ids = Vec::new();
    for goal in goals {
        ids.push(host.submit(&json!({ "goal": goal })).await);
    }
    (host, ids)
}

#[tokio::test]
async fn what_was_not_done_is_not_in_the_audit_log() {
    let (host, ids) = waiting(&["Pick apples"]).await;
    let cancel = async || json(host.post(&format!("/api/v1/tasks/{}/cancel", ids[0]))).await.1;
    assert_eq!(
        [cancel().await, cancel().await],
        ["ended", "already-ended"].map(|state| json!({ "state": state }))
    );
    let audit = json(host.get("/api/v1/audit")).await.1;
    let told = audit["entries"].as_array().expect("a list").iter();
    let told: Vec<_> = told.map(|entry| [&entry["what"], &entry["subject"]]).collect();
    let done = [[json!("cancelled"), json!(ids[0])], [json!("submitted"), json!(ids[0])]];
    assert_eq!(told, done.each_ref().map(|entry| entry.each_ref()));
}

#[tokio::test]
async fn what_a_store_does_not_answer_is_told_as_what_it_was() {
    let redis = RedisServer::start("");
    let host = Setup::new().set("role", "dashboard").set("store", redis.url()).start().await;
    let ids = [host.submit(&json!({ "goal": "One" })).await, host.submit(&json!({ "goal": "Two" })).await];
    assert_eq!(bulk(&host, "cancel", &json!({ "ids": ids })).await, done(2, 2));
    // From now on it reads, and writes nothing.
    redis.ask("CONFIG SET min-replicas-to-write 1");
    let (status, problem) = bulk(&host, "requeue", &json!({ "ids": [NOBODY, ids[0], ids[1]] })).await;
    assert_eq!(status, 503, "{problem}");
    // Nothing was begun.
    assert_eq!(bulk(&host, "requeue", &json!({ "ids": ["x"] })).await.0, 422);
    let audit = json(host.get("/api/v1/audit?limit=1")).await.1;
    let told = &audit["entries"][0];
    let detail = "of 2 more it is not known; failed (503 Service Unavailable); some of it may be done";
    assert_eq!(
        [&told["what"], &told["subject"], &told["detail"]],
        ["requeued", "0 tasks", detail].map(Value::from).each_ref()
    );
}

#[tokio::test]
async fn what_a_filter_finds_is_counted_cancelled_and_deleted() {
    let (host, ids) = waiting(&["Pick apples", "Pick pears", "Sort apples"]).await;
    assert_eq!(count(&host, "").await, exactly(3));
    assert_eq!(count(&host, "text=apples&state=queued&plugin=builder").await, exactly(2));
    assert_eq!(count(&host, "outcome=cancelled").await, exactly(0));

    let apples = |expect: u64| json!({ "filter": { "text": "apples" }, "expect": expect });
    let (status, problem) = bulk(&host, "cancel", &apples(1)).await;
    let detail = "2 tasks match by now, 1 were expected: nothing is done";
    assert_eq!((status, &problem["detail"], &problem["count"]), (409, &json!(detail), &json!(2)));
    assert_eq!(count(&host, "state=ended").await, exactly(0));
    // One that was expected and is no longer there does no harm.
    assert_eq!(bulk(&host, "cancel", &apples(9)).await, done(2, 2));
    assert_eq!(count(&host, "outcome=cancelled").await, exactly(2));

    let all = json!({ "filter": {}, "expect": 3 });
    let (_, reply) = bulk(&host, "delete", &all).await;
    let why = format!("task {} has not ended; cancel it, and delete it once it has ended", ids[1]);
    let refused = json!([{ "id": ids[1], "why": why }]);
    assert_eq!(reply, json!({ "matched": 3, "done": 2, "refused": refused }));
    assert_eq!(count(&host, "").await, exactly(1));
    let (status, problem) = json(host.get(&format!("/api/v1/tasks/{}", ids[0]))).await;
    assert_eq!((status.as_u16(), &problem["detail"]), (404, &json!(format!("no task {}", ids[0]))));
}

#[tokio::test]
async fn named_tasks_are_requeued_and_run_again() {
    let (host, ids) = waiting(&["One", "Two"]).await;
    let named = json!({ "ids": [ids[1], ids[0], ids[1]] });
    assert_eq!(bulk(&host, "cancel", &named).await, done(2, 2));
    assert_eq!(bulk(&host, "requeue", &named).await, done(2, 2));
    assert_eq!(count(&host, "state=queued").await, exactly(2));
    assert_eq!(bulk(&host, "again", &named).await, done(2, 2));
    for (id, goal) in ids.iter().zip(["One", "Two"]) {
        let (_, page) = json(host.get(&format!("/api/v1/tasks?parent={id}"))).await;
        assert_eq!(page["tasks"][0]["goal"], json!(goal), "{page}");
    }
    let (status, reply) = bulk(&host, "requeue", &json!({ "ids": [ids[0], NOBODY] })).await;
    let refused = json!([
        { "id": NOBODY, "why": format!("no task {NOBODY}") },
        { "id": ids[0], "why": format!("task {} has not ended", ids[0]) },
    ]);
    assert_eq!((status, reply), (200, json!({ "matched": 2, "done": 0, "refused": refused })));
}

#[tokio::test]
async fn a_request_for_many_that_is_not_clear_does_nothing() {
    let (host, ids) = waiting(&["One"]).await;
    let thousand_and_one = vec![NOBODY; 1_001];
    let either = "send either `ids`, or `filter` and `expect`";
    for (body, status, said) in [
        (json!({}), 422, either),
        (json!({ "ids": ids, "filter": {}, "expect": 1 }), 422, either),
        (json!({ "ids": ids, "expect": 1 }), 422, either),
        (json!({ "filter": {} }), 422, "`expect` is missing: say how many tasks the filter has found"),
        (json!({ "ids": thousand_and_one }), 422, "1001 ids are more than 1000: send them in parts"),
        (json!({ "ids": ["x"] }), 422, "\"x\" is not a task id: expected 26 letters and digits"),
        (json!({ "filter": { "parent": "x" }, "expect": 1 }), 400, "parent: \"x\" is not a task id"),
        (
            json!({ "filter": { "goal": "x" }, "expect": 1 }),
            400,
            "the body can't be read: unknown field `goal`",
        ),
    ] {
        let (got, problem) = bulk(&host, "cancel", &body).await;
        let detail = problem["detail"].as_str().expect("text");
        assert!(got == status && detail.starts_with(said), "{got} {detail}");
    }
    let (status, problem) = bulk(&host, "burn", &json!({ "ids": ids })).await;
    let known = "no such deed \"burn\"; known are cancel, requeue, again, delete";
    assert_eq!((status, &problem["detail"]), (404, &json!(known)));
    assert_eq!(text(host.post("/api/v1/tasks/bulk/cancel").body("{")).await.0, 400);
    assert_eq!(count(&host, "state=queued").await, exactly(1));
}

#[tokio::test]
async fn an_ended_task_is_deleted() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model).start().await;
    let id = host.submit(&sample::body()).await;
    host.ended(&id).await;
    let url = format!("/api/v1/tasks/{id}");
    let delete = || host.request(reqwest::Method::DELETE, &url);
    assert_eq!(text(delete()).await, (reqwest::StatusCode::NO_CONTENT, String::new()));
    assert_eq!(json(delete()).await.0, 404);
    for below in ["", "/events", "/diff", "/archive", "/journal"] {
        assert_eq!(text(host.get(&format!("{url}{below}"))).await.0, 404, "{below}");
    }
    assert_eq!(count(&host, "").await, exactly(0));
}

#[tokio::test]
async fn the_days_are_added_up() {
    let model = FakeModel::start([Reply::says(sample::RIGHT), Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model)
        .set("models.default.price_input", 1)
        .set("models.default.price_output", 1)
        .set("pipelines.plain.model", "")
        .start()
        .await;
    let mut spent = [0, 0, 0];
    for _ in 0..2 {
        let id = host.submit(&sample::body()).await;
        let task = host.ended(&id).await;
        for (sum, part) in spent.iter_mut().zip(["input_tokens", "output_tokens", "cost_micros"]) {
            *sum += task["spend"][part].as_u64().expect("a number");
        }
    }
    // Its builder finds no model.
    let other = host.submit(&json!({ "goal": "Anything", "pipeline": "plain" })).await;
    host.ended(&other).await;
    let (status, mut overview) = json(host.get("/api/v1/overview?days=2")).await;
    assert_eq!(status, 200);
    let days = overview["days"].as_array_mut().expect("a list");
    for day in days.iter_mut() {
        let date = day["day"].take();
        assert_eq!(date.as_str().map(|date| (date.len(), &date[..2])), Some((10, "20")), "{date}");
        for took in ["to_green_ms_p50", "to_green_ms_p90"] {
            if day[took].as_u64().is_some() {
                day[took] = json!("FIGURE");
            }
        }
    }
    // Unless midnight passed meanwhile.
    assert_eq!(
        overview,
        json!({ "truncated": false, "days": [
            { "day": null, "pipeline": "default", "model": "default", "ended": 2, "green": 2,
              "input_tokens": spent[0], "output_tokens": spent[1], "cost_micros": spent[2], "unpriced": 0,
              "to_green_ms_p50": "FIGURE", "to_green_ms_p90": "FIGURE" },
            { "day": null, "pipeline": "plain", "model": null, "ended": 1, "green": 0,
              "input_tokens": 0, "output_tokens": 0, "cost_micros": 0, "unpriced": 0,
              "to_green_ms_p50": null, "to_green_ms_p90": null },
        ] })
    );
    for days in ["0", "91"] {
        let (status, problem) = json(host.get(&format!("/api/v1/overview?days={days}"))).await;
        let detail = format!("days is {days}; use 1 to 90");
        assert_eq!((status.as_u16(), &problem["detail"]), (400, &json!(detail)));
    }
}
