//! What must hold for any bytes that come from outside: a function each, which panics where it does not.
//!
//! `tests/short.rs` runs them on damaged samples in every test run; `targets/` hands them to cargo-fuzz.

/// A model's answer, read into edits.
pub mod answer;
/// A vendor's response, decoded.
pub mod decoder;

/// An archive, imported.
#[cfg(feature = "host")]
pub mod archive;
/// `aiagent.toml` and the environment.
#[cfg(feature = "host")]
pub mod config;
/// Where an event stream goes on.
#[cfg(feature = "host")]
pub mod cursor;
/// Edits, applied to a tree.
#[cfg(feature = "host")]
pub mod edits;
