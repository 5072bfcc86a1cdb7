//! The shape of `aiagent.toml`: one struct per concern, each with its defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ApiSettings, Model, Oidc, PipelineSettings};
use crate::plugin::Overrides;
use crate::store::{Fsync, LEASE, Limits, QueueLimits};
use crate::task::Budget;

/// Everything that can be configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Folders of `.wasm` files. `AIAGENT_PLUGINS_DIR` separates them by `:`.
    pub plugins_dir: Vec<PathBuf>,
    pub listen: Listen,
    /// Where `/metrics` is served for Prometheus: `HOST:PORT`. Empty: nowhere.
    pub metrics_listen: String,
    /// `sqlite:PATH`, `redis://HOST:PORT/DB` (or `rediss://`, `redis+cluster://`, `redis+sentinel://`),
    /// or `memory` (nothing survives a restart). Empty: a file in the state folder.
    pub store: String,
    /// Ended tasks are deleted after so many days, with all that belongs to them. 0: never.
    pub keep_days: u64,
    pub role: Role,
    /// Where `submit`, `tasks`, `show`, `events` and `cancel` find their server: a URL. Empty: at `listen`.
    pub server: String,
    /// Where the database, the compile cache and scratch files live. Empty: by the XDG rules.
    pub state_dir: PathBuf,
    /// Where compiled plugins are kept; hosts may share it. What lies there is run, so that only this
    /// user may write there. Empty: `compiled` in the state folder.
    pub cache_dir: PathBuf,
    /// Whether plugins run in an interpreter, several times slower, and not as machine code. That needs no
    /// memory that is first written and then run.
    pub interpreter: bool,
    /// What clients must send as `Authorization: Bearer TOKEN`. Empty: no token, and then the host
    /// listens on loopback addresses only.
    pub token: String,
    /// Tokens with roles, which `aiagent-host token` makes. Empty: `tokens.json` in the state folder.
    pub tokens_file: PathBuf,
    /// A `tracing` filter: `info`, `debug`, `aiagent_host=trace,info`.
    pub log: String,
    pub log_format: LogFormat,
    /// The pipeline of tasks that name none.
    pub pipeline: String,
    /// Write every model call to this file. Empty: don't.
    pub record: PathBuf,
    /// Answer model calls from this recording, or from all of a folder's, without any network.
    pub replay: PathBuf,
    pub api: ApiSettings,
    pub oidc: Oidc,
    pub worker: Worker,
    pub sqlite: Sqlite,
    pub redis: Redis,
    pub workspace: Workspace,
    /// What a task may spend unless it says otherwise.
    pub budget: BudgetSettings,
    pub exec: Exec,
    pub watch: WatchSettings,
    pub telemetry: Telemetry,
    pub models: BTreeMap<String, Model>,
    pub pipelines: BTreeMap<String, PipelineSettings>,
    /// Limits of queues, by name; `*` is for those that are not listed.
    pub queues: BTreeMap<String, Queue>,
    /// Limits and grants of single plugins, by name.
    pub plugins: BTreeMap<String, Overrides>,
}

/// `HOST:PORT`, an IP address and a port; port 0 takes a free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Listen(pub SocketAddr);

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("{text:?} is not an IP address and a port, such as 127.0.0.1:8080"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Dashboard and worker.
    All,
    /// REST API and page.
    Dashboard,
    /// Works on tasks; answers health checks only.
    Worker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
    /// Straight to systemd's journal, each field as one of its own: AIAGENT_TASK, AIAGENT_PLUGIN, …
    Journald,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Worker {
    /// Unique among the workers of a store. Empty: made from host name and process id.
    pub name: String,
    /// How many tasks one worker holds at a time. Most of them wait for a model, which costs
    /// neither a thread nor much memory.
    pub tasks: usize,
    /// How long running steps may go on after a stop signal before they are handed back, in seconds.
    pub grace_s: u64,
    /// How long a task stays with a worker that is silent, in seconds. After a crash its tasks wait
    /// that long; a worker cut off from its store for nearly that long stops its steps.
    pub lease_s: u64,
    /// How often in a row a task waits for a model that can't be used before it ends. 0: it ends at once.
    pub model_retries: u32,
    /// The first of these waits is drawn from 0 to so many seconds.
    pub model_retry_s: f64,
    /// By how much that grows with each further one.
    pub model_retry_factor: f64,
    /// What it grows to, in seconds.
    pub model_retry_longest_s: f64,
}

/// Of a `sqlite:` store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sqlite {
    pub fsync: Fsync,
}

/// What a `redis…` store's URL does not say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redis {
    /// What the names of all keys begin with. Hosts that share tasks have the same.
    pub prefix: String,
    /// Empty: the URL's.
    pub username: String,
    pub password: String,
    /// Of the sentinels themselves.
    pub sentinel_password: String,
    /// The certificates that a `rediss` server's is checked against. Empty: the system's.
    pub ca_file: PathBuf,
    /// A change counts as done once so many replicas have it. 0: none.
    pub wait_replicas: u32,
    /// A command that takes longer has failed.
    pub timeout_s: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Workspace {
    /// All files of a task together.
    pub max_mib: u64,
    pub max_files: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Input and output together; 0: no limit.
    pub tokens: u64,
    /// In the currency of the prices; 0: no limit.
    pub cost: f64,
    pub wall_s: u64,
    pub compute_s: u64,
}

/// The sandbox for native commands; which plugins may use it is said under `[plugins.NAME]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exec {
    /// Folders the commands may read besides the system's: toolchains, package caches. Where one has
    /// a `bin` folder, that is in front in the commands' PATH.
    pub read_only: Vec<PathBuf>,
    /// Added to their environment: `CARGO_HOME`, `RUSTUP_HOME`.
    pub env: BTreeMap<String, String>,
    /// Who commands run as where the host runs as root; 0 keeps root's id without its rights.
    pub user: u32,
    /// The most a command may take; its plugin may ask for less.
    pub timeout_s: u64,
    pub memory_mib: u64,
    /// All files of its workspace together.
    pub disk_mib: u64,
    pub processes: u32,
    /// Commands at once, over all tasks; further ones wait. 0: as many as there are processors.
    pub parallel: usize,
}

/// How a service takes up what changes in the plugins folders.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchSettings {
    /// How long nothing may change before the folders are read, so that no half-written file is taken.
    pub quiet_ms: u64,
    /// How often they are looked at where the kernel tells of no change: on network mounts, or when it
    /// has no more watches.
    pub poll_ms: u64,
    /// Whether the kernel is asked to tell of changes.
    pub events: bool,
}

/// Where spans of tasks go.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// A collector that takes OTLP over HTTP: `http://HOST:4318`; spans are sent to `/v1/traces` below it. Empty:
    /// nowhere.
    pub otlp_endpoint: String,
    /// Whether each of a task's calls to the store is a span too.
    pub otlp_store_calls: bool,
}

/// 0: no limit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// Tasks that wait in it; further ones are refused.
    pub max_waiting: u64,
    /// Tasks of it that run at once, on all workers.
    pub max_running: u64,
    /// Likewise, of each tenant.
    pub max_running_per_tenant: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let pipelines = BTreeMap::from([("default".to_owned(), PipelineSettings::default())]);
        Self {
            plugins_dir: Vec::new(),
            listen: Listen(SocketAddr::from(([127, 0, 0, 1], 8080))),
            metrics_listen: String::new(),
            store: String::new(),
            keep_days: 0,
            role: Role::All,
            server: String::new(),
            state_dir: PathBuf::new(),
            cache_dir: PathBuf::new(),
            interpreter: false,
            token: String::new(),
            tokens_file: PathBuf::new(),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            pipeline: "default".to_owned(),
            record: PathBuf::new(),
            replay: PathBuf::new(),
            api: ApiSettings::default(),
            oidc: Oidc::default(),
            worker: Worker::default(),
            sqlite: Sqlite::default(),
            redis: Redis::default(),
            workspace: Workspace::default(),
            budget: BudgetSettings::default(),
            exec: Exec::default(),
            watch: WatchSettings::default(),
            telemetry: Telemetry::default(),
            models: BTreeMap::new(),
            pipelines,
            queues: BTreeMap::new(),
            plugins: BTreeMap::new(),
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            name: String::new(),
            tasks: 1024,
            grace_s: 30,
            lease_s: LEASE.as_secs(),
            // About an hour and a half together: a server that is moved, or a limit by the hour.
            model_retries: 20,
            model_retry_s: 10.0,
            model_retry_factor: 2.0,
            model_retry_longest_s: 600.0,
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            prefix: "aiagent".to_owned(),
            username: String::new(),
            password: String::new(),
            sentinel_password: String::new(),
            ca_file: PathBuf::new(),
            wait_replicas: 0,
            timeout_s: 10,
        }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self { max_mib: 64, max_files: 20_000 }
    }
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { tokens: 200_000, cost: 0.0, wall_s: 30 * 60, compute_s: 10 * 60 }
    }
}

impl Default for Exec {
    fn default() -> Self {
        Self {
            read_only: Vec::new(),
            env: BTreeMap::new(),
            user: 65534,
            timeout_s: 300,
            memory_mib: 4096,
            disk_mib: 4096,
            processes: 512,
            parallel: 0,
        }
    }
}

impl Default for WatchSettings {
    fn default() -> Self {
        // A copy over a slow link pauses for less; a look costs one system call per plugin.
        Self { quiet_ms: 500, poll_ms: 5_000, events: true }
    }
}

impl Settings {
    fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name).or_else(|| self.queues.get("*"))
    }

    /// How many tasks may wait in a queue.
    pub fn max_waiting(&self, queue: &str) -> Option<u64> {
        self.queue(queue).map(|queue| queue.max_waiting).filter(|limit| *limit > 0)
    }

    /// How many may run.
    pub fn queue_limits(&self) -> Limits {
        let limit = |limit: u64| (limit > 0).then_some(limit);
        let limits = |queue: &Queue| QueueLimits {
            running: limit(queue.max_running),
            running_per_tenant: limit(queue.max_running_per_tenant),
        };
        let default = self.queues.get("*").map(limits).unwrap_or_default();
        let listed = self.queues.iter().filter(|(name, _)| *name != "*");
        Limits { default, queues: listed.map(|(name, queue)| (name.clone(), limits(queue))).collect() }
    }
}

impl BudgetSettings {
    /// The budget of a task with so many rounds.
    pub fn resolve(&self, rounds: u32) -> Budget {
        Budget {
            rounds,
            tokens: (self.tokens > 0).then_some(self.tokens),
            cost_micros: (self.cost > 0.0).then(|| (self.cost * 1e6).round() as u64),
            wall_ms: self.wall_s.saturating_mul(1000),
            compute_ms: self.compute_s.saturating_mul(1000),
            deadline: None,
        }
    }
}
