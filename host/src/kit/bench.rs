//! Calls of the plugin under test, and what holds for every one of them.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::script::{Heard, Model, Scene, Script};
use super::{Fault, Judged, Wanted, passed, samples};
use crate::exec::ExecError;
use crate::plugin::{Call, Decision, Failure, Inspection, Kind, Limits, Runtime, Usage};
use crate::task::{Report, Verdict};
use crate::workspace::{Globs, Tree};

/// Far beyond what any call here needs; the plugin's own limits count.
const PLENTY: Duration = Duration::from_secs(3600);

pub(super) struct Bench {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) wanted: Wanted,
    pub(super) limits: Limits,
    pub(super) uses_exec: bool,
    /// Two hosts, as far as a plugin can tell.
    pub(super) runtimes: [Runtime; 2],
    most: Mutex<Usage>,
}

/// What came of one call.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) result: Result<Said, Failure>,
    pub(super) tree: Tree,
    pub(super) heard: Heard,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Built(String),
    Decided(Decision),
    Reported(Report),
}

impl Bench {
    pub(super) fn new(wanted: Wanted, inspection: &Inspection, kind: Kind, runtimes: [Runtime; 2]) -> Self {
        let exec = |import: &crate::plugin::Import| import.name.starts_with("aiagent:step/exec@");
        Self {
            name: inspection.name.clone(),
            kind,
            wanted,
            limits: inspection.limits.unwrap_or_else(|| Limits::of(kind)),
            uses_exec: inspection.imports.iter().any(exec),
            runtimes,
            most: Mutex::default(),
        }
    }

    /// The plain case of the plugin's kind.
    pub(super) fn scene(&self) -> Scene {
        let answers = match self.wanted.answers.is_empty() {
            true => vec![samples::answer()],
            false => self.wanted.answers.clone(),
        };
        Scene {
            goal: samples::GOAL.to_owned(),
            tests: vec![samples::TEST.to_owned()],
            protected: vec!["test_*.py".to_owned()],
            settings: self.wanted.settings.clone(),
            tree: samples::plain(self.kind != Kind::Builder),
            attempts: match self.kind {
                Kind::Fixer => vec![samples::attempt(Some(super::script::red()))],
                Kind::Builder | Kind::Checker | Kind::Adapter => Vec::new(),
            },
            model: Model::Says(answers),
            command: Err(ExecError::Denied("the conformance kit runs no commands".to_owned())),
            answers: usize::MAX,
        }
    }

    pub(super) async fn call(&self, scene: &Scene) -> Run {
        self.call_on(0, scene).await
    }

    pub(super) async fn call_on(&self, runtime: usize, scene: &Scene) -> Run {
        let script = Script::new(scene);
        let tests = scene.tests.iter().filter(|test| scene.tree.get(test).is_some());
        let call = Call {
            task: "01J9Z3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            goal: scene.goal.clone(),
            tests: tests.cloned().collect(),
            protected: Globs::new(&scene.protected).expect("the samples' globs are valid"),
            settings: scene.settings.clone(),
            temperature: Some(0.25),
            attempt: scene.attempts.len() as u32 + 1,
            seed: 7,
            tree: scene.tree.clone(),
            attempts: scene.attempts.clone(),
            outside: script.clone(),
            cancel: CancellationToken::new(),
            wall_left: PLENTY,
            compute_left: PLENTY,
        };
        let runtime = &self.runtimes[runtime];
        let (result, tree, usage) = match self.kind {
            Kind::Builder => {
                let ended = runtime.build(&self.name, call).await;
                (ended.result.map(Said::Built), ended.tree, ended.usage)
            }
            Kind::Fixer => {
                let ended = runtime.fix(&self.name, call).await;
                (ended.result.map(Said::Decided), ended.tree, ended.usage)
            }
            Kind::Checker | Kind::Adapter => {
                let ended = runtime.check(&self.name, call).await;
                (ended.result.map(Said::Reported), ended.tree, ended.usage)
            }
        };
        self.count(usage);
        Run { result, tree, heard: script.heard() }
    }

    fn count(&self, usage: Usage) {
        let mut most = self.most.lock().unwrap_or_else(PoisonError::into_inner);
        most.compute = most.compute.max(usage.compute);
        most.peak_memory_bytes = most.peak_memory_bytes.max(usage.peak_memory_bytes);
    }

    /// What each call must be, whatever it was given: a typed answer that keeps the contract.
    pub(super) fn sound(&self, case: &str, scene: &Scene, run: &Run) -> Result<(), Fault> {
        let fault = |what: &str, remedy: &str| Err(Fault::new(format!("with {case}: {what}"), remedy));
        match &run.result {
            Err(Failure::Step(_)) => Ok(()),
            Err(failure) => Err(Fault::new(format!("with {case}: it {failure}"), remedy(failure))),
            Ok(Said::Built(summary) | Said::Decided(Decision::Proposed(summary))) => {
                if run.tree == scene.tree {
                    return fault(
                        "says that it did something, but no file has changed",
                        "return unusable-answer where nothing was changed",
                    );
                }
                match summary.trim().is_empty() {
                    true => fault("the summary is empty", "say in a sentence what was done"),
                    false => Ok(()),
                }
            }
            Ok(Said::Decided(Decision::Rebuild(why) | Decision::Stop(why))) => match why.trim().is_empty() {
                true => fault("a decision without a text", "say why: the user or the builder reads it"),
                false => Ok(()),
            },
            Ok(Said::Reported(report)) => match report_fault(report, &scene.tree, self.uses_exec) {
                Some(what) => fault(&what, "see `record report` in wit/types.wit"),
                None => Ok(()),
            },
        }
    }

    pub(super) fn judge_limits(&self) -> Judged {
        let most = *self.most.lock().unwrap_or_else(PoisonError::into_inner);
        let (mib, limit) = (most.peak_memory_bytes >> 20, self.limits.memory_bytes >> 20);
        let (ms, budget) = (most.compute.as_millis() as u64, self.limits.compute_ms);
        // What a checker needs is the doing of the tree it checks.
        if matches!(self.kind, Kind::Adapter | Kind::Checker) {
            return passed(format!("every call stayed within {budget} ms of compute and {limit} MiB"));
        }
        let seen = format!("at most {ms} ms of {budget} ms compute, {mib} MiB of {limit} MiB memory");
        match ms * 2 > budget || mib * 4 > limit * 3 {
            true => Err(Fault::new(
                format!("little is left: {seen}"),
                format!(
                    "need less, or have the operator raise compute_ms or memory_mib in [plugins.{}]",
                    self.name
                ),
            )),
            false => passed(seen),
        }
    }
}

/// A command's tool may not say how many tests ran.
fn report_fault(report: &Report, tree: &Tree, uncounted: bool) -> Option<String> {
    let counts = &report.counts;
    let contradiction = match report.verdict {
        Verdict::Passed if counts.passed == 0 && !uncounted => Some("passed, but no test ran"),
        Verdict::Passed if counts.failed > 0 || !report.problems.is_empty() => {
            Some("passed, but there are failures or problems")
        }
        Verdict::Failed if counts.failed == 0 && report.problems.is_empty() => {
            Some("failed, but nothing says what is wrong")
        }
        Verdict::Passed | Verdict::Failed | Verdict::Broken => None,
    };
    let lost = report.problems.iter().find_map(|problem| {
        let path = problem.path.as_deref().filter(|path| tree.get(path).is_none())?;
        Some(format!("a problem is at {path}, which is no file of the workspace"))
    });
    let unsaid = report.problems.iter().any(|problem| problem.message.trim().is_empty());
    let line = report.problems.iter().any(|problem| problem.line == Some(0));
    contradiction
        .map(|what| format!("the verdict is {what}"))
        .or(lost)
        .or(unsaid.then(|| "a problem has no message".to_owned()))
        .or(line.then(|| "a problem is at line 0; lines count from 1".to_owned()))
}

fn remedy(failure: &Failure) -> &'static str {
    match failure {
        Failure::Trap(_) => "return a step-error in place of the panic or exception; a trap is always a bug",
        Failure::Compute(_) | Failure::Deadline(_) => "bound what it does to the size of its input",
        Failure::Memory(_) => "read fewer files at a time, or have the operator raise memory_mib",
        Failure::Output(_) => "cut what it returns",
        _ => "this is the host's own failure; report it",
    }
}
