//! One call of a step: what goes in, what it may ask, what comes out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Fallback;
use crate::exec;
use crate::model::{self, ModelError};
use crate::task::{Attempt, Digest, Level, Report};
use crate::workspace::{Globs, Tree};

/// What a builder, fixer or checker is called with.
pub struct Call {
    /// `task.id` in the contract.
    pub task: String,
    pub goal: String,
    pub tests: Vec<String>,
    /// Files the guest can't change; a checker can't change any.
    pub protected: Globs,
    pub settings: Vec<(String, String)>,
    pub temperature: Option<f32>,
    pub attempt: u32,
    /// Seeds the guest's random numbers and `task.seed`; the same for a re-run of the same step.
    pub seed: u64,
    pub tree: Tree,
    /// The history, for builders and fixers; empty for checkers.
    pub attempts: Vec<Attempt>,
    pub outside: Arc<dyn Outside>,
    pub cancel: CancellationToken,
    /// The task's remaining wall time and compute; the plugin's own limits apply as well.
    pub wall_left: Duration,
    pub compute_left: Duration,
}

/// Where a step's answers from outside come from. The worker puts the journal in between.
#[async_trait]
pub trait Outside: Send + Sync {
    fn limits(&self) -> model::Limits;
    async fn complete(&self, request: model::Request) -> Result<model::Completion, Interrupt<ModelError>>;
    async fn check(&self, tree: Tree) -> Result<Report, Interrupt<StepError>>;
    /// Runs a command on a copy of the tree and returns the files it left, if they changed.
    async fn exec(
        &self,
        tree: Tree,
        command: exec::Command,
    ) -> Result<(exec::Output, Option<Tree>), Interrupt<exec::ExecError>>;
    fn log(&self, level: Level, message: String);
}

/// An answer for the guest, or the end of its call.
#[derive(Debug)]
pub enum Interrupt<E> {
    /// The guest is told.
    Answer(E),
    /// The call ends here as this failure; the guest is not told anything.
    End(Failure),
}

/// How a call ended, and the tree it left.
pub struct Ended<T> {
    pub result: Result<T, Failure>,
    /// As the guest left it; the caller drops it when the result is an error.
    pub tree: Tree,
    pub usage: Usage,
    /// Of the `.wasm` file that ran.
    pub digest: Digest,
    /// It trapped while it was on trial: the caller does the call again on this.
    pub fallback: Option<Fallback>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time the guest computed; waiting for the host is not counted.
    pub compute: Duration,
    pub wall: Duration,
    pub peak_memory_bytes: u64,
}

/// A fixer's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Proposed(String),
    Rebuild(String),
    Stop(String),
}

/// What a step returns when it could not do its work. The words of `step-error` in `wit/types.wit`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "detail", rename_all = "kebab-case")]
pub enum StepError {
    #[error("{0}")]
    Model(ModelError),
    #[error("unusable answer: {0}")]
    UnusableAnswer(String),
    #[error("bad setting: {0}")]
    Settings(String),
    #[error("denied: {0}")]
    Denied(String),
    #[error("{0}")]
    Other(String),
}

/// Why a call gave no result. All but `Step` are the host's own findings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Step(StepError),
    #[error("trapped: {0}")]
    Trap(String),
    #[error("used up its compute budget of {} ms (raise plugins.NAME.compute_ms)", .0.as_millis())]
    Compute(Duration),
    #[error("ran past its deadline of {} ms (raise plugins.NAME.wall_ms)", .0.as_millis())]
    Deadline(Duration),
    #[error("wanted more than its {0} bytes of memory (raise plugins.NAME.memory_mib)")]
    Memory(u64),
    #[error(
        "returned or handed to the host more than its {0} bytes of output allow (raise plugins.NAME.output_kib)"
    )]
    Output(u64),
    #[error("cancelled")]
    Cancelled,
    #[error("no such plugin: {0}")]
    Missing(String),
    #[error("did not ask what its journal says: {0}")]
    Diverged(String),
    /// The worker has lost the task: nothing of this call counts.
    #[error("the lease is lost")]
    LeaseLost,
    #[error("host error: {0}")]
    Host(String),
}

impl Failure {
    /// Whether the guest had to be stopped, or stopped itself, for what it did with the host's processors and
    /// memory. A deadline is not of that kind: it passes while others are waited for, too.
    pub(super) fn is_the_guests(&self) -> bool {
        matches!(self, Self::Trap(_) | Self::Compute(_) | Self::Memory(_) | Self::Output(_))
    }
}
