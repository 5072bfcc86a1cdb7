//! A task's history as builders and fixers are told it.

use crate::store::StoreError;
use crate::task::{Attempt, Digest, Next, RoundKind, Task};
use crate::workspace::{self, SnapshotError, Snapshots};

/// `attempt.diff` in the contract is at most this long.
const MAX_DIFF: usize = 64 << 10;

pub(super) async fn history(task: &Task, snapshots: &Snapshots) -> Result<Vec<Attempt>, SnapshotError> {
    let current = match &task.next {
        Next::Fix { from } => Some(*from),
        Next::Build { .. } | Next::Check => None,
    };
    let mut attempts = Vec::with_capacity(task.rounds.len() + 1);
    for (index, round) in task.rounds.iter().enumerate() {
        let diff = match &round.tree {
            Some(tree) => diff(snapshots, &round.base, tree).await?,
            None => String::new(),
        };
        attempts.push(Attempt {
            number: round.number,
            kind: round.kind,
            summary: round.summary.clone(),
            diff,
            report: round.report.clone(),
            failure: round.failure.clone(),
            temperature: round.temperature,
            current: current == Some(index),
        });
    }
    if let Next::Build { hint: Some(hint) } = &task.next {
        attempts.push(Attempt {
            number: task.rounds.len() as u32,
            kind: RoundKind::Fix,
            summary: hint.clone(),
            diff: String::new(),
            report: None,
            failure: None,
            temperature: None,
            current: false,
        });
    }
    Ok(attempts)
}

async fn diff(snapshots: &Snapshots, old: &Digest, new: &Digest) -> Result<String, SnapshotError> {
    let (old, new) = (snapshots.load(old).await?, snapshots.load(new).await?);
    let diff = tokio::task::spawn_blocking(move || workspace::diff(&old, &new)).await;
    let mut diff =
        diff.map_err(|error| StoreError::Corrupt(format!("two trees can't be compared: {error}")))?;
    if diff.len() > MAX_DIFF {
        diff.truncate(diff.floor_char_boundary(MAX_DIFF));
        diff.push_str("\n… (the rest of this diff is left out)\n");
    }
    Ok(diff)
}

impl From<SnapshotError> for super::broken::Break {
    fn from(error: SnapshotError) -> Self {
        Self::Store(match error {
            SnapshotError::Store(error) => error,
            other @ SnapshotError::Tree { .. } => StoreError::Corrupt(other.to_string()),
        })
    }
}
