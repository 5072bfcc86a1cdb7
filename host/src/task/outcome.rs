//! How a task ended.

use serde::{Deserialize, Serialize};

use super::{Digest, Limit, Report};

/// Every end has a reason, a tree (hence a diff) and, where a check ran, a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Outcome {
    pub reason: Reason,
    /// The best snapshot, never just the last. The submitted one if nothing better came.
    pub tree: Digest,
    /// The report on that snapshot.
    pub report: Option<Report>,
}

impl Outcome {
    pub fn is_green(&self) -> bool {
        self.reason == Reason::Green
    }

    /// Whether it ended through no fault of its own: somebody should look, and may queue it again.
    pub fn is_dead(&self) -> bool {
        matches!(self.reason, Reason::Crashed { .. } | Reason::ModelFailed { .. } | Reason::StepFailed { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// The coordinator's own check passed.
    Green,
    /// A limit of the budget was reached.
    Budget {
        limit: Limit,
    },
    /// The same failure came back three times.
    Stuck {
        failure: String,
    },
    /// The fixer saw no way on.
    Stopped {
        reason: String,
    },
    /// The tests can't be judged; changing the code would not help.
    ChecksBroken {
        message: String,
    },
    /// A step failed in a way that trying again would not mend.
    StepFailed {
        plugin: String,
        message: String,
    },
    /// The model can't be used: no key, no connection, an unknown name.
    ModelFailed {
        message: String,
    },
    Cancelled,
    /// Three workers were lost while they held this task.
    Crashed {
        message: String,
    },
}

impl Reason {
    /// Its name in the API.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Budget { .. } => "budget",
            Self::Stuck { .. } => "stuck",
            Self::Stopped { .. } => "stopped",
            Self::ChecksBroken { .. } => "checks-broken",
            Self::StepFailed { .. } => "step-failed",
            Self::ModelFailed { .. } => "model-failed",
            Self::Cancelled => "cancelled",
            Self::Crashed { .. } => "crashed",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Green => f.write_str("green: every check passed"),
            Self::Budget { limit } => {
                let (what, key) = match limit {
                    Limit::Rounds => ("rounds", "rounds"),
                    Limit::Tokens => ("tokens", "tokens"),
                    Limit::Cost => ("money", "cost"),
                    Limit::Wall => ("wall time", "wall"),
                    Limit::Compute => ("compute time", "compute"),
                    Limit::Deadline => ("time before its deadline", "deadline"),
                };
                write!(f, "out of budget: no {what} left (raise budget.{key} to go further)")
            }
            Self::Stuck { failure } => write!(f, "stuck: the same failure three times: {failure}"),
            Self::Stopped { reason } => write!(f, "stopped by the fixer: {reason}"),
            Self::ChecksBroken { message } => write!(f, "the checks can't be judged: {message}"),
            Self::StepFailed { plugin, message } => write!(f, "step {plugin} failed: {message}"),
            Self::ModelFailed { message } => write!(f, "the model can't be used: {message}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Crashed { message } => write!(f, "lost three workers: {message}"),
        }
    }
}
