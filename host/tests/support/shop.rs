//! A worker with what it works with: a store, guests, and a model's server that answers on demand.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aiagent_host::exec::{ExecLimits, Sandbox};
use aiagent_host::model::{Door, Mode, ModelConfig};
use aiagent_host::plugin::{Overrides, Runtime};
use aiagent_host::store::{NewTask, Store};
use aiagent_host::task::{Budget, Event, EventBody, Pipeline, PluginRef, Spec, Task, TaskId};
use aiagent_host::worker::{self, Backoff, Equipment, Pulse};
use aiagent_host::workspace::{Limits, Snapshots, Tree};
use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use futures_util::Stream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::guest::{Folder, guest, module, source};

/// Ends in a tenth of the time a lease takes, so that a cancel is heard soon.
const LEASE: Duration = Duration::from_secs(3);

/// Answers each request with its own text, once there is an answer left.
#[derive(Clone)]
pub(crate) struct Vendor {
    answers: Arc<tokio::sync::Semaphore>,
    /// Told at each request.
    pub(crate) asked: Arc<tokio::sync::Notify>,
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) answered: Arc<AtomicUsize>,
    /// Whether an answer comes byte by byte and never ends.
    pub(crate) drips: Arc<AtomicBool>,
}

impl Vendor {
    pub(crate) fn answers(&self, more: usize) {
        self.answers.add_permits(more);
    }

    /// Requests that came in, and those of them that were answered.
    pub(crate) fn served(&self) -> (usize, usize) {
        (self.requests.load(SeqCst), self.answered.load(SeqCst))
    }

    async fn start() -> (Self, String) {
        let vendor = Self {
            answers: Arc::new(tokio::sync::Semaphore::new(0)),
            asked: Arc::default(),
            requests: Arc::default(),
            answered: Arc::default(),
            drips: Arc::default(),
        };
        let echo = async |State(vendor): State<Self>, body: String| {
            vendor.requests.fetch_add(1, SeqCst);
            vendor.asked.notify_one();
            vendor.answers.acquire().await.expect("never closed").forget();
            vendor.answered.fetch_add(1, SeqCst);
            if vendor.drips.load(SeqCst) { Body::from_stream(drops()) } else { Body::from(body) }
        };
        let router = axum::Router::new().route("/echo", post(echo)).with_state(vendor.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (vendor, url)
    }
}

/// A byte every now and then, for ever.
fn drops() -> impl Stream<Item = Result<&'static str, Infallible>> {
    let every = tokio::time::interval(Duration::from_millis(20));
    futures_util::stream::unfold(every, async |mut every| {
        every.tick().await;
        Some((Ok("x"), every))
    })
}

pub(crate) struct Shop {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vendor: Vendor,
    pub(crate) runtime: Arc<Runtime>,
    door: Arc<Door>,
    folder: Folder,
    /// Of its workers.
    pub(crate) backoff: Backoff,
}

/// A worker at work; stopped by [`Worker::stop`], or with the test.
pub(crate) struct Worker {
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Worker {
    /// Asks it to drain, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("the worker does not panic").expect("it drains");
    }
}

/// A builder's source that runs the checker for ever, whatever comes of it.
fn check_always() -> String {
    source("check_often").replace("(br_if $again (i32.eqz (i32.load8_u (i32.const 2048))))", "(br $again)")
}

/// A checker's source that gives this verdict.
fn verdict(number: u32) -> String {
    format!(
        "(func $step (result i32) (call $report (i32.const {number}) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 0)))"
    )
}

impl Shop {
    pub(crate) async fn open(store: Arc<dyn Store>) -> Self {
        Self::with(store, |_| {}).await
    }

    /// With a model that is set up in another way.
    pub(crate) async fn with(store: Arc<dyn Store>, change: impl FnOnce(&mut ModelConfig)) -> Self {
        let slow = Overrides { compute_ms: Some(100), ..Overrides::default() };
        let folder = Folder::new()
            .with("noop", guest("builder", "noop"))
            .with("ask", guest("builder", "ask"))
            .with("ask-twice", module("builder", &source("ask_twice")))
            .with("check-always", module("builder", &check_always()))
            .with("stop", module("fixer", &source("stop")))
            .with("pass", module("checker", &verdict(0)))
            .with("fail", module("checker", &verdict(1)))
            .with("spin", guest("checker", "spin"))
            .set("spin", slow)
            .with("echo", guest("adapter", "adapter"));
        let runtime = folder.start().await;
        assert_eq!(runtime.catalog().refused.len(), 0, "{:?}", runtime.catalog().refused);
        let backoff = Backoff { times: 0, first: Duration::ZERO, factor: 1.0, longest: Duration::ZERO };
        let (vendor, url) = Vendor::start().await;
        let mut model = ModelConfig::new("echo", "echo", "echo-1");
        model.base_url = Some(url);
        // More than any test asks for, so that each call is one of the store too.
        model.requests_per_minute = 1_000_000;
        model.allow = vec!["loopback".parse().expect("an entry")];
        change(&mut model);
        let door = Door::new(vec![model], Mode::Live).expect("a door");
        Self { store, vendor, runtime: Arc::new(runtime), door: Arc::new(door), folder, backoff }
    }

    /// Puts another file in a plugin's place. The runtime must be told to reload.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.folder.put(name, bytes);
    }

    pub(crate) async fn submit(&self, builder: &str, checker: &str, budget: Budget) -> TaskId {
        let snapshots = Snapshots::new(Arc::clone(&self.store), Limits::default());
        let tree = snapshots.save(&Tree::default()).await.expect("it is stored");
        self.submit_spec(spec(builder, checker, budget, tree)).await
    }

    pub(crate) async fn submit_spec(&self, spec: Spec) -> TaskId {
        let new = NewTask::new(TaskId::fresh(), spec);
        self.store.submit(new).await.expect("it is queued").id
    }

    /// A worker whose running steps are stopped after this grace.
    pub(crate) fn worker(&self, name: &str, grace: Duration) -> Worker {
        self.worker_with(8, name, grace)
    }

    /// Likewise, with so many tasks at once.
    pub(crate) fn worker_with(&self, tasks: usize, name: &str, grace: Duration) -> Worker {
        let equipment = Equipment {
            store: Arc::clone(&self.store),
            runtime: Arc::clone(&self.runtime),
            door: Arc::clone(&self.door),
            sandbox: Arc::new(Sandbox::refusing("not in this test")),
            exec_limits: ExecLimits::default(),
            tree_limits: Limits::default(),
        };
        let (name, host) = (name.to_owned(), "here".to_owned());
        let backoff = self.backoff;
        let settings =
            worker::Settings { name, host, limits: Arc::default(), tasks, grace, lease: LEASE, backoff };
        let stop = CancellationToken::new();
        Worker { task: tokio::spawn(worker::run(equipment, settings, Pulse::default(), stop.clone())), stop }
    }

    /// The task's events, once this one is among them.
    pub(crate) async fn events(&self, id: &TaskId, wanted: impl Fn(&EventBody) -> bool) -> Vec<EventBody> {
        let mut watch = self.store.watch();
        let all = async {
            loop {
                let events = self.store.events(id, 0, 10_000).await.expect("the store answers");
                if events.iter().any(|event| wanted(&event.body)) {
                    return events;
                }
                watch.changed(Duration::from_secs(1)).await;
            }
        };
        let events: Vec<Event> =
            tokio::time::timeout(Duration::from_secs(60), all).await.expect("the event comes");
        events.into_iter().map(|event| event.body).collect()
    }

    pub(crate) async fn task(&self, id: &TaskId) -> Task {
        self.store.get(id).await.expect("the store answers").expect("the task is there")
    }

    /// The task at its end, and its events.
    pub(crate) async fn ended(&self, id: &TaskId) -> (Task, Vec<EventBody>) {
        let events = self.events(id, |body| matches!(body, EventBody::Ended { .. })).await;
        (self.task(id).await, events)
    }
}

pub(crate) fn spec(builder: &str, checker: &str, budget: Budget, tree: aiagent_host::task::Digest) -> Spec {
    let plugin = |name: &str| PluginRef { name: name.to_owned(), settings: [].into() };
    let pipeline = Pipeline {
        name: "test".to_owned(),
        builder: plugin(builder),
        checker: plugin(checker),
        fixer: Some(plugin("stop")),
        model: Some("echo".to_owned()),
        protected: Vec::new(),
        candidates: 1,
        max_rounds: 4,
        temperatures: vec![0.0],
    };
    Spec {
        goal: "a goal".to_owned(),
        tree,
        tests: Vec::new(),
        pipeline,
        budget,
        parent: None,
        trace: None,
        changes: Default::default(),
    }
}
