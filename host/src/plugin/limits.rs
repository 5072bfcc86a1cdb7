//! How much one call may use.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::Kind;
use crate::task::Digest;

/// Per call of a step, or per push of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Limits {
    /// Time the guest may compute; waiting for the host is not counted.
    pub compute_ms: u64,
    /// Time until the call must be over, waiting included.
    pub wall_ms: u64,
    /// All memories and tables together.
    pub memory_bytes: u64,
    /// What the call returns.
    pub output_bytes: u64,
    /// Text of the log, printed output included; further lines are dropped and counted.
    pub log_bytes: u64,
}

/// The `[plugins.NAME]` table of `aiagent.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overrides {
    /// Grants `aiagent:step/exec`.
    pub exec: bool,
    /// Grants and larger limits are for the plugin with this digest only, and it may ask for more than
    /// the one it replaces. `None`: they are for whatever has the name.
    pub digest: Option<Digest>,
    /// The only content that may be loaded under this name. `None`: whatever lies in the folder.
    #[serde(deserialize_with = "sha256")]
    pub sha256: Option<Digest>,
    pub compute_ms: Option<u64>,
    pub wall_ms: Option<u64>,
    pub memory_mib: Option<u64>,
    pub output_kib: Option<u64>,
    pub log_kib: Option<u64>,
    /// Processor time to compile it, on all threads together; 60 s by default.
    pub compile_ms: Option<u64>,
}

const MIB: u64 = 1 << 20;

fn sha256<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Digest>, D::Error> {
    let text: Option<String> = Deserialize::deserialize(from)?;
    Ok(text.map(|text| Digest::named(&text)))
}

impl Overrides {
    /// Whether the section speaks of the plugin with this digest.
    pub(super) fn covers(&self, digest: &Digest) -> bool {
        self.digest.as_ref().is_none_or(|bound| bound == digest)
    }
}

impl Limits {
    pub fn of(kind: Kind) -> Self {
        Self {
            // A checker runs the user's tests; the others only turn text into text.
            compute_ms: if kind == Kind::Checker { 60_000 } else { 10_000 },
            wall_ms: 10 * 60_000,
            // CPython with a user's tests, and room for data of theirs.
            memory_bytes: 128 * MIB,
            output_bytes: MIB,
            log_bytes: 256 << 10,
        }
    }

    pub(super) fn with(self, overrides: &Overrides) -> Self {
        let scaled =
            |value: Option<u64>, unit: u64, old| value.map_or(old, |value| value.saturating_mul(unit));
        Self {
            compute_ms: overrides.compute_ms.unwrap_or(self.compute_ms),
            wall_ms: overrides.wall_ms.unwrap_or(self.wall_ms),
            memory_bytes: scaled(overrides.memory_mib, MIB, self.memory_bytes),
            output_bytes: scaled(overrides.output_kib, 1 << 10, self.output_bytes),
            log_bytes: scaled(overrides.log_kib, 1 << 10, self.log_bytes),
        }
    }

    /// Of each limit the smaller one.
    pub(super) fn tightest(self, other: &Self) -> Self {
        Self {
            compute_ms: self.compute_ms.min(other.compute_ms),
            wall_ms: self.wall_ms.min(other.wall_ms),
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
            output_bytes: self.output_bytes.min(other.output_bytes),
            log_bytes: self.log_bytes.min(other.log_bytes),
        }
    }

    pub(super) fn compute(&self) -> Duration {
        Duration::from_millis(self.compute_ms)
    }

    pub(super) fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms)
    }
}
