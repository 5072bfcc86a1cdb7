//! How a plugin's calls have gone since it was loaded.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::task::{Millis, now};

/// The median is of the last so many calls: enough to be steady, and 1 kB a plugin.
const TIMES: usize = 128;

/// A plugin that had to be stopped, or trapped, rests for so long before its next call, and for twice as long
/// after each further time in a row: one that fails over and over, however quickly, is no load.
const REST: Duration = Duration::from_millis(10);
/// A healthy call that comes after many bad ones waits so long, once.
const LONGEST_REST: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Tally>);

#[derive(Debug, Default)]
struct Tally {
    calls: u64,
    passed: u64,
    traps_in_a_row: u32,
    /// Those of them that were nothing but its own fault.
    blamed_in_a_row: u32,
    last_trap: Option<LastTrap>,
    stopped_in_a_row: u32,
    rests_until: Option<Instant>,
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
    pub(super) fn count(&self, failure: Option<&Failure>, wall: Duration) {
        let mut tally = self.tally();
        tally.note_rest(failure);
        match failure {
            None => {
                tally.passed += 1;
                (tally.traps_in_a_row, tally.blamed_in_a_row) = (0, 0);
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
            ) => (tally.traps_in_a_row, tally.blamed_in_a_row) = (0, 0),
            Some(
                Failure::Cancelled
                | Failure::LeaseLost
                | Failure::Missing(_)
                | Failure::Diverged(_)
                | Failure::Host(_),
            ) => return,
        }
        tally.calls += 1;
        if tally.times_us.len() == TIMES {
            tally.times_us.pop_front();
        }
        tally.times_us.push_back(wall.as_micros() as u64);
    }

    /// A trap was nothing but its own fault. Returns how many there were in a row.
    pub(super) fn blame(&self) -> u32 {
        let mut tally = self.tally();
        tally.blamed_in_a_row += 1;
        tally.blamed_in_a_row
    }

    /// Waits until a plugin that keeps failing may be called again.
    pub(super) async fn rested(&self, cancel: &CancellationToken) -> Result<(), Failure> {
        let Some(until) = self.tally().rests_until else { return Ok(()) };
        tokio::select! {
            () = cancel.cancelled() => Err(Failure::Cancelled),
            () = tokio::time::sleep_until(until.into()) => Ok(()),
        }
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

impl Tally {
    fn note_rest(&mut self, failure: Option<&Failure>) {
        match failure {
            None | Some(Failure::Step(_)) => (self.stopped_in_a_row, self.rests_until) = (0, None),
            Some(failure) if failure.is_the_guests() => {
                self.stopped_in_a_row += 1;
                self.rests_until = Some(Instant::now() + rest(self.stopped_in_a_row));
            }
            Some(_) => {}
        }
    }
}

fn rest(stopped_in_a_row: u32) -> Duration {
    let doubled = 1_u32.checked_shl(stopped_in_a_row.saturating_sub(1)).unwrap_or(u32::MAX);
    REST.saturating_mul(doubled).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_doubles_up_to_a_second() {
        let rests = [1, 2, 3, 7, 8, 33, u32::MAX].map(|times| rest(times).as_millis());
        assert_eq!(rests, [10, 20, 40, 640, 1000, 1000, 1000]);
    }

    #[tokio::test]
    async fn what_a_guest_is_stopped_for_makes_it_rest_until_it_does_well() {
        let stop = CancellationToken::new();
        stop.cancel();
        let uses = Uses::default();
        let trap = Failure::Trap("unreachable".into());
        for failure in
            [Failure::Deadline(LONGEST_REST), Failure::Host("full disk".into()), Failure::Cancelled]
        {
            uses.count(Some(&failure), Duration::ZERO);
            assert_eq!(uses.rested(&CancellationToken::new()).await, Ok(()), "{failure}");
        }
        for _ in 0..20 {
            uses.count(Some(&trap), Duration::ZERO);
        }
        assert_eq!(uses.rested(&stop).await, Err(Failure::Cancelled));
        uses.count(None, Duration::ZERO);
        assert_eq!(uses.rested(&stop).await, Ok(()));
    }
}
