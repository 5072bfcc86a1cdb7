//! One plugin call: from the record to the call, and from how it ended to what the coordinator is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::Digest as _;
use tracing::Instrument as _;

use super::attempts;
use super::broken::Break;
use super::drive::Desk;
use super::halt::Stop;
use super::journal::Journal;
use super::live::Live;
use super::trouble;
use crate::coordinator::{self, FixDecision, Proposal, StepDone, StepResult, Trouble};
use crate::plugin::{Call, Decision, Ended, Failure, Fallback, Generation, Usage, Withdrawn};
use crate::store::StoreError;
use crate::task::{
    Basis, Digest, EventBody, Level, Next, PluginRef, Postponed, Report, Spend, StepModel, StepRecord, Task,
    Trace,
};
use crate::telemetry::spans::{self, Noted as _};
use crate::workspace::{Globs, Tree};

pub(super) enum Done {
    /// The coordinator decides what follows.
    Step(Box<StepDone>),
    /// The step diverged from its journal: the same step again, with a fresh one. Or its plugin, which is
    /// new, has trapped: the same step again, on this generation.
    Again(Box<Task>, Option<Generation>),
    /// The worker shuts down in the middle of the step: another one goes on with it.
    Paused(Box<Task>),
}

/// The round a task's next step belongs to, from 1.
pub(super) fn round_number(task: &Task) -> u32 {
    match task.next {
        Next::Check => task.rounds.len() as u32,
        Next::Build { .. } | Next::Fix { .. } => task.rounds.len() as u32 + 1,
    }
}

/// Runs the task's next step, on what is served now unless something else is named.
pub(super) async fn run(desk: &Arc<Desk>, task: &Arc<Task>, on: Option<Generation>) -> Result<Done, Break> {
    let Some(caller) = &desk.trace else { return run_in(desk, task, on, None).await };
    let mut sent = spans::begin("step", spans::Kind::Internal, Some(caller));
    let trace = sent.as_ref().map_or_else(|| caller.child(), |span| span.context.clone());
    let (plugin, kind) = next_plugin(task);
    sent.note("task.id", task.id.as_str());
    sent.note("step", u64::from(task.step));
    sent.note("step.kind", kind);
    sent.note("step.plugin", plugin.name);
    let span = tracing::info_span!(
        "step",
        task = %task.id,
        step = task.step,
        trace_id = trace.trace_id(),
        span_id = trace.span_id(),
        parent_id = caller.span_id()
    );
    let done = run_in(desk, task, on, Some(trace)).instrument(span).await;
    match &done {
        Ok(Done::Step(done)) => match &done.result {
            StepResult::Built(Err(trouble))
            | StepResult::Fixed(Err(trouble))
            | StepResult::Checked(Err(trouble)) => sent.failed(format!("{trouble:?}")),
            StepResult::Built(Ok(_)) | StepResult::Fixed(Ok(_)) | StepResult::Checked(Ok(_)) => {}
        },
        Ok(Done::Again(..)) => sent.failed("it starts anew"),
        Ok(Done::Paused(_)) => sent.failed("the worker shuts down"),
        Err(broken) => sent.failed(broken.to_string()),
    }
    done
}

async fn run_in(
    desk: &Arc<Desk>,
    task: &Arc<Task>,
    on: Option<Generation>,
    trace: Option<Trace>,
) -> Result<Done, Break> {
    let began = Instant::now();
    let (plugin, kind) = next_plugin(task);
    let store = Arc::clone(&desk.shared.equipment.store);
    let journal = Journal::open(store, desk.lease.clone(), Arc::clone(&desk.halt), task.step, trace.clone());
    let journal = journal.await.map_err(Break::from)?;
    let replayed = journal.replayed();
    let generation = on.unwrap_or_else(|| desk.shared.equipment.runtime.now());
    let live = Arc::new(Live::new(desk, task, &plugin.name, generation.clone(), Some(journal), trace));
    let call = prepare(desk, task, &plugin, Arc::clone(&live)).await?;
    let round = round_number(task);
    let basis = basis(desk, task, &plugin.name, &generation);
    tracing::debug!(kind, plugin = plugin.name, replayed, "a step begins");
    desk.feed.push(EventBody::StepStarted {
        round,
        kind: kind.to_owned(),
        plugin: plugin.name.clone(),
        basis: basis.clone(),
        replayed,
    });

    let (result, (error, usage, fallback)) = match &task.next {
        Next::Build { .. } => {
            let mut ended = generation.build(&plugin.name, call).await;
            let facts = facts(&mut ended);
            let result = match ended.result {
                Ok(summary) => Ok(propose(desk, &ended.tree, summary).await?),
                Err(failure) => Err(failure),
            };
            (result.map(|proposal| StepResult::Built(Ok(proposal))), facts)
        }
        Next::Fix { .. } => {
            let mut ended = generation.fix(&plugin.name, call).await;
            let facts = facts(&mut ended);
            let result = match ended.result {
                Ok(Decision::Proposed(summary)) => {
                    Ok(FixDecision::Proposed(propose(desk, &ended.tree, summary).await?))
                }
                Ok(Decision::Rebuild(hint)) => Ok(FixDecision::Rebuild(hint)),
                Ok(Decision::Stop(reason)) => Ok(FixDecision::Stop(reason)),
                Err(failure) => Err(failure),
            };
            (result.map(|decision| StepResult::Fixed(Ok(decision))), facts)
        }
        Next::Check => {
            let mut ended = generation.check(&plugin.name, call).await;
            let facts = facts(&mut ended);
            (ended.result.map(|report| StepResult::Checked(Ok(report))), facts)
        }
    };

    tell_withdrawn(desk, &generation);
    match live.broken().await {
        Some(Break::Postponed { why, times, wait }) => {
            let paused = coordinator::pause(task, &unjournaled(&live, usage, began));
            let postponed = Some(Postponed { times, why: why.clone(), until: 0 });
            desk.feed.postpone(&Task { postponed, ..paused }, wait).await?;
            return Err(Break::Postponed { why, times, wait });
        }
        Some(broken) => return Err(broken),
        None => {}
    }
    if matches!(result, Err(Failure::Cancelled)) && desk.halt.why() == Some(Stop::Draining) {
        return Ok(Done::Paused(Box::new(coordinator::pause(task, &unjournaled(&live, usage, began)))));
    }
    live.count_the_rest().await;
    let spent = spent(&live, usage, began);
    let result = match result {
        Ok(result) => result,
        Err(Failure::Diverged(why)) => return Ok(Done::Again(Box::new(again(desk, task, spent, why)), None)),
        Err(failure) if let Some(fallback) = fallback => {
            let why = in_words(&plugin.name, &failure.to_string(), &fallback);
            let task = again(desk, task, spent, why);
            return Ok(Done::Again(Box::new(task), Some(fallback.generation)));
        }
        Err(failure) => failed(task, trouble::trouble(desk, task, &spent, failure)?),
    };
    desk.feed.push(EventBody::StepEnded {
        round,
        kind: kind.to_owned(),
        plugin: plugin.name.clone(),
        error,
        compute_ms: usage.compute.as_millis() as u64,
        wall_ms: usage.wall.as_millis() as u64,
    });
    let record = basis.map(|basis| StepRecord {
        plugin: plugin.name,
        basis,
        compute_ms: usage.compute.as_millis() as u64,
        wall_ms: usage.wall.as_millis() as u64,
        peak_memory_bytes: usage.peak_memory_bytes,
    });
    Ok(Done::Step(Box::new(StepDone { record, spent, result })))
}

/// What the step's result comes from. `None` where no such plugin is loaded.
pub(super) fn basis(desk: &Desk, task: &Task, plugin: &str, generation: &Generation) -> Option<Basis> {
    let catalog = generation.catalog();
    let loaded = catalog.find(plugin)?;
    let asks = loaded.grants.iter().any(|grant| grant == "model");
    let name = task.spec.pipeline.model.as_deref().filter(|_| asks);
    let config = name.and_then(|name| desk.shared.equipment.door.config(name));
    let model = config.map(|config| StepModel {
        name: config.name.clone(),
        model: config.model.clone(),
        adapter: config.adapter.clone(),
        adapter_digest: catalog.find(&config.adapter).map(|adapter| adapter.digest.clone()),
    });
    Some(Basis {
        digest: loaded.digest.clone(),
        contract: loaded.contract.clone(),
        policy: loaded.policy.clone(),
        generation: catalog.generation,
        model,
    })
}

/// The pipeline's checker on a tree in the middle of a step that has spent this much so far.
pub(super) async fn check_inside(
    desk: &Arc<Desk>,
    task: &Arc<Task>,
    generation: &Generation,
    spent: &Spend,
    tree: Tree,
) -> Ended<Report> {
    let checker = &task.spec.pipeline.checker;
    let mut generation = generation.clone();
    let mut before = Usage::default();
    loop {
        let live = Arc::new(Live::new(desk, task, &checker.name, generation.clone(), None, None));
        let mut ended = match call_for(desk, task, checker, tree.clone(), Vec::new(), live) {
            Ok(mut call) => {
                let spent = Duration::from_millis(spent.compute_ms).saturating_add(before.compute);
                call.compute_left = call.compute_left.saturating_sub(spent);
                generation.check(&checker.name, call).await
            }
            Err(failure) => Ended {
                result: Err(failure),
                tree: Tree::default(),
                usage: Usage::default(),
                digest: Digest::of(b""),
                fallback: None,
            },
        };
        tell_withdrawn(desk, &generation);
        ended.usage.compute = ended.usage.compute.saturating_add(before.compute);
        let (Err(failure), Some(fallback)) = (&ended.result, ended.fallback.take()) else { return ended };
        let message = format!("the check {}", in_words(&checker.name, &failure.to_string(), &fallback));
        desk.feed.push(EventBody::Log { level: Level::Warn, source: "host".to_owned(), message });
        (generation, before) = (fallback.generation, ended.usage);
    }
}

pub(super) fn next_plugin(task: &Task) -> (PluginRef, &'static str) {
    let pipeline = &task.spec.pipeline;
    match &task.next {
        Next::Build { .. } => (pipeline.builder.clone(), "build"),
        // The coordinator asks for a fix only where the pipeline has a fixer.
        Next::Fix { .. } => (pipeline.fixer.clone().unwrap_or_else(|| pipeline.builder.clone()), "fix"),
        Next::Check => (pipeline.checker.clone(), "check"),
    }
}

async fn prepare(desk: &Arc<Desk>, task: &Task, plugin: &PluginRef, live: Arc<Live>) -> Result<Call, Break> {
    let snapshots = &desk.shared.snapshots;
    let round_tree = |index: usize| task.rounds.get(index).and_then(|round| round.tree.as_ref());
    let base = match &task.next {
        Next::Build { .. } => Some(&task.spec.tree),
        Next::Fix { from } => round_tree(*from),
        Next::Check => task.rounds.len().checked_sub(1).and_then(round_tree),
    };
    let tree = snapshots.load(base.unwrap_or(&task.spec.tree)).await?;
    let attempts = match task.next {
        Next::Check => Vec::new(),
        Next::Build { .. } | Next::Fix { .. } => attempts::history(task, snapshots).await?,
    };
    call_for(desk, task, plugin, tree, attempts, live)
        .map_err(|failure| Break::Store(StoreError::Corrupt(failure.to_string())))
}

fn call_for(
    desk: &Desk,
    task: &Task,
    plugin: &PluginRef,
    tree: Tree,
    attempts: Vec<crate::task::Attempt>,
    live: Arc<Live>,
) -> Result<Call, Failure> {
    let spec = &task.spec;
    let mut protected =
        Globs::new(&spec.pipeline.protected).map_err(|error| Failure::Host(error.to_string()))?;
    for test in &spec.tests {
        protected = protected.with_path(test);
    }
    let left = |limit: u64, spent: u64| Duration::from_millis(limit.saturating_sub(spent));
    Ok(Call {
        task: task.id.to_string(),
        goal: spec.goal.clone(),
        tests: spec.tests.clone(),
        protected,
        settings: plugin.settings.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        temperature: coordinator::temperature(task),
        attempt: round_number(task),
        seed: seed(task),
        tree,
        attempts,
        outside: live,
        cancel: desk.halt.token.clone(),
        wall_left: left(spec.budget.wall_ms, task.spend.wall_ms).min(desk.time_left()),
        compute_left: left(spec.budget.compute_ms, task.spend.compute_ms),
    })
}

/// From what is asked and the round, not from the task's id: the same submission draws the same
/// numbers, so that a run can be repeated and a recording answers it.
fn seed(task: &Task) -> u64 {
    let text = format!("{}\n{}\n{}", task.spec.goal, task.spec.tree, round_number(task));
    let hash = sha2::Sha256::digest(text);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    // Vendors read seeds as signed numbers, some of them 32 bits wide.
    u64::from_le_bytes(bytes) & 0x7fff_ffff
}

async fn propose(desk: &Desk, tree: &Tree, summary: String) -> Result<Proposal, Break> {
    Ok(Proposal { tree: desk.shared.snapshots.save(tree).await?, summary })
}

fn facts<T>(ended: &mut Ended<T>) -> (Option<String>, Usage, Option<Fallback>) {
    (ended.result.as_ref().err().map(ToString::to_string), ended.usage, ended.fallback.take())
}

/// What a trap of a new plugin leads to.
pub(super) fn in_words(plugin: &str, failure: &str, fallback: &Fallback) -> String {
    format!("{failure}, and {plugin} is new: done again with the one before, {}", fallback.before.short())
}

/// Tells of the plugins that are withdrawn for what went well on this generation.
pub(super) fn tell_withdrawn(desk: &Desk, generation: &Generation) {
    for Withdrawn { plugin, digest, restored, why } in generation.take_withdrawn() {
        desk.feed.push(EventBody::PluginWithdrawn { plugin, digest, restored, why });
    }
}

fn spent(live: &Live, usage: Usage, began: Instant) -> Spend {
    let mut spent = live.spent();
    spent.compute_ms += usage.compute.as_millis() as u64;
    // What it holds already is the time of the answers that were replayed.
    spent.wall_ms += began.elapsed().as_millis() as u64;
    spent
}

/// What an interrupted step spent and its journal does not tell whoever runs it again.
fn unjournaled(live: &Live, usage: Usage, began: Instant) -> Spend {
    let wall = began.elapsed().saturating_sub(live.waited());
    Spend {
        wall_ms: wall.as_millis() as u64,
        compute_ms: usage.compute.as_millis() as u64,
        ..Spend::default()
    }
}

/// The step once more with an empty journal; what the old one cost stays spent.
fn again(desk: &Desk, task: &Task, spent: Spend, why: String) -> Task {
    desk.feed.push(EventBody::Log {
        level: Level::Warn,
        source: "host".to_owned(),
        message: format!("the step {why}; it starts anew"),
    });
    desk.feed.push(EventBody::StepRestarted { round: round_number(task), why });
    coordinator::repeat(task, &spent)
}

fn failed(task: &Task, trouble: Trouble) -> StepResult {
    match &task.next {
        Next::Build { .. } => StepResult::Built(Err(trouble)),
        Next::Fix { .. } => StepResult::Fixed(Err(trouble)),
        Next::Check => StepResult::Checked(Err(trouble)),
    }
}
