//! What a task asks to have otherwise than its pipeline.

use serde::{Deserialize, Serialize};

/// Kept with the task, so that it can be run again with the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Changes {
    #[serde(default, skip_serializing_if = "Steps::is_empty")]
    pub steps: Steps,
    /// Globs of files that builder and fixer can't change, besides the pipeline's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<String>,
}

/// Parts that take the place of the pipeline's. What is left out stays as the pipeline has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// A builder that is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// A fixer that is loaded. Empty: a failed check is answered by fresh builds only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixer: Option<String>,
    /// A checker that is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checker: Option<String>,
    /// A model that is configured. Empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Changes {
    pub fn are_none(&self) -> bool {
        self.steps.is_empty() && self.protected.is_empty()
    }
}

impl Steps {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
