//! Spans, as a collector gets them.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::fake_model::{FakeModel, Reply};
use crate::patience;
use crate::redis_server::free_port;
use crate::sample;
use crate::test_host::{Setup, json, text};

/// Takes what is sent to `/v1/traces`.
struct Collector {
    url: String,
    requests: watch::Receiver<Vec<Value>>,
    _server: tokio_util::task::AbortOnDropHandle<()>,
}

impl Collector {
    async fn start() -> Self {
        let (sender, requests) = watch::channel(Vec::new());
        let take = async |State(sender): State<Arc<watch::Sender<Vec<Value>>>>, body: String| {
            sender.send_modify(|all| all.push(serde_json::from_str(&body).expect("JSON")));
            "{}"
        };
        let router = axum::Router::new().route("/v1/traces", post(take)).with_state(Arc::new(sender));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, requests, _server: tokio_util::task::AbortOnDropHandle::new(server) }
    }

    /// All spans so far, once there is one that ended the task.
    async fn spans(&mut self) -> Vec<Value> {
        let all = |requests: &Vec<Value>| -> Vec<Value> {
            let of = |request: &Value| {
                request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans").clone()
            };
            requests.iter().flat_map(of).collect()
        };
        let ended =
            self.requests.wait_for(|requests| all(requests).iter().any(|span| span["name"] == "task"));
        let requests = patience("the task's span", ended).await.expect("the collector runs");
        all(&requests)
    }
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().expect("a list");
    attributes.iter().find(|attribute| attribute["key"] == key).map_or(&Value::Null, |found| &found["value"])
}

#[tokio::test]
async fn a_tasks_spans_form_one_trace() {
    let mut collector = Collector::start().await;
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model).set("telemetry.otlp_endpoint", collector.url.as_str());
    let host = setup.start().await;
    let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let request = host.post("/api/v1/tasks").header("traceparent", format!("00-{trace}-{caller}-01"));
    let (_, accepted) = json(request.json(&sample::body())).await;
    let id = accepted["id"].as_str().expect("an id");
    host.ended(id).await;
    let spans = collector.spans().await;

    let [submit] = named(&spans, "submit")[..] else { panic!("{spans:#?}") };
    let [task] = named(&spans, "task")[..] else { panic!("{spans:#?}") };
    let (steps, models) = (named(&spans, "step"), named(&spans, "model"));
    assert!(spans.iter().all(|span| span["traceId"] == trace), "{spans:#?}");
    assert_eq!((&submit["parentSpanId"], &submit["kind"]), (&json!(caller), &json!(2)));
    assert_eq!((&task["parentSpanId"], &task["kind"]), (&submit["spanId"], &json!(5)));
    assert!(steps.iter().all(|step| step["parentSpanId"] == task["spanId"]), "{spans:#?}");
    let kinds: Vec<&Value> = steps.iter().map(|step| &attribute(step, "step.kind")["stringValue"]).collect();
    assert_eq!(kinds, ["build", "check", "fix", "check"]);
    let asking: Vec<&Value> = models.iter().map(|model| &model["parentSpanId"]).collect();
    assert_eq!(asking, [&steps[0]["spanId"], &steps[2]["spanId"]]);
    assert_eq!(attribute(models[0], "gen_ai.usage.input_tokens"), &json!({ "intValue": "100" }));
    assert_eq!(attribute(task, "task.id"), &json!({ "stringValue": id }));
    assert_eq!(attribute(task, "task.outcome"), &json!({ "stringValue": "green" }));
    for (asked, model) in model.asked().iter().zip(&models) {
        let span = model["spanId"].as_str().expect("an id");
        assert_eq!(asked.traceparent, Some(format!("00-{trace}-{span}-01")));
    }
    let began =
        |span: &Value| span["startTimeUnixNano"].as_str().expect("a text").parse::<u128>().expect("ns");
    let ended = |span: &Value| span["endTimeUnixNano"].as_str().expect("a text").parse::<u128>().expect("ns");
    assert!(steps.iter().all(|step| began(task) <= began(step) && ended(step) <= ended(task)));
    assert_eq!(named(&spans, "store.commit").len(), 0);
    let requests = collector.requests.borrow();
    let resource = &requests[0]["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), &json!({ "stringValue": "aiagent-host" }));
}

#[tokio::test]
async fn without_a_caller_a_task_begins_a_trace_and_calls_to_the_store_are_told_on_demand() {
    let mut collector = Collector::start().await;
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model)
        .set("telemetry.otlp_endpoint", collector.url.as_str())
        .set("telemetry.otlp_store_calls", true);
    let host = setup.start().await;
    host.ended(&host.submit(&sample::body()).await).await;
    let spans = collector.spans().await;
    let [submit] = named(&spans, "submit")[..] else { panic!("{spans:#?}") };
    assert_eq!(submit["parentSpanId"], Value::Null);
    assert!(spans.iter().all(|span| span["traceId"] == submit["traceId"]), "{spans:#?}");
    let task = named(&spans, "task")[0];
    assert!(named(&spans, "store.commit").iter().all(|span| span["parentSpanId"] == task["spanId"]));
    let steps = named(&spans, "step");
    assert_eq!(named(&spans, "store.append")[0]["parentSpanId"], steps[0]["spanId"]);

    // What a caller does not keep is not sent.
    model.add([Reply::says(sample::RIGHT), Reply::says(sample::RIGHT)]);
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let request = host.post("/api/v1/tasks").header("traceparent", header).json(&sample::body());
    host.ended(json(request).await.1["id"].as_str().expect("an id")).await;
    // A stop sends what is left.
    host.signal("TERM").await;
    host.exit().await;
    let all = collector.spans().await;
    assert!(all.iter().all(|span| span["traceId"] == submit["traceId"]), "{all:#?}");
}

#[tokio::test]
async fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let host = Setup::with_model(&model)
        .set("telemetry.otlp_endpoint", format!("http://127.0.0.1:{}", free_port()))
        .set("metrics_listen", "127.0.0.1:0")
        .start()
        .await;
    let task = host.ended(&host.submit(&sample::body()).await).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    let said = host.logged("spans can't be sent to").await;
    assert!(said.contains("telemetry.otlp_endpoint") && said.contains("are dropped"), "{said}");
    let metrics = host.logged("metrics on http://").await;
    let url = metrics.split("metrics on ").nth(1).expect("an address").trim().to_owned();
    let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let (_, counted) = text(client.get(url)).await;
    let dropped = counted.lines().find_map(|line| line.strip_prefix("aiagent_spans_dropped_total "));
    assert!(dropped.and_then(|count| count.parse::<u64>().ok()).is_some_and(|count| count >= 1), "{counted}");
    assert!(counted.lines().any(|line| line == "aiagent_spans_sent_total 0"), "{counted}");
}

#[tokio::test]
async fn an_endpoint_that_is_none_is_refused() {
    let said = Setup::new().set("telemetry.otlp_endpoint", "localhost:4318").run(["serve"]).await;
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("telemetry.otlp_endpoint") && said.err.contains("http://localhost:4318"),
        "{}",
        said.err
    );
}
