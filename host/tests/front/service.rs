//! The service around the tasks: token, health, description, start and end.

use reqwest::Method;
use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::steady::steady;
use crate::test_host::{Setup, json};

#[tokio::test]
async fn without_the_token_only_health_and_description_are_answered() {
    let setup = Setup::new().set("token", "secret-canary");
    let mut host = setup.start().await;
    let (status, _) = json(host.get("/api/v1/tasks")).await;
    assert_eq!(status, 200);
    for (token, detail) in [
        (None, "send the token as `Authorization: Bearer TOKEN`"),
        (Some("secret-canarz"), "this is not the token of this host"),
        (Some("secret"), "this is not the token of this host"),
    ] {
        host.token = token.map(str::to_owned);
        let guarded = ["", "/01J9Z3NDEKTSV4RRFFQ69G5FAV", "/01J9Z3NDEKTSV4RRFFQ69G5FAV/events"]
            .map(|path| format!("/api/v1/tasks{path}"));
        for path in guarded.iter().map(String::as_str).chain(["/api/v1/plugins", "/api/v1/pipelines"]) {
            let answer = host.get(path).send().await.expect("an answer");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            let problem: Value = answer.json().await.expect("JSON");
            assert_eq!(
                problem,
                json!({ "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": detail }),
                "{path}"
            );
        }
        for path in ["/healthz", "/readyz", "/api/openapi.json"] {
            let (status, answer) = json(host.get(path)).await;
            assert_eq!(status, 200, "{path}: {answer}");
        }
    }
    let said = setup.run(["--print-config"]).await;
    assert!(said.out.contains("token = \"***\"") && !said.out.contains("canary"), "{}", said.out);
}

#[tokio::test]
async fn a_host_without_a_token_listens_on_loopback_only() {
    let said = Setup::new().run(["serve", "--listen", "0.0.0.0:0"]).await;
    assert_eq!(said.code, 2);
    let end = said.err.lines().last();
    assert_eq!(
        end,
        Some(
            "error: refusing to listen on 0.0.0.0:0 without a token: everyone who reaches it could run tasks; \
             set AIAGENT_TOKEN, make one with `aiagent-host token create`, or listen on 127.0.0.1"
        )
    );
}

#[tokio::test]
async fn health_says_what_is_loaded_and_waiting() {
    let model = FakeModel::start([Reply::Silent]).await;
    let host = Setup::with_model(&model).set("worker.tasks", 1).start().await;
    host.submit(&sample::body()).await;
    model.until_asked(1).await;
    host.submit(&sample::body()).await;
    let (status, live) = json(host.get("/healthz")).await;
    assert_eq!(
        (status.as_u16(), live),
        (200, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
    );
    let (status, ready) = json(host.get("/readyz")).await;
    let ready = steady(ready);
    let stats = json!({ "queued": 1, "running": 1, "ended": 0, "oldest_queued_at": "TIME" });
    assert_eq!((status.as_u16(), ready), (200, json!({ "status": "ready", "plugins": 5, "tasks": stats })));
}

#[tokio::test]
async fn a_host_without_plugins_is_live_but_not_ready() {
    let setup = Setup::new();
    std::fs::create_dir(setup.path("none")).expect("writable");
    let host = setup.set("plugins_dir", vec!["none".to_owned()]).start().await;
    let (status, _) = json(host.get("/healthz")).await;
    assert_eq!(status, 200);
    let (status, problem) = json(host.get("/readyz")).await;
    assert_eq!(status, 503);
    assert_eq!(problem["detail"], json!("no plugin is loaded; see GET /api/v1/plugins for the reasons"));
}

#[tokio::test]
async fn the_description_is_openapi_3_1_and_names_every_path() {
    let host = Setup::new().start().await;
    let (_, api) = json(host.get("/api/openapi.json")).await;
    assert!(api["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", api["openapi"]);
    let described: Vec<_> = api["paths"]
        .as_object()
        .expect("an object")
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("an object").keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    assert_eq!(
        described,
        [
            "GET /api/v1/about",
            "GET /api/v1/audit",
            "GET /api/v1/changes",
            "GET /api/v1/overview",
            "GET /api/v1/pipelines",
            "GET /api/v1/plugins",
            "POST /api/v1/plugins",
            "DELETE /api/v1/plugins/{file}",
            "POST /api/v1/plugins/{file}/allow",
            "GET /api/v1/queues",
            "POST /api/v1/queues/{name}/pause",
            "POST /api/v1/queues/{name}/resume",
            "GET /api/v1/samples",
            "DELETE /api/v1/session",
            "GET /api/v1/session",
            "POST /api/v1/session",
            "GET /api/v1/session/sign-in",
            "GET /api/v1/session/signed-in",
            "GET /api/v1/tasks",
            "POST /api/v1/tasks",
            "POST /api/v1/tasks/batch",
            "POST /api/v1/tasks/bulk/{deed}",
            "GET /api/v1/tasks/count",
            "DELETE /api/v1/tasks/{id}",
            "GET /api/v1/tasks/{id}",
            "POST /api/v1/tasks/{id}/again",
            "GET /api/v1/tasks/{id}/archive",
            "POST /api/v1/tasks/{id}/cancel",
            "GET /api/v1/tasks/{id}/diff",
            "GET /api/v1/tasks/{id}/events",
            "GET /api/v1/tasks/{id}/journal",
            "POST /api/v1/tasks/{id}/requeue",
            "GET /api/v1/workers",
            "GET /healthz",
            "GET /readyz",
        ]
    );
    // What is described is served: no answer is "nothing is served at …".
    let ends = |line: &String| line != "GET /api/v1/changes";
    for line in described.into_iter().filter(ends) {
        let (method, path) = line.split_once(' ').expect("two words");
        let method: Method = method.parse().expect("a method");
        let answer = host
            .request(
                method,
                &path
                    .replace("{id}", "x")
                    .replace("{name}", "x")
                    .replace("{file}", "x")
                    .replace("{deed}", "x"),
            )
            .send()
            .await
            .expect("an answer");
        let text = answer.text().await.expect("whole");
        assert!(!text.contains("nothing is served") && !text.contains("does not take"), "{line}: {text}");
    }
}

#[tokio::test]
async fn a_worker_answers_health_checks_only() {
    let host = Setup::new().set("role", "worker").start().await;
    let (status, _) = json(host.get("/healthz")).await;
    assert_eq!(status, 200);
    let (status, problem) = json(host.get("/api/v1/tasks")).await;
    assert_eq!((status.as_u16(), problem["title"].clone()), (404, json!("Not Found")));
}

/// The running step ends, is committed, and only then the host goes; the next one goes on from there.
#[tokio::test]
async fn sigterm_drains() {
    let gate = tokio_util::sync::CancellationToken::new();
    let held = Reply::Held(gate.clone(), Box::new(Reply::says(sample::RIGHT)));
    let model = FakeModel::start([held]).await;
    let setup = Setup::with_model(&model);
    let host = setup.start().await;
    let id = host.submit(&sample::body()).await;
    model.until_asked(1).await;
    host.signal("TERM").await;
    host.logged("SIGTERM: draining").await;
    let (status, problem) = json(host.get("/readyz")).await;
    assert_eq!((status.as_u16(), &problem["detail"]), (503, &json!("shutting down")));
    gate.cancel();
    assert_eq!(host.exit().await, Some(0));
    model.assert_nothing_answered_was_asked_again();

    let host = setup.start().await;
    let task = host.ended(&id).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }));
    assert_eq!(task["crashes"], json!(0));
    assert_eq!(model.asked().len(), 1);
}

/// What is still running after the grace period goes back to the queue, and is no crash.
#[tokio::test]
async fn a_step_that_outlasts_the_grace_period_is_handed_back() {
    let model = FakeModel::start([Reply::Silent]).await;
    let setup = Setup::with_model(&model).set("worker.grace_s", 1);
    let host = setup.start().await;
    let id = host.submit(&sample::body()).await;
    model.until_asked(1).await;
    host.signal("TERM").await;
    assert_eq!(host.exit().await, Some(0));

    model.add([Reply::says(sample::RIGHT)]);
    let host = setup.start().await;
    let task = host.ended(&id).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }));
    assert_eq!(task["crashes"], json!(0));
}
