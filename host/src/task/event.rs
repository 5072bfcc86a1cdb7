//! What whoever watches a task is told, in order, and can be told again later.

use serde::{Deserialize, Serialize};

use super::{Basis, Digest, Millis, Outcome, Report, RoundKind, Spend, TaskId};

/// The position of an event in its task's stream, from 1, without gaps.
pub type EventId = u64;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    pub id: EventId,
    pub task: TaskId,
    pub at: Millis,
    #[serde(flatten)]
    pub body: EventBody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EventBody {
    Submitted,
    /// A worker has taken the task; `again` when another one had it before.
    Claimed {
        worker: String,
        again: bool,
    },
    /// A worker was lost, or handed the task back; with `wait_ms`, not to be taken up again before that.
    Requeued {
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// A plugin call begins. `kind` is `build`, `fix` or `check`; `basis` is absent where no such plugin is
    /// loaded; `replayed` counts the answers the journal already holds.
    StepStarted {
        round: u32,
        kind: String,
        plugin: String,
        basis: Option<Basis>,
        replayed: u32,
    },
    /// A plugin call is over. `error` when it did not do its work.
    StepEnded {
        round: u32,
        kind: String,
        plugin: String,
        error: Option<String>,
        compute_ms: u64,
        wall_ms: u64,
    },
    /// The journal of an interrupted step did not match what the step asked; it began anew.
    StepRestarted {
        round: u32,
        why: String,
    },
    /// A new plugin has trapped three times in a row, the last time in this task; the one before it is
    /// served again.
    PluginWithdrawn {
        plugin: String,
        digest: Digest,
        restored: Digest,
        why: String,
    },
    ModelStarted {
        round: u32,
        model: String,
        call: u32,
    },
    /// More of a model's answer, several tokens at a time.
    Tokens {
        call: u32,
        text: String,
    },
    /// One request of a model call failed; another follows.
    ModelRetried {
        call: u32,
        error: String,
        wait_ms: u64,
    },
    /// `estimated` where the vendor gave no figures: then a token is 3 bytes.
    ModelEnded {
        call: u32,
        input_tokens: u64,
        output_tokens: u64,
        #[serde(default)]
        estimated: bool,
        wall_ms: u64,
        error: Option<String>,
    },
    /// A builder or fixer has left a tree.
    Proposed {
        round: u32,
        kind: RoundKind,
        tree: Digest,
        summary: String,
    },
    Checked {
        round: u32,
        report: Report,
    },
    Log {
        level: Level,
        source: String,
        message: String,
    },
    CancelRequested,
    Ended {
        outcome: Outcome,
        spend: Spend,
    },
}

impl EventBody {
    /// Back in the queue, and free to be taken up again.
    pub(crate) fn requeued(why: impl Into<String>) -> Self {
        Self::Requeued { why: why.into(), wait_ms: None }
    }
}
