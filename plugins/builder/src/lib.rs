//! The builder: from a goal and a tree to code, by asking the model once and applying its answer.
//!
//! Settings: see [`answer::settings`].

/// The prompt.
mod prompt;

#[cfg(target_arch = "wasm32")]
mod glue;

use answer::bindings::types::{Attempt, StepError, Task};
use answer::host::Host;
use answer::scene::Scene;
use answer::{ask, prompt::compose, settings};

/// Changes the workspace towards the task's goal and says what it did.
///
/// # Errors
/// As the contract says; `context-too-long` before the model is asked.
pub fn build(host: &mut impl Host, task: &Task, attempts: &[Attempt]) -> Result<String, StepError> {
    let settings = settings::parse(&task.settings, settings::BUILDER)?;
    let scene = Scene::survey(host, task, &[])?;
    let draft = prompt::draft(&scene, &settings, attempts);
    let prompt = compose(&scene, &host.limits(), &settings, draft)?;
    ask::ask(host, &scene, task, &settings, prompt)
}
