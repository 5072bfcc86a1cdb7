//! What the page needs beyond one task: running it again, looking into its steps, finding it among others.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::{Setup, TestHost, json, text};

async fn again(host: &TestHost, id: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    json(host.post(&format!("/api/v1/tasks/{id}/again")).header("idempotency-key", key).json(body)).await
}

async fn ids(host: &TestHost, query: &str) -> Vec<String> {
    let (status, page) = json(host.get(&format!("/api/v1/tasks?{query}"))).await;
    assert_eq!(status, 200, "{page}");
    page["tasks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|task| task["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn a_task_runs_again_with_changes() {
    let model =
        FakeModel::start([sample::WRONG, sample::RIGHT, sample::RIGHT, sample::RIGHT].map(Reply::says)).await;
    let host = Setup::with_model(&model).set("pipelines.other.max_rounds", 2).start().await;
    let first = host.submit(&sample::body()).await;
    host.ended(&first).await;

    let (status, accepted) = again(&host, &first, "a", &json!({ "pipeline": "other" })).await;
    assert_eq!(status, 202, "{accepted}");
    assert_eq!(again(&host, &first, "a", &json!({ "pipeline": "other" })).await.0, 200);
    assert_eq!(again(&host, &first, "a", &json!({})).await.0, 409);
    let second = accepted["id"].as_str().expect("an id").to_owned();
    let task = host.ended(&second).await;
    assert_eq!(
        (&task["spec"]["parent"], &task["spec"]["pipeline"]["name"], &task["spec"]["tests"]),
        (&json!(first), &json!("other"), &json!(["test_add.py"]))
    );

    // From what round 1 left: the wrong tree is what the diff is then against.
    let (_, accepted) = again(&host, &first, "b", &json!({ "round": 1, "budget": { "rounds": 1 } })).await;
    let third = accepted["id"].as_str().expect("an id").to_owned();
    let task = host.ended(&third).await;
    let first_task = host.task(&first).await;
    assert_eq!(task["spec"]["tree"], first_task["rounds"][0]["tree"]);
    let (_, since_round_1) = text(host.get(&format!("/api/v1/tasks/{first}/diff?from=1"))).await;
    let (_, of_third) = text(host.get(&format!("/api/v1/tasks/{third}/diff"))).await;
    assert_eq!(since_round_1, of_third);
    assert!(since_round_1.contains("-"), "{since_round_1}");

    let wrong = sample::DIFF.replace("a + b", "a - b");
    // Between two tasks: their results are the same, and what either left before is not.
    for (query, diff) in [
        ("", ""),
        ("&from=1", since_round_1.as_str()),
        ("&from=0", sample::DIFF),
        ("&from=0&round=0", wrong.as_str()),
    ] {
        let path = format!("/api/v1/tasks/{third}/diff?with={first}{query}");
        assert_eq!(text(host.get(&path)).await, (StatusCode::OK, diff.to_owned()), "{query}");
    }
    for (with, status, said) in [
        (format!("{first}&from=9"), 404, "round 9 left no tree"),
        ("01J9Z3NDEKTSV4RRFFQ69G5FAV".to_owned(), 404, "no task 01J9Z3NDEKTSV4RRFFQ69G5FAV"),
    ] {
        let (got, problem) = json(host.get(&format!("/api/v1/tasks/{third}/diff?with={with}"))).await;
        assert_eq!((got.as_u16(), &problem["detail"]), (status, &json!(said)));
    }

    assert_eq!(ids(&host, &format!("parent={first}")).await, [third.clone(), second.clone()]);
    assert_eq!(ids(&host, "outcome=green&plugin=fixer&model=default&limit=2").await, [third.clone(), second]);
    assert_eq!(ids(&host, "outcome=not-green").await, [""; 0]);
    assert_eq!(ids(&host, "model=another").await, [""; 0]);
    let submitted = task["submitted_at"].as_u64().expect("a time");
    assert_eq!(ids(&host, &format!("since={submitted}")).await, [third]);
    assert_eq!(ids(&host, &format!("until={}", submitted + 1)).await.len(), 3);
    assert_eq!(ids(&host, "until=1").await, [""; 0]);

    for (body, status, said) in [
        (json!({ "round": 9 }), 404, "round 9 left no tree"),
        (json!({ "pipeline": "nope" }), 422, "there is no pipeline \"nope\"; configured are: default, other"),
        (json!({ "what": 1 }), 400, "the body can't be read: unknown field `what`"),
    ] {
        let (got, problem) = again(&host, &first, "c", &body).await;
        assert_eq!(got, status);
        assert!(problem["detail"].as_str().expect("text").starts_with(said), "{problem}");
    }
}

#[tokio::test]
async fn what_a_step_asked_can_be_read() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model).set("models.default.key_env", "MODEL_KEY");
    let host = host.env("MODEL_KEY", "key-canary").start().await;
    let id = host.submit(&sample::body()).await;
    host.ended(&id).await;
    let (_, journal) = json(host.get(&format!("/api/v1/tasks/{id}/journal"))).await;
    let entry = &journal["steps"][0]["entries"][0];
    assert_eq!((&journal["steps"][0]["step"], &entry["kind"]), (&json!(0), &json!("model")));
    assert!(entry["request"].as_str().expect("text").contains(sample::GOAL), "{entry}");
    assert!(entry["answer"].as_str().expect("text").contains("def add"), "{entry}");
    assert!(!journal.to_string().contains("canary"));
    let (status, problem) = json(host.get(&format!("/api/v1/tasks/{id}/journal?limit=0"))).await;
    assert_eq!((status.as_u16(), &problem["detail"]), (400, &json!("limit is 0; use 1 to 50")));
}

#[tokio::test]
async fn a_change_of_any_task_is_told() {
    let host = Setup::new().start().await;
    let mut changes = host.get("/api/v1/changes").send().await.expect("an answer");
    assert_eq!(changes.headers()["x-accel-buffering"], "no");
    host.submit(&sample::body()).await;
    let message = crate::patience("a change", changes.chunk()).await.expect("open").expect("a message");
    assert_eq!(message, "event: changed\ndata: {}\n\n");
}

#[tokio::test]
async fn samples_and_defaults_are_told() {
    let host = Setup::new().set("budget.tokens", 1234).start().await;
    let (_, samples) = json(host.get("/api/v1/samples")).await;
    let samples = samples.as_array().expect("a list");
    let fizz = samples.iter().find(|sample| sample["name"] == "fizz").expect("a sample");
    assert!(fizz["goal"].as_str().expect("text").starts_with("Write fizz.py"), "{fizz}");
    assert_eq!(fizz["files"][0]["path"], "test_fizz.py");
    let (_, about) = json(host.get("/api/v1/about")).await;
    assert_eq!((&about["budget"]["tokens"], &about["worker"]), (&json!(1234), &json!(true)));
}
