//! The composition root: what is started in which order, and drained in which.
//!
//! Start: state folder, store, plugins, model door, sandbox; then the listener; then the worker.
//! Drain: `/readyz` turns, the worker stops claiming and lets its steps go on for the grace period,
//! event streams end, the listener closes.

mod http;
mod process;
mod rooms;
mod supervisor;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::access::Access;
use crate::api::{self, Api, Hub};
use crate::config::{Role, Settings};
use crate::exec::Sandbox;
use crate::model::Door;
use crate::plugin::{self, Runtime};
use crate::store::{Collected, Store};
use crate::telemetry::spans::{self, Resource};
use crate::upkeep::Hold;
use crate::worker::{self, Backoff, Equipment, Pulse};
use crate::workspace::Snapshots;

pub use process::raise_open_files;
use rooms::{exec_limits, host_name, make_private, watch, worker_name};
pub use rooms::{
    keep, mode, model_configs, open_redis, open_store, plugin_settings, sandbox_config, tree_limits,
};
use supervisor::Supervisor;

/// How long the last spans may take to their collector when the host stops.
pub(crate) const SPANS_WITHIN: Duration = Duration::from_secs(2);

/// Requests that are still open when the host drains may go on for this long.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// How often the store is tidied. What it looks for is at least an hour old.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);

/// All rooms, put together.
pub struct Host {
    pub settings: Arc<Settings>,
    pub store: Arc<dyn Store>,
    pub snapshots: Arc<Snapshots>,
    pub runtime: Arc<Runtime>,
    pub door: Arc<Door>,
    pub sandbox: Arc<Sandbox>,
    pulse: Pulse,
    /// No restore replaces what this host uses.
    _hold: Hold,
}

impl Host {
    pub async fn assemble(settings: Settings, plugins: plugin::Settings) -> anyhow::Result<Self> {
        raise_open_files();
        process::leave_no_core();
        if !settings.telemetry.otlp_endpoint.is_empty() {
            let (endpoint, fine) = (&settings.telemetry.otlp_endpoint, settings.telemetry.otlp_store_calls);
            spans::start(endpoint, fine, Resource { host: host_name(), instance: worker_name(&settings) })?;
        }
        let state = &settings.state_dir;
        make_private(state).with_context(|| {
            format!("can't use the state folder {}; choose another with --state-dir", state.display())
        })?;
        let hold = Hold::shared(state).context("can't use the state folder")?;
        // None of the three needs another, and each waits for something else.
        let (store, runtime, sandbox) = tokio::join!(
            open_store(&settings),
            Runtime::start(plugins),
            Sandbox::probe(sandbox_config(&settings)),
        );
        let (store, runtime) = (store?, runtime.context("can't start the plugin runtime")?);
        let door =
            Door::new(model_configs(&settings)?, mode(&settings)).context("can't set up the models")?;
        let limits = tree_limits(&settings);
        let snapshots = Arc::new(Snapshots::new(Arc::clone(&store), limits));
        Ok(Self {
            settings: Arc::new(settings),
            store,
            snapshots,
            runtime: Arc::new(runtime),
            door: Arc::new(door),
            sandbox: Arc::new(sandbox),
            pulse: Pulse::default(),
            _hold: hold,
        })
    }

    /// Serves, and works if the role says so, until `stop` is cancelled. `listening` is told the
    /// address once connections are taken.
    pub async fn serve(
        &self,
        stop: CancellationToken,
        listening: impl FnOnce(SocketAddr),
    ) -> anyhow::Result<()> {
        let address = self.settings.listen.0;
        let access = Arc::new(Access::open(&self.settings).context("can't tell who may use this host")?);
        if !address.ip().is_loopback() && !access.is_needed() {
            anyhow::bail!(
                "refusing to listen on {address} without a token: everyone who reaches it could run tasks; \
                 set AIAGENT_TOKEN, make one with `aiagent-host token create`, or listen on 127.0.0.1"
            );
        }
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("can't listen on {address}; is another host running? choose another with --listen")
        })?;
        let address = listener.local_addr()?;
        listening(address);

        let streams = CancellationToken::new();
        let scraped = self.serve_metrics(&streams).await?;
        let api = self.api(access, stop.clone(), streams.clone());
        let router = match self.settings.role {
            Role::All | Role::Dashboard => api::router(api),
            Role::Worker => api::health_router(api),
        };
        let within = Duration::from_secs(self.settings.api.timeout_s);
        let server = tokio::spawn(http::serve(listener, router, within, streams.clone()));

        let works = self.settings.role != Role::Dashboard;
        let pulse = works.then(|| self.pulse.clone());
        let supervisor = Supervisor::start(address, Arc::clone(&self.store), pulse, stop.clone());
        let tidying =
            AbortOnDropHandle::new(tokio::spawn(tidy(Arc::clone(&self.store), keep(&self.settings))));
        let (runtime, watch) = (Arc::clone(&self.runtime), watch(&self.settings));
        let watching = AbortOnDropHandle::new(tokio::spawn(async move { runtime.watch(watch).await }));
        match self.settings.role {
            Role::All | Role::Worker => self.work(stop.clone()).await.context("the worker failed")?,
            Role::Dashboard => stop.cancelled().await,
        }
        drop((tidying, watching, scraped));
        supervisor.end().await;
        streams.cancel();
        match tokio::time::timeout(CLOSE_WITHIN, server).await {
            Ok(ended) => ended.context("the server panicked")?,
            Err(_) => tracing::info!("some connections were still open"),
        }
        // Last, for the requests that were still open have spans too.
        spans::flush(SPANS_WITHIN).await;
        Ok(())
    }

    /// Until what it returns is dropped.
    async fn serve_metrics(
        &self,
        close: &CancellationToken,
    ) -> anyhow::Result<Option<AbortOnDropHandle<()>>> {
        let address = &self.settings.metrics_listen;
        if address.is_empty() {
            return Ok(None);
        }
        let listener = TcpListener::bind(address.as_str()).await;
        let listener = listener.with_context(|| format!("can't serve metrics on {address}"))?;
        tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
        let router = api::metrics_router(Arc::clone(&self.store), Arc::clone(&self.runtime));
        let within = Duration::from_secs(self.settings.api.timeout_s);
        let served = tokio::spawn(http::serve(listener, router, within, close.clone()));
        Ok(Some(AbortOnDropHandle::new(served)))
    }

    /// Works on tasks until `stop` is cancelled and the worker has drained.
    pub async fn work(&self, stop: CancellationToken) -> std::io::Result<()> {
        let equipment = Equipment {
            store: Arc::clone(&self.store),
            runtime: Arc::clone(&self.runtime),
            door: Arc::clone(&self.door),
            sandbox: Arc::clone(&self.sandbox),
            exec_limits: exec_limits(&self.settings),
            tree_limits: tree_limits(&self.settings),
        };
        let name = worker_name(&self.settings);
        let configured = &self.settings.worker;
        let settings = worker::Settings {
            name,
            host: host_name(),
            limits: Arc::new(self.settings.queue_limits()),
            tasks: configured.tasks,
            grace: Duration::from_secs(configured.grace_s),
            lease: Duration::from_secs(configured.lease_s),
            backoff: Backoff {
                times: configured.model_retries,
                first: Duration::from_secs_f64(configured.model_retry_s),
                factor: configured.model_retry_factor,
                longest: Duration::from_secs_f64(configured.model_retry_longest_s),
            },
        };
        worker::run(equipment, settings, self.pulse.clone(), stop).await
    }

    fn api(&self, access: Arc<Access>, draining: CancellationToken, stop: CancellationToken) -> Api {
        Api {
            store: Arc::clone(&self.store),
            snapshots: Arc::clone(&self.snapshots),
            runtime: Arc::clone(&self.runtime),
            settings: Arc::clone(&self.settings),
            access,
            hub: Hub::start(Arc::clone(&self.store), stop.clone()),
            draining,
            stop,
        }
    }
}

/// Deletes what nobody needs any more, now and then. Several hosts on one store may do so at once.
async fn tidy(store: Arc<dyn Store>, keep: Duration) {
    loop {
        match store.gc(keep).await {
            Ok(Collected { tasks: 0, blobs: 0 }) => {}
            Ok(Collected { tasks, blobs }) => tracing::info!(tasks, blobs, "tidied the store"),
            Err(error) => tracing::warn!(%error, "can't tidy the store"),
        }
        tokio::time::sleep(TIDY_EVERY).await;
    }
}
