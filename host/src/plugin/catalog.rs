//! What is loaded and what was refused, at one moment.

use std::path::PathBuf;

use serde::Serialize;

use super::load::Plugin;
use super::{Import, Kind, Limits, Refusal};
use crate::task::Digest;

/// Never changes; a reload publishes a new one.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Catalog {
    /// From 1; one more with each reload.
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
    pub limits: Limits,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Refused {
    #[schema(value_type = String)]
    pub file: PathBuf,
    pub reason: String,
    pub remedy: String,
    /// The plugin of this name that was loaded before and goes on serving.
    pub still_serving: Option<Digest>,
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
            limits: plugin.limits,
        }
    }
}

impl Refused {
    pub(super) fn of(file: PathBuf, refusal: &Refusal, still_serving: Option<Digest>) -> Self {
        Self { file, reason: refusal.to_string(), remedy: refusal.remedy(), still_serving }
    }
}
