//! What one call carries: its limits, its grants, its workspace.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use wasmtime::component::ResourceTable;

use super::log::Log;
use super::memory::Memory;
use super::meter::Meter;
use super::wasi::Wasi;
use super::{Failure, Interrupt, Kind, Outside};
use crate::workspace::{Globs, Tree};

/// The data of a call's `Store`. The capabilities' host traits are implemented on it.
pub(super) struct State {
    pub(super) plugin: Arc<str>,
    pub(super) kind: Kind,
    pub(super) exec_granted: bool,
    pub(super) meter: Arc<Meter>,
    pub(super) memory: Memory,
    pub(super) cancel: CancellationToken,
    pub(super) deadline: Instant,
    pub(super) log: Arc<Log>,
    pub(super) tree: Tree,
    pub(super) protected: Globs,
    /// `None` for adapters, which import nothing that needs it.
    pub(super) outside: Option<Arc<dyn Outside>>,
    /// The service's threads, where what is asked of outside is worked on.
    pub(super) service: Handle,
    /// Calls of `check.run` so far.
    pub(super) checks: u32,
    /// Calls of `model.complete` so far.
    pub(super) model_calls: u32,
    /// `None` unless the plugin imports WASI.
    pub(super) wasi: Option<Box<Wasi>>,
    pub(super) table: ResourceTable,
}

impl State {
    pub(super) fn outside(&self) -> wasmtime::Result<Arc<dyn Outside>> {
        let missing = || Failure::Host(format!("a {} has nobody to ask", self.kind));
        Ok(self.outside.clone().ok_or_else(missing)?)
    }

    /// The call is over: says what is left to say in its log.
    pub(super) fn close(&self) {
        if let Some(wasi) = &self.wasi {
            wasi.close();
        }
        self.log.close();
    }
}

impl super::bindings::types::Host for State {}

/// Waits for an answer from outside on a task of its own: the guest's clock does not run for it, it
/// needs no space on the guest's stack, it is not held up by guests that compute, and it ends with the
/// call.
pub(super) async fn ask<T, E>(
    service: &Handle,
    question: impl Future<Output = Result<T, Interrupt<E>>> + Send + 'static,
) -> wasmtime::Result<Result<T, E>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let asked = service.spawn(question.in_current_span());
    match tokio_util::task::AbortOnDropHandle::new(asked).await {
        Ok(Ok(answer)) => Ok(Ok(answer)),
        Ok(Err(Interrupt::Answer(error))) => Ok(Err(error)),
        Ok(Err(Interrupt::End(failure))) => Err(failure.into()),
        Err(error) if error.is_panic() => Err(Failure::Host(format!(
            "a host call panicked: {}",
            super::drive::panic_text(&*error.into_panic())
        ))
        .into()),
        Err(_) => Err(Failure::Host("a host call was aborted".into()).into()),
    }
}
