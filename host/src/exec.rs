//! Native commands for checkers, in an OS sandbox.
//!
//! bubblewrap gives a command its own namespaces: no network but a loopback of its own, no process
//! but its own, a read-only system, and a private copy of the workspace. `prlimit` (util-linux), run
//! inside, sets the limits of each process; a watch from outside keeps those that hold for all of the
//! command's processes together.
//!
//! Invariant: no command runs outside the sandbox; where it can't be set up, the answer is a refusal.
//! Invariant: when [`Sandbox::run`] is over, however it ended, so are all processes of the command.

mod sandbox;
mod run;
mod output;
mod watch;
mod room;
mod sweep;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use sandbox::Sandbox;

/// What this machine offers to commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxConfig {
    /// The bubblewrap program.
    pub bwrap: PathBuf,
    /// `exec.read_only`: further folders that commands see, at the same place. Where one has a `bin`
    /// folder, that is in front in the command's PATH.
    pub read_only: Vec<PathBuf>,
    /// `exec.env`: added to every command's environment (`CARGO_HOME`, `RUSTUP_HOME`).
    pub env: Vec<(String, String)>,
    /// `exec.user`: who commands run as, and own their files as, where the host runs as root; otherwise
    /// it is not used. `None`: 65534, nobody. 0 keeps root's own id, without any of its rights but
    /// those of a file's owner; the kernel then sets no limit on processes, and only the watch does.
    pub user: Option<u32>,
    /// Where copies of workspaces are made. `None`: the system's folder for that.
    pub temp: Option<PathBuf>,
    /// `exec.parallel`: commands at once, at least 1; further ones wait, and their clocks start when
    /// they go.
    pub parallel: usize,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bwrap: "bwrap".into(),
            read_only: Vec::new(),
            env: Vec::new(),
            user: None,
            temp: None,
            // A build or a test run takes all the processors it can get.
            parallel: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The most one command may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecLimits {
    /// Wall time; a command may ask for less.
    pub timeout: Duration,
    /// Kept of stdout, and of stderr: the first half of it and the last.
    pub output_bytes: usize,
    /// Held by all processes together, looked at five times a second; by one at any moment.
    pub memory_bytes: u64,
    /// At once, threads included.
    pub processes: u32,
    /// Per file.
    pub file_bytes: u64,
    /// In `/tmp`, and in `/dev/shm`: both are memory.
    pub temp_bytes: u64,
    /// Likewise; looked at five times a second.
    pub temp_files: u64,
    /// Held by the workspace's files together, looked at as often as that takes no more than a fifth
    /// of a processor.
    pub disk_bytes: u64,
    /// Files and folders of the workspace, likewise.
    pub disk_files: u64,
    /// Whether the files are read back at all; a checker's are not.
    pub read_back: bool,
    /// Globs of files and folders that are not read back, unless the tree had something there:
    /// what tools leave behind.
    pub leave: Vec<String>,
}

impl Default for ExecLimits {
    fn default() -> Self {
        let leave = ["target", "node_modules", "__pycache__", ".pytest_cache", ".venv", ".mypy_cache"];
        Self {
            timeout: Duration::from_secs(300),
            output_bytes: 1 << 20,
            memory_bytes: 2 << 30,
            processes: 512,
            file_bytes: 1 << 30,
            temp_bytes: 512 << 20,
            temp_files: 100_000,
            disk_bytes: 4 << 30,
            // A large `node_modules` has 200,000.
            disk_files: 500_000,
            read_back: true,
            leave: leave.iter().map(|name| format!("**/{name}")).collect(),
        }
    }
}

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
