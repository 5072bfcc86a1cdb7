use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aiagent_host::access::Access;
use aiagent_host::api::{self, Api, Hub};
use aiagent_host::config::Settings;
use aiagent_host::plugin::{self, Runtime};
use aiagent_host::store::MemoryStore;
use aiagent_host::workspace::{Limits, Snapshots};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// An API with one task that has ended.
struct Fixture {
    runtime: tokio::runtime::Runtime,
    router: Router,
    task: String,
    last: u64,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (router, task, last) = runtime.block_on(async {
        let store = Arc::new(MemoryStore::default());
        let plugins = plugin::Settings { max_calls: Some(4), ..plugin::Settings::default() };
        let settings = Settings::default();
        let access = Access::open(&settings).expect("it reads nothing");
        let stop = CancellationToken::new();
        let router = api::router(Api {
            hub: Hub::start(store.clone(), stop.clone()),
            store: store.clone(),
            snapshots: Arc::new(Snapshots::new(store, Limits::default())),
            runtime: Arc::new(Runtime::start(plugins).await.expect("a runtime without plugins")),
            settings: Arc::new(settings),
            draining: CancellationToken::new(),
            stop,
            access: Arc::new(access),
        });
        let submit = Request::post("/api/v1/tasks").header("content-type", "application/json");
        let (status, answer) =
            ask(&router, submit.body(Body::from(r#"{"goal":"x"}"#)).expect("a request")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let (_, rest) = answer.split_once("\"id\":\"").expect("an id");
        let task = rest[..26].to_owned();
        let cancel = Request::post(format!("/api/v1/tasks/{task}/cancel")).body(Body::empty());
        let (status, answer) = ask(&router, cancel.expect("a request")).await;
        assert!(status.is_success(), "{answer}");
        let all =
            Request::get(format!("/api/v1/tasks/{task}/events")).body(Body::empty()).expect("a request");
        let (_, events) = ask(&router, all).await;
        let last = ids(&events).last().copied().expect("events");
        (router, task, last)
    });
    Fixture { runtime, router, task, last }
});

/// The first byte says whether the rest is the header or the query. Whatever it is, the answer is what
/// comes after that event, or that there is nothing more, or why it can't be read.
///
/// # Panics
/// Where it is not.
pub fn cursor(data: &[u8]) {
    let [place, text @ ..] = data else { return };
    let Fixture { runtime, router, task, last } = &*FIXTURE;
    let url = format!("/api/v1/tasks/{task}/events");
    let request = if place % 2 == 0 {
        // What no client can send is not sent.
        let Ok(value) = HeaderValue::from_bytes(text) else { return };
        Request::get(url).header("last-event-id", value)
    } else {
        Request::get(format!("{url}?after={}", String::from_utf8_lossy(text)))
    };
    let Ok(request) = request.body(Body::empty()) else { return };
    let (status, answer) = runtime.block_on(ask(router, request));
    match status {
        StatusCode::OK => {
            let ids = ids(&answer);
            assert!(ids.last() == Some(last) && ids.windows(2).all(|two| two[1] == two[0] + 1), "{ids:?}");
        }
        StatusCode::NO_CONTENT => assert_eq!(answer, ""),
        StatusCode::BAD_REQUEST => assert!(answer.contains("\"detail\":\""), "{answer}"),
        other => panic!("{other} to {:?}: {answer}", String::from_utf8_lossy(text)),
    }
}

async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let answer = async {
        let response = router.clone().oneshot(request).await.expect("it always answers");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("it ends");
        (status, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    };
    // An ended task's stream ends with its last event.
    tokio::time::timeout(Duration::from_secs(60), answer).await.expect("an answer that ends")
}

fn ids(events: &str) -> Vec<u64> {
    events.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
}
