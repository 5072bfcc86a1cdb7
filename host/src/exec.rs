//! Native commands for checkers, in an OS sandbox.
//!
//! Invariant: no command runs outside the sandbox; where it can't be set up, the answer is a refusal.

use serde::{Deserialize, Serialize};

/// The words of `command` in `wit/exec.wit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub argv: Vec<String>,
    pub cwd: Option<String>,
    pub env: Vec<(String, String)>,
    pub stdin: Option<Vec<u8>>,
    pub timeout_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Exited(i32),
    Signalled(i32),
    TimedOut,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub ending: Ending,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub dropped: u64,
    pub duration_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "detail", rename_all = "kebab-case")]
pub enum ExecError {
    #[error("denied: {0}")]
    Denied(String),
    #[error("no such program: {0}")]
    NotFound(String),
    #[error("bad command: {0}")]
    Invalid(String),
    #[error("{0}")]
    Other(String),
}
