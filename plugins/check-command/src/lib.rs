//! Checker plugin: runs a command in the workspace and reads exit code and output into a report.
//!
//! In reading order:

/// From how a command ended and what it printed to a report.
pub mod judge;
/// Which file of the workspace a tool means.
pub mod places;
#[cfg(target_arch = "wasm32")]
mod plugin;
/// What a check found, in the contract's words.
pub mod report;
/// The shapes of test runners' output.
pub mod runner;
/// What the operator configures: the command, its folder, time and environment.
pub mod settings;
/// A command line as a list of words, without a shell.
pub mod words;
