//! What a task has with it on its way through the queue: a deadline, a trace.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample::{self, in_millis};
use crate::test_host::{Setup, json};

#[tokio::test]
async fn a_deadline_ends_what_runs_and_what_waits() {
    let model = FakeModel::start([Reply::Silent]).await;
    let host = Setup::with_model(&model).start().await;
    let mut body = sample::body();
    body["budget"] = json!({ "deadline": in_millis(5_000) });
    let task = host.ended(&host.submit(&body).await).await;
    let late = json!({ "kind": "budget", "limit": "deadline" });
    assert_eq!(task["outcome"]["reason"], late, "{task:#}");
    // Its turn comes after its deadline: no step is worth its price any more.
    body["budget"] = json!({ "deadline": in_millis(2_000) });
    body["place"] = json!({ "not_before": in_millis(2_500) });
    let submit = || host.post("/api/v1/tasks").header("idempotency-key", "mine").json(&body);
    let accepted = json(submit()).await.1;
    let id = accepted["id"].as_str().expect("an id");
    let task = host.ended(id).await;
    assert_eq!((&task["outcome"]["reason"], &task["rounds"]), (&late, &json!([])), "{task:#}");
    // Whoever did not get the answer asks again.
    let (status, again) = json(submit()).await;
    assert!(status.is_success() && again["id"] == id, "{status} {again:#}");
    assert_eq!(model.asked().len(), 1);

    body["budget"] = json!({ "deadline": 1_780_000_000 });
    let (status, problem) = json(host.post("/api/v1/tasks").json(&body)).await;
    assert_eq!(status.as_u16(), 422);
    let said = problem["detail"].as_str().expect("a text");
    assert_eq!(said, "budget.deadline is 1780000000, which has passed: give it in milliseconds since 1970");
}

#[tokio::test]
async fn a_trace_goes_from_the_request_to_the_model() {
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let host =
        Setup::with_model(&model).set("log", "aiagent_host=debug").set("log_format", "json").start().await;
    let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let header = format!("00-{trace}-{caller}-01");
    let request = host.post("/api/v1/tasks").header("traceparent", &header);
    let (_, accepted) = json(request.json(&sample::body())).await;
    let task = host.ended(accepted["id"].as_str().expect("an id")).await;
    assert_eq!(task["spec"]["trace"], json!(header));
    let asked = model.asked().into_iter().map(|asked| asked.traceparent.expect("a trace"));
    let spans: Vec<String> = asked
        .map(|sent| {
            let span = sent.strip_prefix(&format!("00-{trace}-")).and_then(|rest| rest.strip_suffix("-01"));
            span.unwrap_or_else(|| panic!("{sent}")).to_owned()
        })
        .collect();
    assert!(spans.len() == 2 && spans[0] != spans[1] && !spans.contains(&caller.to_owned()), "{spans:?}");
    // The steps' log lines say the same.
    for span in &spans {
        let line: Value = serde_json::from_str(&host.logged(span).await).expect("JSON");
        let step = &line["span"];
        assert_eq!((&step["trace_id"], &step["parent_id"]), (&json!(trace), &json!(caller)), "{line:#}");
    }

    let id = host.submit(&sample::body()).await;
    host.ended(&id).await;
    assert_eq!(model.asked().last().expect("was asked").traceparent, None);
}
