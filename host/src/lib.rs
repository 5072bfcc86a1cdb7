//! aiagent-host, room by room, in reading order.

/// Parses, matches the command, sets the exit code.
pub mod cli;
/// The only reader of the environment and of `aiagent.toml`.
pub mod config;
/// Puts the rooms together; start order, drain order.
pub mod app;
/// The nouns.
pub mod task;
/// What comes after a step: pure.
pub mod coordinator;
/// Checks what is asked for and queues it.
pub mod submission;
/// Tasks, journals, events: one trait, several back ends.
pub mod store;
/// Sandboxed steps.
pub mod plugin;
/// The one door to language models.
pub mod model;
/// Trees of files.
pub mod workspace;
/// Native commands in an OS sandbox.
pub mod exec;
/// New plugins, from templates.
pub mod scaffold;
/// The conformance kit for plugins.
pub mod kit;
/// Claim, call, commit.
pub mod worker;
/// A host's state as a whole: backups.
pub mod upkeep;
/// Who may use the API, and a log of who did what.
pub mod access;
/// The REST API.
pub mod api;
/// The web page.
pub mod ui;
/// Small tasks to try a host with.
pub mod samples;
/// Logs and metrics.
pub mod telemetry;
