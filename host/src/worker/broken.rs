//! Why work on a task ends without an outcome here.

use std::time::Duration;

use crate::store::StoreError;

#[derive(Debug)]
pub(super) enum Break {
    LeaseLost,
    Draining,
    /// The model can't be used now, for the `times`th time in a row: the task is given back for later.
    Postponed {
        why: String,
        times: u32,
        wait: Duration,
    },
    Store(StoreError),
}

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LeaseLost => f.write_str("the lease is lost"),
            Self::Draining => f.write_str("the worker shuts down"),
            Self::Postponed { why, .. } => f.write_str(why),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<StoreError> for Break {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::StaleFence { .. } => Self::LeaseLost,
            other => Self::Store(other),
        }
    }
}
