//! Calls of builders, fixers and checkers: a fresh store and instance each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;
use wasmtime::component::ResourceTable;

use super::bindings::fixer::exports::aiagent::step::fix_step as fix;
use super::bindings::types;
use super::drive::{self, Clocks};
use super::load::{Entry, Plugin};
use super::log::{Log, Sink};
use super::memory::Memory;
use super::meter::Meter;
use super::runtime::Shared;
use super::state::State;
use super::turns::Turn;
use super::wasi::Wasi;
use super::{Call, Decision, Ended, Failure, Generation, Kind, Outside, StepError, Usage, bounds, convert};
use crate::task::{Digest, Report};
use crate::workspace::{Globs, Tree};

/// Handles a guest may hold: streams and pollables of WASI, mostly.
const MAX_HANDLES: usize = 1_000;
/// What one host call may carry besides a file's content, or a call return besides its text.
const CROSSING_SLACK_BYTES: u64 = 4 << 20;

/// What starting once may take before a plugin is served: CPython takes a millisecond.
const START_COMPUTE: Duration = Duration::from_secs(2);
/// On a busy machine.
const START_WALL: Duration = Duration::from_secs(30);

/// A guest's answer and the bytes it returned.
struct Answered<T> {
    bytes: usize,
    value: T,
}

/// What came of the call: an answer, the guest's own error, or how it was ended.
type Answer<T> = wasmtime::Result<Result<Answered<T>, types::StepError>>;

impl Generation {
    /// Runs a builder; its answer is the summary.
    pub async fn build(&self, name: &str, call: Call) -> Ended<String> {
        let input = Input::of(&call);
        self.step(name, Kind::Builder, call, move |plugin, store| {
            Box::pin(async move {
                let Entry::Builder(entry) = &plugin.entry else { return Err(mismatch()) };
                let guest = entry.instantiate_async(&mut *store).await?;
                let built =
                    guest.aiagent_step_build_step().call_build(store, &input.task, &input.attempts).await?;
                Ok(built.map(|built| answered(built.summary.len(), built.summary)))
            })
        })
        .await
    }

    /// Runs a fixer.
    pub async fn fix(&self, name: &str, call: Call) -> Ended<Decision> {
        let input = Input::of(&call);
        self.step(name, Kind::Fixer, call, move |plugin, store| {
            Box::pin(async move {
                let Entry::Fixer(entry) = &plugin.entry else { return Err(mismatch()) };
                let guest = entry.instantiate_async(&mut *store).await?;
                let fixed =
                    guest.aiagent_step_fix_step().call_fix(store, &input.task, &input.attempts).await?;
                Ok(fixed.map(|decision| match decision {
                    fix::Decision::Proposed(text) => answered(text.len(), Decision::Proposed(text)),
                    fix::Decision::Rebuild(text) => answered(text.len(), Decision::Rebuild(text)),
                    fix::Decision::Stop(text) => answered(text.len(), Decision::Stop(text)),
                }))
            })
        })
        .await
    }

    /// Runs a checker. The report is cut to the sizes the contract names.
    pub async fn check(&self, name: &str, call: Call) -> Ended<Report> {
        let input = Input::of(&call);
        self.step(name, Kind::Checker, call, move |plugin, store| {
            Box::pin(async move {
                let Entry::Checker(entry) = &plugin.entry else { return Err(mismatch()) };
                let guest = entry.instantiate_async(&mut *store).await?;
                let report = guest.aiagent_step_check_step().call_check(store, &input.task).await?;
                Ok(report.map(|report| {
                    answered(bounds::report_bytes(&report), bounds::bound(convert::report(report)))
                }))
            })
        })
        .await
    }

    async fn step<T, F>(&self, name: &str, kind: Kind, call: Call, entry: F) -> Ended<T>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s Plugin, &'s mut Store<State>) -> BoxFuture<'s, Answer<T>> + Send + 'static,
    {
        let plugin = match self.set.find(name, kind) {
            Ok(plugin) => plugin,
            // No file ran.
            Err(missing) => return not_run(missing, call, Digest::of(&[])),
        };
        let ready = async {
            plugin.uses.rested(&call.cancel).await?;
            self.shared.turn(plugin, &call.cancel).await
        };
        match ready.await {
            Ok(turn) => {
                let compute = plugin.limits.compute().min(call.compute_left);
                let meter = Arc::new(Meter::new(compute, Instant::now()));
                let step =
                    Arc::clone(&self.shared).step(Arc::clone(plugin), call, turn, Arc::clone(&meter), entry);
                let mut ended = self.shared.aside.run(&plugin.habit, &meter, Box::pin(step)).await;
                ended.fallback = self.judge(plugin, ended.result.as_ref().err(), ended.usage.wall);
                ended
            }
            Err(cancelled) => not_run(cancelled, call, plugin.digest.clone()),
        }
    }
}

fn not_run<T>(failure: Failure, call: Call, digest: Digest) -> Ended<T> {
    Ended { result: Err(failure), tree: call.tree, usage: Usage::default(), digest, fallback: None }
}

impl Shared {
    async fn step<T, F>(
        self: Arc<Self>,
        plugin: Arc<Plugin>,
        call: Call,
        turn: Turn,
        meter: Arc<Meter>,
        entry: F,
    ) -> Ended<T>
    where
        F: for<'s> FnOnce(&'s Plugin, &'s mut Store<State>) -> BoxFuture<'s, Answer<T>> + Send,
    {
        let limits = &plugin.limits;
        let bounds = Bounds {
            wall: limits.wall().min(call.wall_left),
            crossing_bytes: limits
                .output_bytes
                .saturating_add(CROSSING_SLACK_BYTES)
                .saturating_add(if plugin.manifest.kind.writes() { call.tree.limits().bytes } else { 0 }),
        };
        let sandbox = Sandbox {
            seed: call.seed,
            cancel: call.cancel,
            tree: call.tree,
            protected: call.protected,
            sink: Sink::Task(Arc::clone(&call.outside)),
            outside: Some(call.outside),
        };
        let start = Instant::now();
        let mut store = self.store(&plugin, sandbox, &bounds, Arc::clone(&meter), start);
        let cancel = store.data().cancel.clone();
        let clocks = Clocks {
            meter: &meter,
            ticker: &self.ticker,
            service: &self.tokio,
            cancel: &cancel,
            deadline: store.data().deadline,
            wall: bounds.wall,
        };
        let answer = clocks.run(turn, entry(&plugin, &mut store)).await;
        let state = store.into_data();
        state.close();
        Ended {
            result: judge(answer, &state, limits.output_bytes),
            usage: Usage {
                compute: meter.spent(),
                wall: start.elapsed(),
                peak_memory_bytes: state.memory.peak(),
            },
            tree: state.tree,
            digest: plugin.digest.clone(),
            fallback: None,
        }
    }

    /// Whether an instance can be made at all, with nobody to ask.
    pub(super) async fn instantiate_once(&self, plugin: &Plugin) -> Result<(), Failure> {
        let bounds =
            Bounds { wall: plugin.limits.wall().min(START_WALL), crossing_bytes: CROSSING_SLACK_BYTES };
        let sandbox = Sandbox {
            seed: 0,
            cancel: CancellationToken::new(),
            tree: Tree::default(),
            protected: Globs::default(),
            sink: Sink::Service { plugin: Arc::clone(&plugin.name) },
            outside: None,
        };
        let start = Instant::now();
        let meter = Arc::new(Meter::new(plugin.limits.compute().min(START_COMPUTE), start));
        let mut store = self.store(plugin, sandbox, &bounds, Arc::clone(&meter), start);
        let cancel = store.data().cancel.clone();
        let clocks = Clocks {
            meter: &meter,
            ticker: &self.ticker,
            service: &self.tokio,
            cancel: &cancel,
            deadline: store.data().deadline,
            wall: bounds.wall,
        };
        let started = clocks.run(Turn::always(), plugin.entry.instantiate(&mut store)).await;
        let state = store.into_data();
        state.close();
        started.map_err(|error| drive::failure(&error, &state, plugin.limits.output_bytes))
    }

    /// A store with every limit set; the instance is made in it afterwards.
    pub(super) fn store(
        &self,
        plugin: &Plugin,
        sandbox: Sandbox,
        bounds: &Bounds,
        meter: Arc<Meter>,
        start: Instant,
    ) -> Store<State> {
        let log = Arc::new(Log::new(sandbox.sink, plugin.limits.log_bytes));
        let wasi = plugin.manifest.uses_wasi().then(|| Box::new(Wasi::new(sandbox.seed, &log)));
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let state = State {
            plugin: Arc::clone(&plugin.name),
            kind: plugin.manifest.kind,
            exec_granted: plugin.exec_granted,
            meter,
            memory: Memory::new(plugin.limits.memory_bytes),
            cancel: sandbox.cancel,
            deadline: after(start, bounds.wall),
            log,
            tree: sandbox.tree,
            protected: sandbox.protected,
            outside: sandbox.outside,
            service: self.tokio.clone(),
            checks: 0,
            model_calls: 0,
            wasi,
            table,
        };
        let mut store = Store::new(&self.engine, state);
        drive::limit(&mut store, bounds.wall, usize::try_from(bounds.crossing_bytes).unwrap_or(usize::MAX));
        store
    }
}

/// What a call brings into its sandbox.
pub(super) struct Sandbox {
    pub(super) seed: u64,
    pub(super) cancel: CancellationToken,
    pub(super) tree: Tree,
    pub(super) protected: Globs,
    pub(super) sink: Sink,
    pub(super) outside: Option<Arc<dyn Outside>>,
}

/// The limits of one call, the task's remaining budget taken into account.
pub(super) struct Bounds {
    pub(super) wall: Duration,
    /// What the guest may hand over at once: in one host call, or when it returns.
    pub(super) crossing_bytes: u64,
}

/// A deadline; a year, where the wish is further than the clock reaches.
pub(super) fn after(start: Instant, wall: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    start + wall.min(YEAR)
}

struct Input {
    task: types::Task,
    attempts: Vec<types::Attempt>,
}

impl Input {
    fn of(call: &Call) -> Self {
        let attempts = call.attempts.iter().cloned().map(convert::attempt).collect();
        Self { task: convert::task(call), attempts }
    }
}

fn judge<T>(answer: Answer<T>, state: &State, output_limit: u64) -> Result<T, Failure> {
    let within = |bytes: usize| {
        if bytes as u64 > output_limit { Err(Failure::Output(output_limit)) } else { Ok(()) }
    };
    match answer {
        Ok(Ok(answered)) => within(answered.bytes).map(|()| answered.value),
        Ok(Err(error)) => {
            let error: StepError = convert::step_error(error);
            within(error.to_string().len())?;
            Err(Failure::Step(error))
        }
        Err(error) => Err(drive::failure(&error, state, output_limit)),
    }
}

fn answered<T>(bytes: usize, value: T) -> Answered<T> {
    Answered { bytes, value }
}

fn mismatch() -> wasmtime::Error {
    Failure::Host("a plugin was found under another kind than its own".into()).into()
}
