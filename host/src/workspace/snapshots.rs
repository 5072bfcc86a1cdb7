//! Snapshots with the latest trees kept at hand: a task's rounds read the same few trees again and again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::snapshot::{self, SnapshotError};
use super::{Limits, Tree};
use crate::store::Store;
use crate::task::Digest;

/// Trees that are kept at hand.
const KEPT: usize = 64;

/// What they may hold together, as if no two shared a content.
const KEPT_BYTES: u64 = 64 << 20;

/// Bytes beyond which a single tree is not kept.
const LARGEST: u64 = 4 << 20;

pub struct Snapshots {
    store: Arc<dyn Store>,
    limits: Limits,
    /// The latest at the back.
    kept: Mutex<VecDeque<(Digest, Tree)>>,
}

impl Snapshots {
    pub fn new(store: Arc<dyn Store>, limits: Limits) -> Self {
        Self { store, limits, kept: Mutex::default() }
    }

    /// What a tree may hold.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    pub async fn save(&self, tree: &Tree) -> Result<Digest, SnapshotError> {
        let digest = snapshot::save(tree, self.store.as_ref(), None).await?;
        self.keep(&digest, tree);
        Ok(digest)
    }

    pub async fn load(&self, digest: &Digest) -> Result<Tree, SnapshotError> {
        if let Some(tree) = self.find(digest) {
            return Ok(tree);
        }
        let tree = snapshot::load(digest, self.store.as_ref(), self.limits).await?;
        self.keep(digest, &tree);
        Ok(tree)
    }

    fn find(&self, digest: &Digest) -> Option<Tree> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(kept, _)| kept == digest).map(|(_, tree)| tree.clone())
    }

    fn keep(&self, digest: &Digest, tree: &Tree) {
        if tree.bytes() > LARGEST || self.find(digest).is_some() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((digest.clone(), tree.clone()));
        while kept.len() > KEPT || kept.iter().map(|(_, tree)| tree.bytes()).sum::<u64>() > KEPT_BYTES {
            kept.pop_front();
        }
    }
}
