//! The fixer: from a failed check and the whole history of attempts to a repair, or to saying that
//! another way is better.
//!
//! Settings: see [`answer::settings`].

/// Which way to go.
mod decide;
/// What the model is told.
mod prompt;

#[cfg(target_arch = "wasm32")]
mod glue;

use answer::bindings::types::{Attempt, StepError, Task};
use answer::host::Host;
use answer::scene::Scene;
use answer::{ask, prompt::compose, settings};

use decide::Way;

/// The contract's `decision`.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Proposed(String),
    Rebuild(String),
    Stop(String),
}

/// Repairs the tree of the current attempt, or says why not.
///
/// # Errors
/// As the contract says; `context-too-long` before the model is asked.
pub fn fix(host: &mut impl Host, task: &Task, attempts: &[Attempt]) -> Result<Outcome, StepError> {
    let settings = settings::parse(&task.settings, settings::FIXER)?;
    let (attempt, approach) = match decide::decide(attempts) {
        Way::Repair { attempt, approach } => (attempt, approach),
        Way::Rebuild(hint) => return Ok(Outcome::Rebuild(hint)),
        Way::Stop(reason) => return Ok(Outcome::Stop(reason)),
    };
    let problems = attempt.report.iter().flat_map(|report| &report.problems);
    let suspects: Vec<String> = problems.filter_map(|problem| problem.path.clone()).collect();
    let scene = Scene::survey(host, task, &suspects)?;
    let draft = prompt::draft(&scene, &settings, attempt, &approach, &decide::own_files(attempts));
    let prompt = compose(&scene, &host.limits(), &settings, draft)?;
    ask::ask(host, &scene, task, &settings, prompt).map(Outcome::Proposed)
}
