//! The compute clock of one call: runs while the guest is on a processor, stands while it waits.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// One poll of the guest's future is one stretch of compute. What a host function does within the
/// poll is charged too, since the guest asked for it; what it waits for is not.
#[derive(Debug)]
pub(super) struct Meter {
    budget: Duration,
    base: Instant,
    /// Nanoseconds of finished stretches.
    spent: AtomicU64,
    /// When the running stretch began, in nanoseconds after `base`, plus one; 0 between stretches.
    since: AtomicU64,
}

/// A running stretch.
pub(super) struct Stretch<'a>(&'a Meter);

impl Meter {
    pub(super) fn new(budget: Duration, base: Instant) -> Self {
        Self { budget, base, spent: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    pub(super) fn stretch(&self) -> Stretch<'_> {
        self.since.store(self.now() + 1, Relaxed);
        Stretch(self)
    }

    pub(super) fn spent(&self) -> Duration {
        let running = match self.since.load(Relaxed) {
            0 => 0,
            since => self.now().saturating_sub(since - 1),
        };
        Duration::from_nanos(self.spent.load(Relaxed) + running)
    }

    pub(super) fn is_over(&self) -> bool {
        self.spent() >= self.budget
    }

    pub(super) fn budget(&self) -> Duration {
        self.budget
    }

    /// Nanoseconds since `base`; 584 years fit.
    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX >> 1)
    }
}

impl Drop for Stretch<'_> {
    fn drop(&mut self) {
        let since = self.0.since.swap(0, Relaxed);
        let stretch = self.0.now().saturating_sub(since.saturating_sub(1));
        self.0.spent.fetch_add(stretch, Relaxed);
    }
}
