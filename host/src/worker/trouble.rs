//! What the coordinator is told of a step that failed.

use super::broken::Break;
use super::drive::Desk;
use super::halt::Stop;
use super::step::next_plugin;
use crate::coordinator::Trouble;
use crate::model::ModelError;
use crate::plugin::{Failure, StepError};
use crate::task::{Limit, Postponed, Spend, Task};

/// What is wrong, or why the claim is over.
pub(super) fn trouble(desk: &Desk, task: &Task, spent: &Spend, failure: Failure) -> Result<Trouble, Break> {
    let budget = &task.spec.budget;
    let over_wall = task.spend.wall_ms + spent.wall_ms >= budget.wall_ms;
    let over_compute = task.spend.compute_ms + spent.compute_ms >= budget.compute_ms;
    Ok(match failure {
        Failure::Cancelled | Failure::LeaseLost => match desk.halt.why() {
            Some(Stop::Cancelled) => Trouble::Cancelled,
            Some(Stop::Draining) => return Err(Break::Draining),
            Some(Stop::LeaseLost) | None => return Err(Break::LeaseLost),
        },
        Failure::Deadline(_) if desk.is_late() => Trouble::Budget(Limit::Deadline),
        Failure::Deadline(_) if over_wall => Trouble::Budget(Limit::Wall),
        Failure::Compute(_) if over_compute => Trouble::Budget(Limit::Compute),
        Failure::Step(StepError::Model(error)) => model_trouble(task, spent, error),
        Failure::Step(error @ (StepError::UnusableAnswer(_) | StepError::Other(_))) => {
            Trouble::Retry(error.to_string())
        }
        Failure::Step(error @ (StepError::Settings(_) | StepError::Denied(_))) => {
            Trouble::Hopeless(error.to_string())
        }
        failure @ (Failure::Trap(_)
        | Failure::Compute(_)
        | Failure::Deadline(_)
        | Failure::Memory(_)
        | Failure::Output(_)) => {
            Trouble::Broke(failure.to_string().replace("NAME", &next_plugin(task).0.name))
        }
        failure @ (Failure::Missing(_) | Failure::Host(_) | Failure::Diverged(_)) => {
            Trouble::Hopeless(failure.to_string())
        }
    })
}

fn model_trouble(task: &Task, spent: &Spend, error: ModelError) -> Trouble {
    match error {
        ModelError::Budget(_) => {
            let tokens = task.spend.tokens() + spent.tokens();
            let out_of_tokens = task.spec.budget.tokens.is_some_and(|limit| tokens >= limit);
            Trouble::Budget(if out_of_tokens { Limit::Tokens } else { Limit::Cost })
        }
        // Another sample may not be refused.
        ModelError::ContentFilter(_) => Trouble::Retry(error.to_string()),
        error => Trouble::Model(match &task.postponed {
            None => error.to_string(),
            Some(Postponed { times, .. }) => {
                let model = task.spec.pipeline.model.as_deref().unwrap_or_default();
                format!("{error}; model {model} was tried again {times} times (worker.model_retries)")
            }
        }),
    }
}
