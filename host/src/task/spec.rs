//! What was asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Budget, Changes, Digest, TaskId, Trace};

/// A task as it was submitted. Never changes afterwards: the pipeline is copied in, so that a later
/// change of the configuration does not alter what a waiting task does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Spec {
    /// At most 256 KiB, never blank.
    pub goal: String,
    /// The snapshot to start from.
    pub tree: Digest,
    /// Paths in the tree. Protected as if listed in the pipeline's `protected`.
    #[serde(default)]
    pub tests: Vec<String>,
    pub pipeline: Pipeline,
    pub budget: Budget,
    /// The task this one runs again, perhaps with changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskId>,
    /// The span of the request that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// What was asked for otherwise than the pipeline has it; `pipeline` is with these changes.
    #[serde(default, skip_serializing_if = "Changes::are_none")]
    pub changes: Changes,
}

/// A named choice of steps, model and limits, resolved from the configuration at submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Pipeline {
    pub name: String,
    pub builder: PluginRef,
    pub checker: PluginRef,
    /// `None`: never fix, only build afresh.
    pub fixer: Option<PluginRef>,
    /// The name of a `[models.NAME]` section. `None`: the steps of this pipeline use no model.
    pub model: Option<String>,
    /// Globs of files that builder and fixer can't change.
    pub protected: Vec<String>,
    /// How many fresh builds are tried before the first fix, at least 1.
    pub candidates: u32,
    /// Builds and fixes together, at least 1.
    pub max_rounds: u32,
    /// The sampling temperature of attempt 1, 2, …; the last one serves for all further attempts.
    /// Empty: the model's default.
    pub temperatures: Vec<f32>,
}

/// A plugin by name, with the pipeline's settings for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PluginRef {
    pub name: String,
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}
