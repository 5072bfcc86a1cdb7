//! What becomes of a task whose model can't be used: it waits in the queue, where it keeps no place of a
//! worker from others, and goes on from its journal.

use std::time::Duration;

use super::broken::Break;
use super::drive::Desk;
use crate::model::ModelError;
use crate::task::Postponed;

/// How long a task waits before it tries its model again.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// In a row, before the task ends.
    pub times: u32,
    /// The first wait is drawn from 0 to this.
    pub first: Duration,
    /// By how much that grows with each further one.
    pub factor: f64,
    /// What it grows to.
    pub longest: Duration,
}

impl Backoff {
    /// The longest of the waits that may follow on so many.
    fn ceiling(&self, times: u32) -> Duration {
        let growth = self.factor.powi(i32::try_from(times).unwrap_or(i32::MAX));
        Duration::try_from_secs_f64(self.first.as_secs_f64() * growth)
            .unwrap_or(self.longest)
            .min(self.longest)
    }
}

/// `None`: the task has waited as often as it may, or would wait beyond its deadline.
pub(super) fn put_off(
    desk: &Desk,
    before: Option<&Postponed>,
    model: &str,
    error: &ModelError,
) -> Option<Break> {
    let backoff = &desk.shared.settings.backoff;
    let times = before.map_or(0, |postponed| postponed.times);
    if times >= backoff.times {
        return None;
    }
    let wait = error.wait(backoff.ceiling(times));
    let postponed = Break::Postponed { why: format!("model {model}: {error}"), times: times + 1, wait };
    (wait < desk.time_left()).then_some(postponed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest() {
        let seconds = Duration::from_secs;
        let backoff = Backoff { times: 3, first: seconds(10), factor: 2.0, longest: seconds(60) };
        let waits = [0, 1, 2, 3, 4, u32::MAX].map(|times| backoff.ceiling(times));
        assert_eq!(waits, [10, 20, 40, 60, 60, 60].map(seconds));
    }
}
