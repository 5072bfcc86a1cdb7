//! A task as a list shows it.

use serde::Serialize;

use crate::task::{Millis, Reason, Spend, State, Task, TaskId};

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TaskSummary {
    pub id: TaskId,
    /// The first 200 characters.
    pub goal: String,
    pub pipeline: String,
    pub state: State,
    pub rounds: usize,
    pub reason: Option<Reason>,
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
            state: task.state,
            rounds: task.rounds.len(),
            reason: task.outcome.map(|outcome| outcome.reason),
            spend: task.spend,
            submitted_at: task.submitted_at,
            started_at: task.started_at,
            ended_at: task.ended_at,
        }
    }
}
