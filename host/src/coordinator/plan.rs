//! How each attempt is sampled.

use super::failure;
use crate::task::Task;

/// How much hotter an attempt is sampled after the same failure came twice, and the most it may be.
pub(super) const RAISE: f32 = 0.4;
const HOTTEST: f32 = 1.2;

/// The temperature of the next attempt: the pipeline's for its number, raised when the last two
/// rounds failed alike.
pub fn temperature(task: &Task) -> Option<f32> {
    let temperatures = &task.spec.pipeline.temperatures;
    let planned = temperatures.get(task.rounds.len()).or(temperatures.last()).copied();
    if failure::repeated(&task.rounds, 2).is_none() {
        return planned;
    }
    let last = task.rounds.last().and_then(|round| round.temperature);
    let from = planned.unwrap_or(0.0).max(last.unwrap_or(0.0));
    Some((from + RAISE).min(HOTTEST.max(planned.unwrap_or(0.0))))
}
