//! Why work on a task ends without an outcome here.

use std::time::Duration;

use crate::store::StoreError;

#[derive(Debug)]
pub(super) enum Break {
    LeaseLost,
    Draining,
    /// The model can't be used now; `times` counts how often that was so in a row.
    Away {
        why: String,
        times: u32,
        wait: Duration,
    },
    /// The task was given back for later.
    Postponed,
    Store(StoreError),
}

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LeaseLost => f.write_str("the lease is lost"),
            Self::Draining => f.write_str("the worker shuts down"),
            Self::Away { why, .. } => f.write_str(why),
            Self::Postponed => f.write_str("postponed"),
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
