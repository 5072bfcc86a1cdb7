//! Plugins: load a folder of components, call one in a fresh sandbox.
//!
//! Invariant: a guest runs in an instance of its own, under limits that were set before it was made;
//! whatever it does ends in a [`Failure`] of that call.

mod call;

pub use call::{Call, Decision, Ended, Failure, Outside, StepError, Usage};
