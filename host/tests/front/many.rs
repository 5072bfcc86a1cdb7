//! Several hosts on one Redis: a dashboard and workers that may die.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake_model::{FakeModel, Reply};
use crate::redis_server::{RedisServer, free_port};
use crate::sample;
use crate::test_host::{Setup, json};

/// What survives a server's own end, as docs/DEPLOYMENT.md advises.
const DURABLE: &str = "appendonly yes\nappendfsync everysec";

fn host(redis: &RedisServer, model: &FakeModel, role: &str) -> Setup {
    Setup::with_model(model).set("store", redis.url()).set("role", role).set("worker.tasks", 1)
}

#[tokio::test]
async fn two_workers_share_the_tasks_of_one_dashboard() {
    let redis = RedisServer::start(DURABLE);
    let gate = CancellationToken::new();
    let held = || Reply::Held(gate.clone(), Box::new(Reply::says(sample::RIGHT)));
    let model = FakeModel::start([held(), held()]).await;
    let dashboard = host(&redis, &model, "dashboard").start().await;
    let _workers = [
        host(&redis, &model, "worker").set("worker.name", "one").start().await,
        host(&redis, &model, "worker").set("worker.name", "two").start().await,
    ];
    let ids = [dashboard.submit(&sample::body()).await, dashboard.submit(&sample::body()).await];
    // Each worker holds one task, and neither has its answer.
    model.until_asked(2).await;
    gate.cancel();
    let mut workers = Vec::new();
    for id in &ids {
        let events = dashboard.events(id, 0).await.all().await;
        let claimed = events.iter().find(|message| message.kind == "claimed").expect("was claimed");
        workers.push(claimed.data["worker"].as_str().expect("a name").to_owned());
        let task = dashboard.task(id).await;
        assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    }
    workers.sort();
    assert_eq!(workers, ["one", "two"]);
}

#[tokio::test]
async fn a_killed_workers_task_goes_on_with_another() {
    let redis = RedisServer::start(DURABLE);
    let model = FakeModel::start([Reply::says(sample::WRONG), Reply::Silent]).await;
    let dashboard = host(&redis, &model, "dashboard").start().await;
    let worker = host(&redis, &model, "worker").set("worker.name", "first").start().await;
    let id = dashboard.submit(&sample::body()).await;
    let mut events = dashboard.events(&id, 0).await;
    model.until_asked(2).await;
    for _ in 0..2 {
        events.until("model-started").await;
    }
    worker.kill().await;
    model.forget();
    model.add([Reply::says(sample::RIGHT)]);
    let _worker = host(&redis, &model, "worker").set("worker.name", "second").start().await;
    let task = dashboard.ended(&id).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    assert_eq!(task["crashes"], 1);
    model.assert_nothing_answered_was_asked_again();
    let events = dashboard.events(&id, 0).await.all().await;
    let ids: Vec<u64> = events.iter().map(|message| message.id).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>(), "events have no gaps");
}

#[tokio::test]
async fn a_server_that_would_lose_tasks_is_refused() {
    let redis = RedisServer::start("maxmemory-policy allkeys-lru");
    let setup = Setup::new().set("store", redis.url());
    let said = setup.run(["serve"]).await;
    assert_eq!(said.code, 2);
    assert!(said.err.contains("set maxmemory-policy noeviction"), "{}", said.err);
    let setup = Setup::new().set("store", "redis+sentinel://user:secret@127.0.0.1");
    let said = setup.run(["serve"]).await;
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("the master's name is missing") && !said.err.contains("secret"),
        "{}",
        said.err
    );
}

#[tokio::test]
async fn a_user_with_a_password_and_few_rights_is_enough() {
    // As docs/DEPLOYMENT.md gives it.
    let rights = "~{mine}:* ~mine:* +@all -@admin -@dangerous +info";
    let redis =
        RedisServer::start(&format!("user default on >boss ~* +@all\nuser host on >secret {rights}\n"));
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model)
        .set("store", format!("redis://host@127.0.0.1:{}", redis.port))
        .set("redis.prefix", "mine")
        .env("AIAGENT_REDIS_PASSWORD", "secret");
    let printed = setup.run(["--print-config"]).await.out;
    assert!(!printed.contains("\"secret\""), "{printed}");
    let host = setup.start().await;
    let task = host.ended(&host.submit(&sample::body()).await).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
}

#[tokio::test]
async fn a_server_behind_tls_is_believed_by_its_certificate_only() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    let ca = setup.file("redis.pem", cert.pem());
    let key = setup.file("redis.key", signing_key.serialize_pem());
    let port = free_port();
    let _redis = RedisServer::start(&format!(
        "tls-port {port}\ntls-cert-file {0}\ntls-key-file {1}\ntls-ca-cert-file {0}\ntls-auth-clients no",
        ca.display(),
        key.display()
    ));
    let setup = setup.set("store", format!("rediss://localhost:{port}"));
    let said = setup.run(["queue", "fsck"]).await;
    assert_ne!(said.code, 0, "a certificate that nobody has vouched for");
    assert!(said.err.to_lowercase().contains("certificate"), "{}", said.err);

    let setup = setup.set("redis.ca_file", ca.display().to_string());
    let host = setup.start().await;
    let task = host.ended(&host.submit(&sample::body()).await).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
}

#[tokio::test]
async fn a_cancel_is_heard_between_two_heartbeats() {
    let redis = RedisServer::start(DURABLE);
    for store in [Some(redis.url()), None] {
        let model = FakeModel::start([Reply::Silent]).await;
        // The next heartbeat would be in more than a minute.
        let base = || Setup::with_model(&model).set("worker.lease_s", 600);
        let setup = base();
        let file = format!("sqlite:{}", setup.path("shared.db").display());
        let store = store.unwrap_or(file);
        let dashboard = setup.set("store", store.as_str()).set("role", "dashboard").start().await;
        let _worker = base().set("store", store.as_str()).set("role", "worker").start().await;
        let id = dashboard.submit(&sample::body()).await;
        model.until_asked(1).await;
        let asked = Instant::now();
        let (status, _) = json(dashboard.post(&format!("/api/v1/tasks/{id}/cancel"))).await;
        assert_eq!(status, 202);
        let task = dashboard.ended(&id).await;
        assert_eq!(task["outcome"]["reason"], json!({ "kind": "cancelled" }), "{task:#}");
        let took = asked.elapsed();
        eprintln!("cancelled on {store} within {took:.1?}");
        assert!(took < Duration::from_secs(60), "the heartbeat told of it, after {took:.1?}");
    }
}

#[tokio::test]
async fn queues_are_steered_through_the_api_and_the_command_line() {
    let redis = RedisServer::start(DURABLE);
    let model = FakeModel::start([Reply::says(sample::RIGHT), Reply::Closes]).await;
    let setup = host(&redis, &model, "dashboard").set("queues.slow.max_waiting", 1);
    let dashboard = setup.start().await;
    let post = async |path: &str| json(dashboard.post(path)).await;
    assert_eq!(post("/api/v1/queues/slow/pause").await.1, json!({ "queue": "slow", "paused": true }));
    let mut body = sample::body();
    body["place"] = json!({ "queue": "slow", "tenant": "me", "priority": 7 });
    let id = dashboard.submit(&body).await;
    let full = dashboard.post("/api/v1/tasks").json(&body).send().await.expect("an answer");
    assert_eq!((full.status().as_u16(), full.headers().contains_key("retry-after")), (429, true));

    let _worker = host(&redis, &model, "worker").set("worker.name", "one").start().await;
    let workers = async || json(dashboard.get("/api/v1/workers")).await.1["workers"].clone();
    while workers().await.as_array().is_none_or(Vec::is_empty) {}
    assert_eq!((&workers().await[0]["name"], &workers().await[0]["capacity"]), (&json!("one"), &json!(1)));
    let queues = json(dashboard.get("/api/v1/queues")).await.1;
    let slow = json!({ "name": "slow", "paused": true, "waiting": 1, "delayed": 0, "running": 0 });
    assert_eq!(queues["queues"], json!([slow]));

    let queue = async |args: &[&str]| {
        let server = ["--server", &dashboard.url];
        let said = setup.run(["queue"].iter().chain(args).chain(&server)).await;
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    };
    assert_eq!(queue(&["resume", "slow"]).await, "queue slow is served\n");
    let task = dashboard.ended(&id).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    assert_eq!((&task["place"]["queue"], &task["place"]["priority"]), (&json!("slow"), &json!(7)));
    let (status, problem) = post(&format!("/api/v1/tasks/{id}/requeue")).await;
    assert_eq!(
        (status.as_u16(), &problem["detail"]),
        (409, &json!(format!("task {id} is green: there is nothing left to do")))
    );
    assert!(queue(&["stats"]).await.contains("worker   one: "));

    let bad = setup.run(["submit", "a goal", "--queue", "two words", "--server", &dashboard.url]).await;
    assert!(bad.err.contains("\"two words\" is no name of a queue"), "{}", bad.err);
    let sound = setup.run(["queue", "fsck"]).await;
    assert_eq!((sound.code, sound.out.as_str()), (0, ""), "{}", sound.err);
    let collected = setup.run(["queue", "gc"]).await;
    assert_eq!(collected.out, "deleted 0 tasks and 0 blobs\n", "{}", collected.err);
}

#[tokio::test]
async fn a_worker_and_its_queues_can_be_scraped() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model).set("metrics_listen", "127.0.0.1:0").set("token", "t");
    let host = setup.start().await;
    let line = host.logged("metrics on http://").await;
    let url =
        line.split("metrics on ").nth(1).expect("a URL").split_whitespace().next().expect("a URL").to_owned();
    host.ended(&host.submit(&sample::body()).await).await;
    let text = reqwest::get(&url).await.expect("an answer").text().await.expect("is whole");
    for line in [
        "aiagent_tasks{state=\"ended\"} 1",
        "aiagent_oldest_queued_seconds 0",
        "aiagent_workers 1",
        "aiagent_plugins{status=\"withdrawn\"} 0",
        "aiagent_step_seconds_count{kind=\"build\"} 1",
        "aiagent_step_seconds_bucket{kind=\"check\",le=\"+Inf\"} 1",
        "aiagent_tasks_ended_total{reason=\"green\"} 1",
        "aiagent_model_calls_total 1",
        "# TYPE aiagent_store_seconds histogram",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_dead_task_is_listed_and_put_back() {
    let redis = RedisServer::start(DURABLE);
    let refused = || Reply::Sends(401, "", "{}".to_owned());
    let model = FakeModel::start([refused()]).await;
    let setup = host(&redis, &model, "all");
    let host = setup.start().await;
    let id = host.submit(&sample::body()).await;
    let task = host.ended(&id).await;
    assert_eq!(task["outcome"]["reason"]["kind"], "model-failed", "{task:#}");
    let dead = setup.run(["queue", "dead", "--server", &host.url]).await;
    assert!(dead.out.starts_with(&format!("{id}  model-failed: ")), "{}", dead.out);
    model.add([Reply::says(sample::RIGHT)]);
    let said = setup.run(["queue", "requeue", &id, "--server", &host.url]).await;
    assert_eq!(said.out, format!("{id} waits again\n"), "{}", said.err);
    let mut events = host.events(&id, 0).await;
    while host.task(&id).await["outcome"]["reason"]["kind"] != "green" {
        events.next().await;
    }
    // A replay goes on past the end that was not the last.
    let mut replay = host.events(&id, 0).await;
    let ends = [replay.until("ended").await, replay.until("ended").await];
    assert_eq!(ends[1].first().map(|message| message.kind.as_str()), Some("requeued"));
    assert_eq!(replay.next().await, None, "the stream ends with the task");
    let page = json(host.get("/api/v1/tasks?dead=true")).await.1;
    assert_eq!(page["tasks"], json!([]));
}

#[tokio::test]
async fn workers_share_what_a_model_may_be_asked_in_a_minute() {
    let redis = RedisServer::start(DURABLE);
    let model = FakeModel::start([Reply::says(sample::RIGHT), Reply::says(sample::RIGHT)]).await;
    let limited = |role: &str| host(&redis, &model, role).set("models.default.requests_per_minute", 1);
    let dashboard = limited("dashboard").start().await;
    let _workers = [
        limited("worker").set("worker.name", "one").start().await,
        limited("worker").set("worker.name", "two").start().await,
    ];
    let first = dashboard.submit(&sample::body()).await;
    let task = dashboard.ended(&first).await;
    assert_eq!(task["outcome"]["reason"], json!({ "kind": "green" }), "{task:#}");
    let second = dashboard.submit(&sample::body()).await;
    let third = dashboard.submit(&sample::body()).await;
    for id in [&second, &third] {
        let mut events = dashboard.events(id, 0).await;
        loop {
            let seen = events.until("log").await;
            let said = seen.last().expect("that one").data["message"].as_str().expect("a text");
            if said.starts_with("model default has been asked as much as it may be in a minute") {
                break;
            }
        }
    }
    assert_eq!(model.asked().len(), 1);
    // Whoever waits hears a cancel.
    for id in [&second, &third] {
        dashboard.post(&format!("/api/v1/tasks/{id}/cancel")).send().await.expect("answers");
        assert_eq!(dashboard.ended(id).await["outcome"]["reason"], json!({ "kind": "cancelled" }));
    }
    assert_eq!(model.asked().len(), 1);
}
