//! Which tasks are asked for, and what is told of many of them.

use serde::{Deserialize, Serialize};

use super::control;
use crate::task::{Millis, Outcome, Pipeline, Reason, Spend, State, Task, TaskId};

/// Matching tasks that [`super::Store::count`] counts at most: a person reads no further.
pub const MOST_COUNTED: u64 = 100_000;

/// All of what is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub pipeline: Option<String>,
    /// Only those that ended through no fault of their own.
    pub dead: bool,
    /// A part of the goal or of the id, in any case.
    pub text: Option<String>,
    /// How it ended.
    pub outcome: Option<Ending>,
    /// The model that the task's pipeline names.
    pub model: Option<String>,
    /// A builder, checker or fixer that the task's pipeline names.
    pub plugin: Option<String>,
    /// The task that these run again.
    pub parent: Option<TaskId>,
    /// Submitted then or later.
    pub since: Option<Millis>,
    /// Submitted before.
    pub until: Option<Millis>,
    /// Only ids after this one.
    pub floor: Option<TaskId>,
    /// Only ids before this one.
    pub ceiling: Option<TaskId>,
    /// Likewise: the last of the page before. Nothing to `count`.
    pub cursor: Option<TaskId>,
    /// At most 200, and 0 means 200. Nothing to `count`.
    pub limit: usize,
}

/// The kind of an outcome's reason, or any but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Green,
    /// It has ended, and not green.
    NotGreen,
    Budget,
    Stuck,
    Stopped,
    ChecksBroken,
    StepFailed,
    ModelFailed,
    Cancelled,
    Crashed,
}

impl Ending {
    /// The kind of the reasons it stands for; `None`: all but green.
    pub(super) fn kind(self) -> Option<&'static str> {
        match self {
            Self::NotGreen => None,
            Self::Green => Some("green"),
            Self::Budget => Some("budget"),
            Self::Stuck => Some("stuck"),
            Self::Stopped => Some("stopped"),
            Self::ChecksBroken => Some("checks-broken"),
            Self::StepFailed => Some("step-failed"),
            Self::ModelFailed => Some("model-failed"),
            Self::Cancelled => Some("cancelled"),
            Self::Crashed => Some("crashed"),
        }
    }

    fn admits(self, reason: &Reason) -> bool {
        self.kind().map_or(*reason != Reason::Green, |kind| kind == reason.kind())
    }
}

#[derive(Clone, Debug, Default)]
pub struct Page {
    pub tasks: Vec<Task>,
    /// Give it as `cursor` for the next page. `None`: this was the last. A store that has to look at
    /// many tasks to find few, or finds some that can't be read, may give a short page with a next one.
    pub next: Option<TaskId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Count {
    pub count: u64,
    /// Not, where it stopped counting: there are at least so many.
    pub exact: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    Gone,
    /// It waits or runs.
    NotEnded,
}

/// Of a task that has ended, what an overview of many of them adds up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub ended_at: Millis,
    pub started_at: Option<Millis>,
    pub pipeline: String,
    pub model: Option<String>,
    pub green: bool,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// `None`: it asked a model that has no price.
    pub cost_micros: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pasts {
    /// The newest end first.
    pub tasks: Vec<Past>,
    /// Whether there are more.
    pub truncated: bool,
}

/// A filter, ready to be held against many tasks.
pub(super) struct Sieve<'a> {
    filter: &'a Filter,
    text: Option<String>,
}

impl Filter {
    pub(super) fn sieve(&self) -> Sieve<'_> {
        Sieve { filter: self, text: self.text.as_deref().map(control::folded) }
    }

    /// Only ids before this one, on this page.
    pub(super) fn below(&self) -> Option<&TaskId> {
        [&self.ceiling, &self.cursor].into_iter().flatten().min()
    }

    /// Whether it asks for more than where in the list of all tasks, of a state, or of a pipeline.
    pub(super) fn is_fine(&self) -> bool {
        let Self { state: _, pipeline: _, floor: _, ceiling: _, cursor: _, limit: _, dead, .. } = self;
        *dead
            || self.text.is_some()
            || self.outcome.is_some()
            || self.model.is_some()
            || self.plugin.is_some()
            || self.parent.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }
}

impl Sieve<'_> {
    pub(super) fn admits(&self, task: &Task) -> bool {
        let (filter, pipeline) = (self.filter, &task.spec.pipeline);
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
        filter.below().is_none_or(|below| task.id < *below)
            && filter.floor.as_ref().is_none_or(|floor| task.id > *floor)
            && filter.state.is_none_or(|state| task.state == state)
            && is(&filter.pipeline, &pipeline.name)
            && (!filter.dead || task.outcome.as_ref().is_some_and(Outcome::is_dead))
            && filter.outcome.is_none_or(|ending| {
                task.outcome.as_ref().is_some_and(|outcome| ending.admits(&outcome.reason))
            })
            && filter.model.as_ref().is_none_or(|model| pipeline.model.as_ref() == Some(model))
            && filter.plugin.as_deref().is_none_or(|name| plugins(pipeline).any(|plugin| plugin == name))
            && filter.parent.as_ref().is_none_or(|parent| task.spec.parent.as_ref() == Some(parent))
            && filter.since.is_none_or(|since| task.submitted_at >= since)
            && filter.until.is_none_or(|until| task.submitted_at < until)
            && self.text.as_deref().is_none_or(|text| {
                control::folded(&task.spec.goal).contains(text)
                    || control::folded(task.id.as_str()).contains(text)
            })
    }
}

fn plugins(pipeline: &Pipeline) -> impl Iterator<Item = &str> {
    let all = [Some(&pipeline.builder), Some(&pipeline.checker), pipeline.fixer.as_ref()];
    all.into_iter().flatten().map(|plugin| plugin.name.as_str())
}

impl Past {
    /// `None`: it has not ended.
    pub(super) fn of(task: &Task) -> Option<Self> {
        let (outcome, pipeline) = (task.outcome.as_ref()?, &task.spec.pipeline);
        Some(Self {
            ended_at: task.ended_at?,
            started_at: task.started_at,
            pipeline: pipeline.name.clone(),
            model: pipeline.model.clone(),
            green: outcome.is_green(),
            input_tokens: task.spend.input_tokens,
            output_tokens: task.spend.output_tokens,
            cost_micros: cost(&task.spend),
        })
    }
}

/// A task that has asked no model has cost nothing.
pub(super) fn cost(spend: &Spend) -> Option<u64> {
    if spend.model_calls == 0 { Some(0) } else { spend.cost_micros }
}
