//! What a step asks of the outside, as one seam: the contract's imports in the sandbox, a scripted
//! tree and model in native tests (natively there is no host to import from).
use crate::bindings::model::ModelLimits;
use crate::bindings::types::{Completion, Level, ModelError, Request};
use crate::bindings::workspace::{ApplyError, Edit, Entry, WorkspaceError};

/// Each method is the function of the same name in `wit/`, errors included.
pub trait Host {
    fn list(&mut self, glob: &str) -> Result<Vec<Entry>, WorkspaceError>;
    fn read(&mut self, path: &str) -> Result<Vec<u8>, WorkspaceError>;
    fn apply(&mut self, edits: &[Edit]) -> Result<(), ApplyError>;
    fn limits(&mut self) -> ModelLimits;
    fn complete(&mut self, request: &Request) -> Result<Completion, ModelError>;
    fn log(&mut self, level: Level, message: &str);
}

/// The imports themselves.
#[cfg(target_arch = "wasm32")]
pub struct Imports;

#[cfg(target_arch = "wasm32")]
impl Host for Imports {
    fn list(&mut self, glob: &str) -> Result<Vec<Entry>, WorkspaceError> {
        crate::bindings::workspace::list(glob)
    }
    fn read(&mut self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        crate::bindings::workspace::read(path)
    }
    fn apply(&mut self, edits: &[Edit]) -> Result<(), ApplyError> {
        crate::bindings::workspace::apply(edits)
    }
    fn limits(&mut self) -> ModelLimits {
        crate::bindings::model::limits()
    }
    fn complete(&mut self, request: &Request) -> Result<Completion, ModelError> {
        crate::bindings::model::complete(request)
    }
    fn log(&mut self, level: Level, message: &str) {
        crate::bindings::log::log(level, message);
    }
}
