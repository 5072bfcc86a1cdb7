//! A task as a list shows it.

use serde::Serialize;

use crate::task::{Budget, Millis, Place, Postponed, Reason, Spend, State, Task, TaskId};

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TaskSummary {
    pub id: TaskId,
    /// The first 200 characters.
    pub goal: String,
    pub pipeline: String,
    pub place: Place,
    pub state: State,
    pub rounds: usize,
    pub reason: Option<Reason>,
    pub model: Option<String>,
    /// The task this one runs again.
    pub parent: Option<TaskId>,
    pub worker: Option<String>,
    /// Asked to end, but not ended yet.
    pub cancel: bool,
    /// Its model could not be used; while it is queued, it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postponed: Option<Postponed>,
    /// What a task may use up, for the meters.
    pub budget: Budget,
    pub spend: Spend,
    pub submitted_at: Millis,
    pub started_at: Option<Millis>,
    pub ended_at: Option<Millis>,
}

impl From<Task> for TaskSummary {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            goal: task.spec.goal.chars().take(200).collect(),
            pipeline: task.spec.pipeline.name,
            place: task.place,
            state: task.state,
            rounds: task.rounds.len(),
            reason: task.outcome.map(|outcome| outcome.reason),
            model: task.spec.pipeline.model,
            parent: task.spec.parent,
            worker: task.worker,
            cancel: task.cancel,
            postponed: task.postponed,
            budget: task.spec.budget,
            spend: task.spend,
            submitted_at: task.submitted_at,
            started_at: task.started_at,
            ended_at: task.ended_at,
        }
    }
}
