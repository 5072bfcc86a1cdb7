//! What a task has been through, and what it does next.

use serde::{Deserialize, Serialize};

use super::{Digest, Report};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoundKind {
    Build,
    Fix,
}

/// A build or a fix, plus its check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Round {
    /// From 1.
    pub number: u32,
    pub kind: RoundKind,
    pub temperature: Option<f32>,
    /// The snapshot it started from.
    pub base: Digest,
    /// The snapshot it left. `None` when the step gave nothing to check; `failure` then says why.
    pub tree: Option<Digest>,
    /// In the plugin's words.
    pub summary: String,
    pub failure: Option<String>,
    pub report: Option<Report>,
    /// The plugin calls of this round, in order.
    pub steps: Vec<StepRecord>,
}

/// One plugin call, as far as it is worth keeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StepRecord {
    pub plugin: String,
    #[serde(flatten)]
    pub basis: Basis,
    pub compute_ms: u64,
    pub wall_ms: u64,
    pub peak_memory_bytes: u64,
}

/// What a plugin call ran on: enough to say later where its result came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Basis {
    /// Of the `.wasm` file.
    pub digest: Digest,
    /// The contract it was built against: `aiagent:step@0.1.0`.
    pub contract: String,
    /// The digest of its limits and grants, as `/api/v1/plugins` shows it.
    pub policy: Digest,
    /// The worker's generation of plugins. All of a step runs on one.
    pub generation: u64,
    /// Whom it could ask. `None` where the plugin can't or the pipeline has no model.
    pub model: Option<StepModel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StepModel {
    /// The section `[models.NAME]`.
    pub name: String,
    /// The vendor's name for it.
    pub model: String,
    /// The plugin that speaks to it.
    pub adapter: String,
    /// Of the adapter's `.wasm` file; absent where none is loaded.
    pub adapter_digest: Option<Digest>,
}

/// The step a task waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "step", rename_all = "lowercase")]
pub enum Next {
    /// Run the builder on `spec.tree`. The hint is the fixer's, when it asked for a fresh build.
    Build { hint: Option<String> },
    /// Run the fixer on the tree of `rounds[from]`.
    Fix { from: usize },
    /// Run the checker on the tree that the last entry of `rounds` left.
    Check,
}

impl Next {
    pub fn first() -> Self {
        Self::Build { hint: None }
    }
}

/// A round as a fixer or builder is told of it. The words of `attempt` in `wit/types.wit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub number: u32,
    pub kind: RoundKind,
    pub summary: String,
    /// A unified diff against the tree the round started from.
    pub diff: String,
    pub report: Option<Report>,
    pub failure: Option<String>,
    pub temperature: Option<f32>,
    /// Whether the workspace now holds the tree this round left.
    pub current: bool,
}
