//! Where a task waits, for whom, and since when it may begin.

use serde::{Deserialize, Serialize};

use super::Millis;

/// The priority of a task that names none.
pub const PRIORITY: u8 = 5;

/// The most urgent.
pub const TOP_PRIORITY: u8 = 9;

/// The year 2100. Whoever means a later time counts in another unit, and a far later one is beyond the numbers of
/// the back ends.
const LATEST: Millis = 4_102_444_800_000;

/// The longest name of a queue or tenant.
const MAX_NAME: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    /// Queues are paused, limited and counted apart.
    pub queue: String,
    /// The tenants of a queue take turns, however many tasks each of them has.
    pub tenant: String,
    /// 0 to 9; a higher one comes first.
    pub priority: u8,
    /// Not to begin before.
    pub not_before: Option<Millis>,
}

impl Default for Place {
    fn default() -> Self {
        let (queue, tenant) = ("default".to_owned(), "default".to_owned());
        Self { queue, tenant, priority: PRIORITY, not_before: None }
    }
}

impl Place {
    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.priority > TOP_PRIORITY {
            return Err(format!(
                "priority is {}; use 0 to {TOP_PRIORITY}, where {TOP_PRIORITY} comes first",
                self.priority
            ));
        }
        if let Some(time) = self.not_before.filter(|time| *time > LATEST) {
            return Err(format!("not_before is {time}, beyond the year 2100; use milliseconds since 1970"));
        }
        for (what, name) in [("queue", &self.queue), ("tenant", &self.tenant)] {
            let fits = (1..=MAX_NAME).contains(&name.len());
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-@".contains(letter);
            if !fits || !name.chars().all(plain) {
                return Err(format!(
                    "{name:?} is no name of a {what}; use 1 to {MAX_NAME} letters, digits and . _ - @"
                ));
            }
        }
        Ok(())
    }
}
