//! What the journal keeps of a step's answers.

use serde::{Deserialize, Serialize};

use crate::exec::{self, ExecError};
use crate::model::{self, ModelError};
use crate::plugin::StepError;
use crate::task::{Digest, Report};

/// A model's answer as the journal keeps it. Every answer comes with the time it took: when a step
/// is run again, that counts as if it had passed anew.
#[derive(Serialize, Deserialize)]
pub(super) struct ModelAnswer {
    pub(super) result: Result<model::Completion, ModelError>,
    pub(super) cost_micros: Option<u64>,
    pub(super) wall_ms: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CheckAnswer {
    pub(super) result: Result<Report, StepError>,
    pub(super) compute_ms: u64,
    pub(super) wall_ms: u64,
}

/// A command's answer; a tree it changed is kept as a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct ExecAnswer {
    pub(super) result: Result<(exec::Output, Option<Digest>), ExecError>,
    pub(super) wall_ms: u64,
}

/// A command with the tree it runs on, for the journal: the same command on another tree is another request.
#[derive(Serialize)]
pub(super) struct ExecRequest<'a> {
    pub(super) command: &'a exec::Command,
    pub(super) tree: Digest,
}
