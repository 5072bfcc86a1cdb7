//! What is loaded and what was refused, at one moment.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::generation::Set;
use super::load::Plugin;
use super::{Change, Import, Kind, Limits, Record, Refusal, Status};
use crate::task::{Digest, Millis};

/// Never changes; a reload publishes a new one.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Catalog {
    /// From 1; one more with each change, also over restarts.
    pub generation: u64,
    /// Sorted by name.
    pub loaded: Vec<Loaded>,
    pub refused: Vec<Refused>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Loaded {
    /// The file's stem; what pipelines call it.
    pub name: String,
    pub kind: Kind,
    #[schema(value_type = String)]
    pub file: PathBuf,
    pub digest: Digest,
    pub size_bytes: u64,
    /// The contract it was built against: `aiagent:step@0.1.0`.
    pub contract: String,
    pub imports: Vec<Import>,
    pub exports: Vec<String>,
    /// What its imports let it do, in short: `workspace`, `model`, `check`, `exec`.
    pub grants: Vec<String>,
    pub limits: Limits,
    /// The digest of limits and grants; each step it runs records it.
    pub policy: Digest,
    /// When this host began to serve it.
    pub since: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Refused {
    #[schema(value_type = String)]
    pub file: PathBuf,
    /// Of the file, where it could be read.
    pub digest: Option<Digest>,
    pub status: Status,
    pub reason: String,
    pub remedy: String,
    /// The plugin of this name that was loaded before and goes on serving.
    pub still_serving: Option<Digest>,
}

/// A catalog, and how each of its plugins has done on this host.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Listing {
    pub generation: u64,
    pub loaded: Vec<Serving>,
    pub refused: Vec<Refused>,
    /// Oldest first, the last hundred.
    pub history: Vec<Change>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Serving {
    #[serde(flatten)]
    pub plugin: Loaded,
    pub uses: Record,
    /// It is on trial: three traps in a row bring this one back.
    pub before: Option<Digest>,
}

impl Listing {
    pub(super) fn of(set: &Set, history: Vec<Change>) -> Self {
        let serving = |plugin: &Arc<Plugin>| Serving {
            plugin: Loaded::of(plugin),
            uses: plugin.uses.record(),
            before: plugin.before.get().map(|before| before.digest.clone()),
        };
        Self {
            generation: set.catalog.generation,
            loaded: set.plugins.values().map(serving).collect(),
            refused: set.catalog.refused.clone(),
            history,
        }
    }
}

impl Catalog {
    pub fn find(&self, name: &str) -> Option<&Loaded> {
        self.loaded.iter().find(|loaded| loaded.name == name)
    }
}

impl Loaded {
    pub(super) fn of(plugin: &Plugin) -> Self {
        Self {
            name: plugin.name.to_string(),
            kind: plugin.manifest.kind,
            file: plugin.file.clone(),
            digest: plugin.digest.clone(),
            size_bytes: plugin.size_bytes,
            contract: plugin.manifest.contract.clone(),
            imports: plugin.manifest.imports.clone(),
            exports: plugin.manifest.exports.clone(),
            grants: plugin.manifest.grants().into_iter().map(str::to_owned).collect(),
            limits: plugin.limits,
            policy: plugin.policy.clone(),
            since: plugin.since,
        }
    }
}

impl Refused {
    pub(super) fn of(
        file: PathBuf,
        digest: Option<Digest>,
        refusal: &Refusal,
        still_serving: Option<Digest>,
    ) -> Self {
        let (status, reason, remedy) = (refusal.status(), refusal.to_string(), refusal.remedy());
        Self { file, digest, status, reason, remedy, still_serving }
    }
}
