//! From what a user asks for to a task that can be stored: the same checks for the API and the
//! command line.

mod steps;

use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::plugin::Catalog;
use crate::store::{Idempotency, KEY_MILLIS, NewTask, Store, StoreError, Submitted};
use crate::task::{self, Budget, Changes, Millis, Pipeline, Place, Spec, TaskId, Trace};
use crate::telemetry::spans::{self, Noted as _, Span};
use crate::workspace::{SnapshotError, Snapshots, Tree};

/// Enough for a long specification; what is longer belongs in a file of the tree.
pub const MAX_GOAL_BYTES: usize = 256 << 10;

/// What a user asks for.
#[derive(Debug, Default)]
pub struct Submission {
    pub goal: String,
    /// `None`: the configured default.
    pub pipeline: Option<String>,
    /// Paths in the tree.
    pub tests: Vec<String>,
    pub budget: BudgetWish,
    pub place: PlaceWish,
    pub tree: Tree,
    /// The task this one runs again.
    pub parent: Option<TaskId>,
    /// The span of the request.
    pub trace: Option<Trace>,
    /// What is to be otherwise than the pipeline has it.
    pub changes: Changes,
}

/// Where a task is to wait; what is left out is the default.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceWish {
    /// Queues are paused, limited and counted apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The tenants of a queue take turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// 0 to 9; a higher one comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Not to begin before, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
}

impl PlaceWish {
    /// Where the task of this place waited, but without its delay.
    pub fn again(place: Place) -> Self {
        let Place { queue, tenant, priority, not_before: _ } = place;
        Self { queue: Some(queue), tenant: Some(tenant), priority: Some(priority), not_before: None }
    }

    fn resolve(self) -> Place {
        let default = Place::default();
        Place {
            queue: self.queue.unwrap_or(default.queue),
            tenant: self.tenant.unwrap_or(default.tenant),
            priority: self.priority.unwrap_or(default.priority),
            not_before: self.not_before,
        }
    }
}

/// Limits a user sets for one task; what is left out is as configured.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetWish {
    /// Builds and fixes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
    /// Input and output tokens together; 0: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// In the currency of the configured prices; 0: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Wall time in seconds, from the first step on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_s: Option<u64>,
    /// Time that guests compute, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_s: Option<u64>,
    /// By when the task has to have ended, waiting included, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Millis>,
}

/// What is wrong with a submission.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the goal is empty: say what is to be done")]
    EmptyGoal,
    #[error("the goal has {0} bytes, the most is {MAX_GOAL_BYTES}: put long material in a file of the tree")]
    LongGoal(usize),
    #[error("there is no pipeline {name:?}; configured are: {known}")]
    UnknownPipeline { name: String, known: String },
    #[error("there is no {part} {name:?}: {hint}")]
    UnknownStep { part: &'static str, name: String, hint: String },
    #[error("protected: {0}")]
    Protected(String),
    #[error("the test {path:?} is not among the files: {hint}")]
    MissingTest { path: String, hint: String },
    #[error("budget.{0} must be at least 1")]
    NoBudget(&'static str),
    #[error("{0}")]
    BadPlace(String),
    #[error("budget.deadline is {0}, which has passed: give it in milliseconds since 1970")]
    Late(Millis),
    #[error("budget.cost must be 0 (no limit) or a positive number")]
    BadCost,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// For texts that quote a client's words.
fn clip(text: &str) -> String {
    text.chars().take(200).collect()
}

impl Submission {
    /// Checks everything, stores the tree, and queues the task.
    pub async fn submit(
        mut self,
        settings: &Settings,
        catalog: &Catalog,
        store: &dyn Store,
        snapshots: &Snapshots,
        idempotency: Option<Idempotency>,
    ) -> Result<Submitted, Refusal> {
        let mut span = self.begin_span();
        let new = self.prepare(settings, catalog, snapshots, idempotency).await;
        let submitted = match new {
            Ok(new) => store.submit(new).await.map_err(Refusal::from),
            Err(refusal) => Err(refusal),
        };
        match &submitted {
            Ok(submitted) => span.note("task.id", submitted.id.as_str()),
            Err(refusal) => span.failed(refusal.to_string()),
        }
        submitted
    }

    /// The span of the request, where spans are sent: its task's own belong to it.
    pub fn begin_span(&mut self) -> Option<Span> {
        let span = spans::begin_trace("submit", spans::Kind::Server, self.trace.as_ref());
        if let Some(span) = &span {
            self.trace = Some(span.context.clone());
        }
        span
    }

    /// Checks everything and stores the tree: the task is ready to be queued.
    pub async fn prepare(
        self,
        settings: &Settings,
        catalog: &Catalog,
        snapshots: &Snapshots,
        idempotency: Option<Idempotency>,
    ) -> Result<NewTask, Refusal> {
        let pipeline = self.check(settings, catalog)?;
        let place = self.place.resolve();
        place.check().map_err(Refusal::BadPlace)?;
        let rounds = self.budget.rounds.unwrap_or(pipeline.max_rounds);
        let mut budget = settings.budget.clone();
        budget.tokens = self.budget.tokens.unwrap_or(budget.tokens);
        budget.cost = self.budget.cost.unwrap_or(budget.cost);
        budget.wall_s = self.budget.wall_s.unwrap_or(budget.wall_s);
        budget.compute_s = self.budget.compute_s.unwrap_or(budget.compute_s);
        let spec = Spec {
            goal: self.goal,
            tree: snapshots.save(&self.tree).await?,
            tests: self.tests,
            // A user who asks for more rounds than the pipeline's wants more rounds.
            pipeline: Pipeline { max_rounds: rounds, ..pipeline },
            budget: Budget { deadline: self.budget.deadline, ..budget.resolve(rounds) },
            parent: self.parent,
            trace: self.trace,
            changes: self.changes,
        };
        let max_waiting = settings.max_waiting(&place.queue);
        Ok(NewTask { place, idempotency, max_waiting, ..NewTask::new(TaskId::fresh(), spec) })
    }

    fn check(&self, settings: &Settings, catalog: &Catalog) -> Result<Pipeline, Refusal> {
        if self.goal.trim().is_empty() {
            return Err(Refusal::EmptyGoal);
        }
        if self.goal.len() > MAX_GOAL_BYTES {
            return Err(Refusal::LongGoal(self.goal.len()));
        }
        let name = self.pipeline.as_ref().unwrap_or(&settings.pipeline);
        let Some(pipeline) = settings.pipelines.get(name) else {
            let known = settings.pipelines.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(Refusal::UnknownPipeline { name: clip(name), known });
        };
        for test in &self.tests {
            if self.tree.get(test).is_none() {
                let hint = match self.tree.nearest(test) {
                    Some(path) => format!("the nearest name is {path:?}"),
                    None if self.tree.is_empty() => "there are no files".to_owned(),
                    None => format!("none of the {} has a name like it", self.tree.len()),
                };
                return Err(Refusal::MissingTest { path: clip(test), hint });
            }
        }
        if self.budget.rounds == Some(0) {
            return Err(Refusal::NoBudget("rounds"));
        }
        if self.budget.wall_s == Some(0) {
            return Err(Refusal::NoBudget("wall_s"));
        }
        if self.budget.compute_s == Some(0) {
            return Err(Refusal::NoBudget("compute_s"));
        }
        // For a mistake, seconds say. One that has just passed may come with a key that was used before it
        // did, and ends its task without a step anyway, by the store's clock.
        let late = |deadline: &Millis| deadline.saturating_add(KEY_MILLIS) <= task::now();
        if let Some(deadline) = self.budget.deadline.filter(late) {
            return Err(Refusal::Late(deadline));
        }
        if self.budget.cost.is_some_and(|cost| !cost.is_finite() || cost.is_sign_negative()) {
            return Err(Refusal::BadCost);
        }
        steps::changed(pipeline.resolve(name), &self.changes, settings, catalog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Blob, TreePath};

    #[test]
    fn a_refusal_is_short_whatever_was_sent() {
        let mut tree = Tree::default();
        for name in ["a/test_add.py", "b.py"] {
            tree.put(TreePath::parse(name).expect("a path"), Blob::new("x"), None).expect("it fits");
        }
        let long = "x".repeat(10 << 20);
        let submission = |test: &str, pipeline: Option<&str>| Submission {
            goal: "a goal".to_owned(),
            tests: vec![test.to_owned()],
            pipeline: pipeline.map(str::to_owned),
            tree: tree.clone(),
            ..Submission::default()
        };
        for (submission, said) in [
            (submission("test_add.py", None), "the nearest name is \"a/test_add.py\""),
            (submission("a/tests_add.py", None), "the nearest name is \"a/test_add.py\""),
            (submission(&long, None), "none of the 2 has a name like it"),
            (submission("b.py", Some(&long)), "configured are: default"),
        ] {
            let error =
                submission.check(&Settings::default(), &Catalog::default()).expect_err(said).to_string();
            assert!(error.ends_with(said) && error.len() < 1_000, "{error:.1000}");
        }
    }
}
