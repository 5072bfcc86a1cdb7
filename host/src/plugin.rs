//! Plugins: load a folder of components, call one in a fresh sandbox.
//!
//! Invariant: a guest runs in an instance of its own, under limits that were set before it was made;
//! whatever it does ends in a [`Failure`] of that call.

// What goes in and what comes out.
mod call;
mod kind;
mod limits;
mod settings;

// Loading.
mod refusal;
mod manifest;
mod inspect;
mod engine;
mod ticker;
mod pieces;
mod compile;
mod load;
mod uses;
mod history;
mod catalog;
mod generation;
mod ledger;
mod runtime;
mod reload;
mod trial;
mod watch;
mod change;

// Calling.
mod bindings;
mod convert;
mod meter;
mod memory;
mod state;
mod turns;
mod aside;
mod drive;
mod steps;
mod adapter;
mod bounds;

// Capabilities, one file each.
mod check;
mod exec;
mod log;
mod model;
mod wasi;
mod workspace;

pub use adapter::Adapter;
pub use call::{Call, Decision, Ended, Failure, Interrupt, Outside, StepError, Usage};
pub use catalog::{Catalog, Listing, Loaded, Refused, Serving};
pub use change::{PlaceError, Placed};
pub use compile::{COMMAND as COMPILE, answer as compile};
pub use engine::Code;
pub use generation::Generation;
pub use history::{Change, What};
pub use inspect::{Allowed, Inspection, Missing, allow, inspect};
pub use kind::{Import, Kind};
pub use ledger::LedgerError;
pub use limits::{Limits, Overrides};
pub use manifest::MAX_FILE_BYTES;
pub use refusal::{Refusal, Status};
pub use runtime::{DEFAULT_CALLS, Runtime, StartError};
pub use settings::Settings;
pub use trial::{Fallback, Withdrawn};
pub use uses::{LastTrap, Record};
pub use watch::Watch;
