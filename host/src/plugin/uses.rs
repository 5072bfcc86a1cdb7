//! How a plugin's calls have gone since it was loaded.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::Failure;
use crate::task::Millis;

/// The median is of the last so many calls: enough to be steady, and 1 kB a plugin.
const TIMES: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Tally>);

#[derive(Debug, Default)]
struct Tally {
    calls: u64,
    passed: u64,
    traps_in_a_row: u32,
    last_trap: Option<LastTrap>,
    times_us: VecDeque<u64>,
}

/// On this host, since the plugin was loaded. A call that was cancelled, or that the host spoilt, is not
/// counted; an adapter's calls are the answers it has decoded, and whatever failed before.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Record {
    pub calls: u64,
    /// Calls that gave a result; what a checker's report says does not matter.
    pub passed: u64,
    /// `passed` of `calls`, from 0 to 1. `None` before the first call.
    pub pass_rate: Option<f64>,
    /// Of the last 128 calls' wall time, waiting for the model included.
    pub median_us: Option<u64>,
    pub traps_in_a_row: u32,
    pub last_trap: Option<LastTrap>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LastTrap {
    pub at: Millis,
    pub message: String,
}

impl Uses {
    /// Returns how many traps in a row it has had now.
    pub(super) fn count(&self, failure: Option<&Failure>, wall: Duration) -> u32 {
        let mut tally = self.tally();
        match failure {
            None => {
                tally.passed += 1;
                tally.traps_in_a_row = 0;
            }
            Some(failure @ Failure::Trap(_)) => {
                tally.traps_in_a_row += 1;
                tally.last_trap = Some(LastTrap { at: now(), message: failure.to_string() });
            }
            Some(
                Failure::Step(_)
                | Failure::Compute(_)
                | Failure::Deadline(_)
                | Failure::Memory(_)
                | Failure::Output(_),
            ) => tally.traps_in_a_row = 0,
            Some(
                Failure::Cancelled
                | Failure::LeaseLost
                | Failure::Missing(_)
                | Failure::Diverged(_)
                | Failure::Host(_),
            ) => return tally.traps_in_a_row,
        }
        tally.calls += 1;
        if tally.times_us.len() == TIMES {
            tally.times_us.pop_front();
        }
        tally.times_us.push_back(wall.as_micros() as u64);
        tally.traps_in_a_row
    }

    pub(super) fn passed(&self) -> u64 {
        self.tally().passed
    }

    pub(super) fn record(&self) -> Record {
        let tally = self.tally();
        let mut times: Vec<u64> = tally.times_us.iter().copied().collect();
        times.sort_unstable();
        Record {
            calls: tally.calls,
            passed: tally.passed,
            pass_rate: (tally.calls > 0).then(|| tally.passed as f64 / tally.calls as f64),
            median_us: times.get(times.len() / 2).copied(),
            traps_in_a_row: tally.traps_in_a_row,
            last_trap: tally.last_trap.clone(),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By this host's clock: swaps and traps belong to a host, not to the store.
pub(super) fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as Millis)
}
