//! The compute clock of one call: runs while the guest is on a processor, stands while it waits, and
//! while its thread waits for a processor.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Below this a stretch is charged by the wall clock: reading the processor time of a thread is a
/// system call that takes a tenth as long as a whole no-op step.
const SHORT: Duration = Duration::from_millis(1);

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
    /// Its thread's processor time at most [`SHORT`] before that, in nanoseconds.
    processor: AtomicU64,
}

/// A running stretch.
pub(super) struct Stretch<'a>(&'a Meter);

thread_local! {
    /// When this thread's processor time was last read, and what it was.
    static READ: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
}

impl Meter {
    pub(super) fn new(budget: Duration, base: Instant) -> Self {
        let zero = || AtomicU64::new(0);
        Self { budget, base, spent: zero(), since: zero(), processor: zero() }
    }

    pub(super) fn stretch(&self) -> Stretch<'_> {
        let now = Instant::now();
        let processor = match READ.get() {
            Some((at, read)) if now.saturating_duration_since(at) < SHORT => read,
            _ => read_processor(now),
        };
        self.processor.store(processor, Relaxed);
        self.since.store(nanos(now.saturating_duration_since(self.base)) + 1, Relaxed);
        Stretch(self)
    }

    /// While a stretch runs, only its own thread may ask.
    pub(super) fn spent(&self) -> Duration {
        let running = match self.since.load(Relaxed) {
            0 => 0,
            since => self.charge(since - 1),
        };
        Duration::from_nanos(self.spent.load(Relaxed).saturating_add(running))
    }

    pub(super) fn budget(&self) -> Duration {
        self.budget
    }

    /// Nanoseconds to pay for a stretch that began at `since` and runs until now: never more than the
    /// thread's processor time, or than what has passed.
    fn charge(&self, since: u64) -> u64 {
        let now = Instant::now();
        let passed = nanos(now.saturating_duration_since(self.base)).saturating_sub(since);
        if passed < nanos(SHORT) {
            return passed;
        }
        passed.min(read_processor(now).saturating_sub(self.processor.load(Relaxed)))
    }
}

impl Drop for Stretch<'_> {
    fn drop(&mut self) {
        let since = self.0.since.swap(0, Relaxed);
        let stretch = self.0.charge(since.saturating_sub(1));
        self.0.spent.fetch_add(stretch, Relaxed);
    }
}

/// This thread's processor time, in nanoseconds.
fn read_processor(now: Instant) -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let read = u64::try_from(Duration::try_from(time).map_or(0, |time| time.as_nanos())).unwrap_or(u64::MAX);
    READ.set(Some((now, read)));
    read
}

/// 584 years fit.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX >> 1)
}
