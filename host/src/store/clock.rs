//! The store's time: the system's, or one that tests set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::task::Millis;

/// Where a store reads its time. Cheap to clone; clones of a manual clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicU64>),
}

/// A moment by the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Now {
    pub(super) micros: u64,
}

impl Now {
    pub(super) fn millis(self) -> Millis {
        self.micros / 1000
    }
}

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Starts at `millis` since 1970 and moves only by [`Clock::advance`].
    pub fn manual(millis: Millis) -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(millis * 1000))))
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// On the system's clock, which nobody moves.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Source::System => panic!("the system's clock can't be moved"),
            Source::Manual(micros) => {
                micros.fetch_add(as_micros(by), Ordering::SeqCst);
            }
        }
    }

    /// The time, where it is set by hand.
    pub(super) fn by_hand(&self) -> Option<Now> {
        match &self.0 {
            Source::System => None,
            Source::Manual(_) => Some(self.now()),
        }
    }

    pub(super) fn now(&self) -> Now {
        let micros = match &self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
                as_micros(since)
            }
            Source::Manual(micros) => micros.load(Ordering::SeqCst),
        };
        Now { micros }
    }
}

/// Saturates far beyond any lease or age that makes sense.
pub(super) fn as_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX >> 2)
}
