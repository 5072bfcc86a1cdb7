//! The nouns: what a task is, what it has been through, and how it ended.
//!
//! Everything here is plain data that serialises; nothing here acts. The store keeps a [`Task`] as
//! JSON, so a field that is added later needs a `#[serde(default)]`.

mod budget;
mod changes;
mod event;
mod outcome;
mod place;
mod report;
mod round;
mod spec;
mod trace;

use serde::{Deserialize, Serialize};

pub use budget::{Budget, Limit, Spend};
pub use changes::{Changes, Steps};
pub use event::{Event, EventBody, EventId, Level};
pub use outcome::{Outcome, Reason};
pub use place::{PRIORITY, Place, TOP_PRIORITY};
pub use report::{Counts, Problem, Report, Verdict};
pub use round::{Attempt, Basis, Next, Round, RoundKind, StepModel, StepRecord};
pub use spec::{Pipeline, PluginRef, Spec};
pub use trace::Trace;

/// A task's name: a ULID, so that ids sort by the time of submission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    pub fn fresh() -> Self {
        Self(ulid::Ulid::generate().to_string())
    }

    /// Reads an id that came from outside.
    pub fn parse(text: &str) -> Result<Self, BadTaskId> {
        match ulid::Ulid::from_string(text) {
            Ok(id) => Ok(Self(id.to_string())),
            Err(_) => Err(BadTaskId(text.chars().take(64).collect())),
        }
    }

    /// The id before all those of tasks that were submitted at this time or later.
    pub fn before(time: Millis) -> Self {
        // The last time that an id can name.
        let time = time.min((1 << 48) - 1);
        Self(ulid::Ulid::from_parts(time, 0).to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a task id: expected 26 letters and digits, such as 01J9Z3NDEKTSV4RRFFQ69G5FAV")]
pub struct BadTaskId(String);

/// The SHA-256 of some bytes, as `sha256:` and 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from(sha2::Sha256::new_with_prefix(bytes))
    }

    /// As `sha256sum` prints it, or as we do; it may still not be whole.
    pub fn named(text: &str) -> Self {
        Self(format!("sha256:{}", text.strip_prefix("sha256:").unwrap_or(text)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it looks like one; what comes from outside may not.
    pub fn is_whole(&self) -> bool {
        let hex = self.0.strip_prefix("sha256:").unwrap_or_default();
        hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    }

    /// Twelve hex digits: enough for eyes.
    pub fn short(&self) -> &str {
        self.0.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or(&self.0)
    }
}

/// Of all that the hasher was given.
impl From<sha2::Sha256> for Digest {
    fn from(hasher: sha2::Sha256) -> Self {
        use sha2::Digest as _;
        Self(format!("sha256:{}", hex::encode(hasher.finalize())))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Milliseconds since 1970 by the store's clock.
pub type Millis = u64;

/// By this machine's clock, for what belongs to a host and not to a store.
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the queue, or waiting there to be claimed again.
    Queued,
    /// Leased by a worker.
    Running,
    /// Ended; `outcome` says how.
    Ended,
}

/// One task, from its submission to its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Task {
    pub id: TaskId,
    pub spec: Spec,
    pub state: State,
    /// Set as soon as a cancel is asked for; the worker learns of it from its next heartbeat.
    #[serde(default)]
    pub cancel: bool,
    /// What is to be done next; meaningless once ended.
    pub next: Next,
    /// Counts the plugin calls begun and committed; the journal is kept per step.
    pub step: u32,
    /// The finished rounds, oldest first.
    pub rounds: Vec<Round>,
    /// The index in `rounds` of the best tree so far. `None`: the tree as it was submitted.
    pub best: Option<usize>,
    pub spend: Spend,
    /// Set exactly when `state` is `ended`.
    pub outcome: Option<Outcome>,
    pub submitted_at: Millis,
    /// When the first worker claimed it.
    pub started_at: Option<Millis>,
    pub ended_at: Option<Millis>,
    /// How many workers were lost while they held this task. At 3 the task ends.
    #[serde(default)]
    pub crashes: u32,
    /// Where it waits, or waited.
    #[serde(default)]
    pub place: Place,
    /// The worker that holds the lease, while `running`.
    #[serde(default)]
    pub worker: Option<String>,
    /// Its last step could not go on; absent once a step has come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postponed: Option<Postponed>,
}

/// Why a task that has begun waits, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Postponed {
    /// How often in a row.
    pub times: u32,
    pub why: String,
    /// It is not taken up again before. By the store's clock, whatever the worker says here.
    #[serde(default)]
    pub until: Millis,
}

impl Task {
    pub fn new(id: TaskId, spec: Spec, submitted_at: Millis) -> Self {
        Self {
            id,
            spec,
            state: State::Queued,
            cancel: false,
            next: Next::first(),
            step: 0,
            rounds: Vec::new(),
            best: None,
            spend: Spend::default(),
            outcome: None,
            submitted_at,
            started_at: None,
            ended_at: None,
            crashes: 0,
            place: Place::default(),
            worker: None,
            postponed: None,
        }
    }

    /// The best tree so far, or the submitted one.
    pub fn best_tree(&self) -> &Digest {
        self.best.and_then(|index| self.rounds.get(index)?.tree.as_ref()).unwrap_or(&self.spec.tree)
    }
}
