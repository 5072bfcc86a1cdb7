//! Turns for guests that only compute.
//!
//! A checker without `exec` never waits for anything. Many of them at a time get no more done than one
//! for each processor, but hold the memory of as many instances: CPython takes some 5 MB each.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::meter::Meter;

/// Many times an ordinary check. Whoever computes for longer goes on without a turn, so that endless
/// loops hold up nobody for longer than this.
const LONG: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Turns(Arc<Semaphore>);

/// One guest's turn, unless it needs none or has given it up.
pub(super) struct Turn(Option<OwnedSemaphorePermit>);

impl Turns {
    /// One for each processor.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from))))
    }

    /// Waits in line, first come first served.
    pub(super) async fn take(&self, cancel: &CancellationToken) -> Result<Turn, Failure> {
        tokio::select! {
            turn = Arc::clone(&self.0).acquire_owned() => Ok(Turn(Some(turn.expect("nobody closes it")))),
            () = cancel.cancelled() => Err(Failure::Cancelled),
        }
    }
}

impl Turn {
    /// Of a guest that can wait for something, and so may always run.
    pub(super) fn always() -> Self {
        Self(None)
    }

    /// Gives the turn up if its guest is taking long.
    pub(super) fn look(&mut self, meter: &Meter) {
        if self.0.is_some() && meter.spent() > LONG {
            self.0 = None;
        }
    }
}
