//! What a check found. The same words as `report` in `wit/types.wit`.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least one test ran, and none failed.
    Passed,
    Failed,
    /// The tests could not be judged; changing the code would not help.
    Broken,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CheckProblem)] // the API's errors are problems, too
pub struct Problem {
    pub test: Option<String>,
    pub path: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Report {
    pub verdict: Verdict,
    pub counts: Counts,
    pub problems: Vec<Problem>,
    pub output: String,
}
