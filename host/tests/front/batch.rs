//! Many submissions in one request.

use serde_json::{Value, json};

use crate::test_host::{Setup, TestHost, json};

async fn batch(host: &TestHost, body: &Value) -> (u16, Value) {
    let (status, reply) = json(host.post("/api/v1/tasks/batch").json(body)).await;
    (status.as_u16(), reply)
}

fn task(goal: &str) -> Value {
    json!({ "task": { "goal": goal, "files": [{ "path": "a.txt", "content": goal }] } })
}

fn keyed(goal: &str, key: &str) -> Value {
    json!({ "task": { "goal": goal }, "idempotency_key": key })
}

fn statuses(reply: &Value) -> Vec<u64> {
    let results = reply["results"].as_array().expect("a list");
    results.iter().map(|result| result["status"].as_u64().expect("a number")).collect()
}

#[tokio::test]
async fn each_is_taken_or_refused_on_its_own() {
    let host = Setup::new().set("role", "dashboard").set("queues.default.max_waiting", 3).start().await;
    let body = json!({ "tasks": [
        task("Pick apples"),
        keyed("Pick pears", "mine"),
        task("  "),
        { "task": { "goal": "Pick plums", "colour": "blue" } },
        keyed("Pick pears", "mine"),
        keyed("Pick cherries", "mine"),
        keyed("Pick cherries", ""),
        task("Pick figs"),
        task("Pick grapes"),
    ] });
    let (status, reply) = batch(&host, &body).await;
    assert_eq!(status, 200, "{reply:#}");
    assert_eq!(statuses(&reply), [202, 202, 422, 400, 200, 409, 400, 202, 429], "{reply:#}");
    let results = &reply["results"];
    assert_eq!((&reply["created"], &results[4]["id"]), (&json!(3), &results[1]["id"]));
    let said = |at: usize| results[at]["problem"]["detail"].as_str().expect("a text");
    assert!(said(3).starts_with("this is no submission: unknown field `colour`"), "{}", said(3));
    assert_eq!(said(8), "queue default is full: 3 tasks wait in it (queues.default.max_waiting)");

    let list = json(host.get("/api/v1/tasks")).await.1;
    let mut goals: Vec<&str> =
        list["tasks"].as_array().expect("a list").iter().filter_map(|task| task["goal"].as_str()).collect();
    goals.sort_unstable();
    assert_eq!(goals, ["Pick apples", "Pick figs", "Pick pears"]);
    let id = results[7]["id"].as_str().expect("an id");
    assert_eq!(results[7]["url"], format!("/api/v1/tasks/{id}"));
    assert_eq!(host.task(id).await["state"], "queued");

    let audit = json(host.get("/api/v1/audit")).await.1;
    let told = &audit["entries"][0];
    assert_eq!((&told["what"], &told["subject"]), (&json!("submitted"), &json!("3 tasks")), "{audit:#}");
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains(id)), "{audit:#}");
}

#[tokio::test]
async fn a_key_is_the_same_alone_and_among_many() {
    let host = Setup::new().set("role", "dashboard").start().await;
    let alone = host.post("/api/v1/tasks").header("idempotency-key", "mine");
    let (_, first) = json(alone.json(&json!({ "goal": "Pick pears" }))).await;
    let body = json!({ "tasks": [keyed("Pick pears", "mine"), keyed("Pick plums", "mine")] });
    let (_, reply) = batch(&host, &body).await;
    assert_eq!(statuses(&reply), [200, 409], "{reply:#}");
    assert_eq!(reply["results"][0]["id"], first["id"]);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let host = Setup::new().set("role", "dashboard").start().await;
    assert_eq!(batch(&host, &json!({ "tasks": [] })).await, (200, json!({ "created": 0, "results": [] })));
    let many: Vec<Value> = (0..1_001).map(|number| keyed(&number.to_string(), "k")).collect();
    let (status, problem) = batch(&host, &json!({ "tasks": many })).await;
    assert_eq!(
        (status, &problem["detail"]),
        (422, &json!("1001 tasks are more than 1000: send them in parts"))
    );
    for body in [json!([]), json!({ "tasks": [{ "goal": "Pick apples" }] })] {
        let (status, problem) = batch(&host, &body).await;
        let said = problem["detail"].as_str().expect("a text");
        assert!(status == 400 && said.starts_with("the body is no list of submissions: "), "{problem:#}");
    }
    assert_eq!(json(host.get("/api/v1/tasks/count")).await.1["count"], 0);
}

#[tokio::test]
async fn a_thousand_go_in_one_request_with_their_trace() {
    let host = Setup::new().set("role", "dashboard").start().await;
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let tasks: Vec<Value> = (0..1_000).map(|number| task(&format!("Pick {number} apples"))).collect();
    let request = host.post("/api/v1/tasks/batch").header("traceparent", header);
    let (status, reply) = json(request.json(&json!({ "tasks": tasks }))).await;
    assert_eq!((status.as_u16(), &reply["created"]), (200, &json!(1_000)));
    assert!(statuses(&reply).iter().all(|status| *status == 202));
    let id = reply["results"][999]["id"].as_str().expect("an id");
    assert_eq!(host.task(id).await["spec"]["trace"], header);
}

#[tokio::test]
async fn a_file_of_tasks_is_sent_by_a_command() {
    let setup = Setup::new().set("role", "dashboard").set("workspace.max_mib", 1);
    let lines: Vec<String> = ["Pick apples", "  ", "Pick pears"].map(|goal| task(goal).to_string()).into();
    let file = setup.file("tasks.jsonl", lines.join("\n\n"));
    let host = setup.start().await;
    let said = setup.run(["queue", "add", &file.display().to_string(), "--server", &host.url]).await;
    assert_eq!((said.code, said.out.lines().count()), (1, 2), "{}", said.err);
    assert!(said.err.starts_with("line 3: ") && said.err.ends_with(" (HTTP 422)\n"), "{}", said.err);
    for id in said.out.lines() {
        assert_eq!(host.task(id).await["state"], "queued");
    }
    let said = setup.run_with(["queue", "add", "-", "--server", &host.url], b"{\n").await;
    assert_eq!(said.code, 2);
    assert!(said.err.contains("-, line 1 is no JSON"), "{}", said.err);
    // Too much for one request, and the next is too long for this host.
    let long = task(&"x".repeat(17 << 20)).to_string();
    let lines = format!("{}\n{long}\n{}", task("Pick plums"), task("Pick figs"));
    let said = setup.run_with(["queue", "add", "-", "--server", &host.url], lines.as_bytes()).await;
    assert_eq!((said.code, said.out.lines().count()), (2, 1), "{}", said.err);
    let sent =
        "1 of 3 tasks were sent before this; lines 2 to 2 are refused, and nothing after them was sent: ";
    assert!(said.err.contains(sent), "{}", said.err);
}
