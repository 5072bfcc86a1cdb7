//! Which blobs a task needs: its snapshots, which are manifests, and the files these name.

use crate::task::{Digest, Task, TaskId};
use crate::workspace::Manifest;

/// The snapshots a task refers to; the same one may come several times.
pub(super) fn of(task: &Task) -> impl Iterator<Item = &Digest> {
    let rounds = task.rounds.iter().flat_map(|round| std::iter::once(&round.base).chain(&round.tree));
    std::iter::once(&task.spec.tree).chain(rounds).chain(task.outcome.iter().map(|outcome| &outcome.tree))
}

/// The blobs of a snapshot's files.
pub(super) fn files(manifest: &[u8]) -> Result<Vec<Digest>, serde_json::Error> {
    let manifest: Manifest = serde_json::from_slice(manifest)?;
    Ok(manifest.files.into_values().map(|entry| entry.blob).collect())
}

// What `fsck` says, in the same words in every back end.

pub(super) fn missing(task: &TaskId, snapshot: &Digest) -> String {
    format!("task {task}: snapshot {snapshot} is missing")
}

pub(super) fn unreadable(task: &TaskId, snapshot: &Digest, error: &serde_json::Error) -> String {
    format!("task {task}: snapshot {snapshot} is not a manifest: {error}")
}

pub(super) fn missing_file(task: &TaskId, snapshot: &Digest, file: &Digest) -> String {
    format!("task {task}: file {file} of snapshot {snapshot} is missing")
}
