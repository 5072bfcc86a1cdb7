//! Whether the worker still comes round to its queue.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Clones share one pulse.
#[derive(Clone, Debug)]
pub struct Pulse(watch::Sender<Instant>);

impl Default for Pulse {
    fn default() -> Self {
        Self(watch::Sender::new(Instant::now()))
    }
}

impl Pulse {
    pub(super) fn beat(&self) {
        self.0.send_replace(Instant::now());
    }

    /// How long ago the store answered a claim, or the worker held all the tasks it may hold.
    pub fn age(&self) -> Duration {
        self.0.borrow().elapsed()
    }
}
