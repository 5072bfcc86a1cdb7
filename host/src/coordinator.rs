//! The workflow of builder, checker and fixer: given a task and how its step went, what comes next.
//!
//! Pure: no I/O, no clock, no chance. Invariants: a task ends at its first green; no step starts past
//! the budget; the tree of the outcome is the best one that was checked; every end has a reason.

mod failure;
mod plan;

#[cfg(test)]
mod tests;

use crate::task::{
    Counts, Digest, Limit, Next, Outcome, Problem, Reason, Report, Round, RoundKind, Spend, StepRecord, Task,
    Verdict,
};

pub use failure::fingerprint;
pub use plan::temperature;

/// The same failure this many rounds in a row ends a task.
pub const STUCK_AFTER: usize = 3;

/// How one step went.
pub struct StepDone {
    pub record: Option<StepRecord>,
    /// What this step spent; `rounds` is the coordinator's and ignored here.
    pub spent: Spend,
    pub result: StepResult,
}

pub enum StepResult {
    Built(Result<Proposal, Trouble>),
    Fixed(Result<FixDecision, Trouble>),
    Checked(Result<Report, Trouble>),
}

pub struct Proposal {
    pub tree: Digest,
    pub summary: String,
}

pub enum FixDecision {
    Proposed(Proposal),
    Rebuild(String),
    Stop(String),
}

/// Why a step gave no result, by what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A fresh attempt may do better: the model's answer could not be used.
    Retry(String),
    /// The guest trapped or went over a limit. In a checker that is the checked code's doing; in a
    /// builder or fixer it may be the answer's, so one more attempt is made.
    Broke(String),
    /// Nothing will change by trying again: bad settings, a missing plugin, a missing grant.
    Hopeless(String),
    /// The model can't be used.
    Model(String),
    Budget(Limit),
    Cancelled,
}

/// The task after this step: either `next` says what to do, or `outcome` is set.
pub fn advance(task: &Task, done: StepDone) -> Task {
    let mut task = task.clone();
    let temperature = temperature(&task);
    task.step += 1;
    task.postponed = None;
    add(&mut task.spend, &done.spent);
    match done.result {
        StepResult::Built(result) => match result {
            Ok(proposal) => proposed(&mut task, RoundKind::Build, temperature, proposal, done.record),
            Err(trouble) => no_tree(&mut task, RoundKind::Build, temperature, trouble, done.record),
        },
        StepResult::Fixed(result) => match result {
            Ok(FixDecision::Proposed(proposal)) => {
                proposed(&mut task, RoundKind::Fix, temperature, proposal, done.record);
            }
            Ok(FixDecision::Rebuild(hint)) => rebuild(&mut task, hint),
            Ok(FixDecision::Stop(reason)) => end(&mut task, Reason::Stopped { reason }),
            Err(trouble) => no_tree(&mut task, RoundKind::Fix, temperature, trouble, done.record),
        },
        StepResult::Checked(result) => checked(&mut task, result, done.record),
    }
    task
}

/// Before the first step, and before each step of a task that was taken up again: whether the budget
/// still allows it. Returns the ended task if not.
pub fn gate(task: &Task) -> Option<Task> {
    let mut task = task.clone();
    let limit = match task.next {
        // Tokens and money are the model's; a finished proposal is still worth its check.
        Next::Check => {
            task.spend.exhausts(&task.spec.budget).filter(|l| matches!(l, Limit::Wall | Limit::Compute))
        }
        Next::Build { .. } | Next::Fix { .. } => {
            let rounds = (rounds_left(&task) == 0).then_some(Limit::Rounds);
            rounds.or_else(|| task.spend.exhausts(&task.spec.budget))
        }
    }?;
    end(&mut task, Reason::Budget { limit });
    Some(task)
}

/// Ends a task from outside its steps.
pub fn abandon(task: &Task, reason: Reason) -> Task {
    let mut task = task.clone();
    end(&mut task, reason);
    task
}

/// The same step again, with a journal of its own; what was spent on it stays spent.
pub fn repeat(task: &Task, spent: &Spend) -> Task {
    Task { step: task.step + 1, ..pause(task, spent) }
}

/// The same step, to be gone on with from its journal; what that does not tell of was spent as well.
pub fn pause(task: &Task, spent: &Spend) -> Task {
    let mut task = task.clone();
    add(&mut task.spend, spent);
    task
}

fn proposed(
    task: &mut Task,
    kind: RoundKind,
    temperature: Option<f32>,
    proposal: Proposal,
    record: Option<StepRecord>,
) {
    let mut round = open_round(task, kind, temperature, record);
    round.tree = Some(proposal.tree);
    round.summary = proposal.summary;
    push(task, round);
    task.next = Next::Check;
    if let Some(limit @ (Limit::Wall | Limit::Compute)) = task.spend.exhausts(&task.spec.budget) {
        end(task, Reason::Budget { limit });
    }
}

fn no_tree(
    task: &mut Task,
    kind: RoundKind,
    temperature: Option<f32>,
    trouble: Trouble,
    record: Option<StepRecord>,
) {
    let plugin = record.as_ref().map_or_else(|| step_plugin(task, kind), |record| record.plugin.clone());
    match trouble {
        Trouble::Retry(message) => {
            let mut round = open_round(task, kind, temperature, record);
            round.failure = Some(message);
            push(task, round);
            go_on(task);
        }
        Trouble::Broke(message) => {
            let again = task.rounds.last().is_some_and(|round| round.failure.as_ref() == Some(&message));
            let mut round = open_round(task, kind, temperature, record);
            round.failure = Some(message.clone());
            push(task, round);
            if again {
                end(task, Reason::StepFailed { plugin, message });
            } else {
                go_on(task);
            }
        }
        Trouble::Hopeless(message) => end(task, Reason::StepFailed { plugin, message }),
        Trouble::Model(message) => end(task, Reason::ModelFailed { message }),
        Trouble::Budget(limit) => end(task, Reason::Budget { limit }),
        Trouble::Cancelled => end(task, Reason::Cancelled),
    }
}

/// A rebuild makes no round of its own: the build that follows does.
fn rebuild(task: &mut Task, hint: String) {
    task.next = Next::Build { hint: Some(hint) };
    if let Some(ended) = gate(task) {
        *task = ended;
    }
}

fn checked(task: &mut Task, result: Result<Report, Trouble>, record: Option<StepRecord>) {
    let report = match result {
        Ok(report) => report,
        Err(Trouble::Broke(message) | Trouble::Retry(message)) => check_broke(message),
        Err(Trouble::Hopeless(message)) => {
            let plugin = task.spec.pipeline.checker.name.clone();
            return end(task, Reason::StepFailed { plugin, message });
        }
        Err(Trouble::Model(message)) => return end(task, Reason::ModelFailed { message }),
        Err(Trouble::Budget(limit)) => return end(task, Reason::Budget { limit }),
        Err(Trouble::Cancelled) => return end(task, Reason::Cancelled),
    };
    let Some(round) = task.rounds.last_mut() else {
        let message = "a check without a round".to_owned();
        return end(task, Reason::StepFailed { plugin: task.spec.pipeline.checker.name.clone(), message });
    };
    round.steps.extend(record);
    round.report = Some(report.clone());
    let last = task.rounds.len() - 1;
    let judged_before = task.rounds[..last].iter().any(is_judged);
    if task.best.is_none_or(|best| is_better(&task.rounds[last], &task.rounds[best])) {
        task.best = Some(last);
    }
    match report.verdict {
        Verdict::Passed => {
            task.best = Some(last);
            end(task, Reason::Green);
        }
        // The checks could be judged before this tree, so the tree is at fault: it lost its tests, say.
        Verdict::Broken if judged_before => go_on(task),
        Verdict::Broken => {
            let message = report.problems.first().map_or(report.output, |problem| problem.message.clone());
            end(task, Reason::ChecksBroken { message });
        }
        Verdict::Failed => go_on(task),
    }
}

/// Chooses between a fresh build, a fix, and the end.
fn go_on(task: &mut Task) {
    let builds = task.rounds.iter().filter(|round| round.kind == RoundKind::Build).count();
    let candidates = task.spec.pipeline.candidates as usize;
    let more_candidates = builds < candidates;
    let fixes = task.spec.pipeline.fixer.is_some();
    // Candidates that all fail alike say nothing of what a fixer can do: it gets its turn first.
    let may_be_stuck = !more_candidates && (!fixes || task.rounds.len() > candidates);
    if may_be_stuck && let Some(failure) = failure::repeated(&task.rounds, STUCK_AFTER) {
        return end(task, Reason::Stuck { failure });
    }
    task.next = match task.best {
        Some(from) if !more_candidates && fixes => Next::Fix { from },
        _ => Next::Build { hint: None },
    };
    if let Some(ended) = gate(task) {
        *task = ended;
    }
}

fn end(task: &mut Task, reason: Reason) {
    let report = task.best.and_then(|best| task.rounds.get(best)?.report.clone());
    task.outcome = Some(Outcome { reason, tree: task.best_tree().clone(), report });
}

fn open_round(task: &Task, kind: RoundKind, temperature: Option<f32>, record: Option<StepRecord>) -> Round {
    let base = match &task.next {
        Next::Fix { from } => task.rounds.get(*from).and_then(|round| round.tree.clone()),
        Next::Build { .. } | Next::Check => None,
    };
    Round {
        number: task.rounds.len() as u32 + 1,
        kind,
        temperature,
        base: base.unwrap_or_else(|| task.spec.tree.clone()),
        tree: None,
        summary: String::new(),
        failure: None,
        report: None,
        steps: record.into_iter().collect(),
    }
}

fn push(task: &mut Task, round: Round) {
    task.rounds.push(round);
    task.spend.rounds = task.rounds.len() as u32;
}

fn rounds_left(task: &Task) -> u32 {
    let most = task.spec.budget.rounds.min(task.spec.pipeline.max_rounds);
    most.saturating_sub(task.rounds.len() as u32)
}

fn step_plugin(task: &Task, kind: RoundKind) -> String {
    match (kind, &task.spec.pipeline.fixer) {
        (RoundKind::Fix, Some(fixer)) => fixer.name.clone(),
        _ => task.spec.pipeline.builder.name.clone(),
    }
}

fn is_judged(round: &Round) -> bool {
    round.report.as_ref().is_some_and(|report| report.verdict != Verdict::Broken)
}

/// A tree that could be judged before one that could not, then fewer failures, then more passes. At a tie the later tree wins if it fails differently, for then
/// something was learnt; with the same failure the earlier, simpler one stays.
fn is_better(new: &Round, best: &Round) -> bool {
    let score = |round: &Round| {
        let report = round.report.as_ref()?;
        // A tree whose tests could not even start reports one problem and no pass.
        let failed = report.counts.failed.max(u32::from(report.counts.passed == 0));
        let share = f64::from(report.counts.passed) / f64::from((report.counts.passed + failed).max(1));
        Some((is_judged(round), report.verdict == Verdict::Passed, share, report.counts.passed))
    };
    match score(new).partial_cmp(&score(best)) {
        Some(std::cmp::Ordering::Greater) => true,
        Some(std::cmp::Ordering::Equal) => fingerprint(new) != fingerprint(best),
        _ => false,
    }
}

/// A checker that broke on a tree says that the tree is at fault: endless loops, endless memory.
fn check_broke(message: String) -> Report {
    Report {
        verdict: Verdict::Failed,
        counts: Counts { passed: 0, failed: 1, skipped: 0 },
        problems: vec![Problem {
            test: None,
            path: None,
            line: None,
            message: format!("the check {message}"),
        }],
        output: String::new(),
    }
}

fn add(spend: &mut Spend, more: &Spend) {
    // Nothing was spent on models before the first call, so its price decides whether cost is known.
    let known = if spend.model_calls == 0 { Some(0) } else { spend.cost_micros };
    if more.model_calls > 0 {
        spend.cost_micros = known.zip(more.cost_micros).map(|(a, b)| a.saturating_add(b));
    }
    spend.input_tokens = spend.input_tokens.saturating_add(more.input_tokens);
    spend.output_tokens = spend.output_tokens.saturating_add(more.output_tokens);
    spend.model_calls = spend.model_calls.saturating_add(more.model_calls);
    spend.wall_ms = spend.wall_ms.saturating_add(more.wall_ms);
    spend.compute_ms = spend.compute_ms.saturating_add(more.compute_ms);
}
