//! What is served at one moment. A step takes a generation and does everything on it: its own call,
//! the checks inside it, the adapter of its model.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::adapter::Adapter;
use super::load::Plugin;
use super::runtime::Shared;
use super::trial::Again;
use super::{Catalog, Failure, Kind, Refusal, Refused};
use crate::task::Digest;

/// A handle; what it serves never changes.
#[derive(Clone)]
pub struct Generation {
    pub(super) shared: Arc<Shared>,
    pub(super) set: Arc<Set>,
}

#[derive(Clone, Default)]
pub(super) struct Set {
    pub(super) catalog: Arc<Catalog>,
    /// By name.
    pub(super) plugins: BTreeMap<Arc<str>, Arc<Plugin>>,
    /// Files that need not be judged again while they have this content.
    pub(super) lasting: BTreeMap<PathBuf, (Digest, Refusal)>,
    /// Where it does a call again: of the plugin of that name.
    pub(super) again: BTreeMap<Arc<str>, Arc<Again>>,
}

impl Generation {
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.set.catalog
    }

    /// The adapter of that name, as the model door wants it.
    pub fn adapter(&self, name: &str) -> Result<Adapter, Failure> {
        let plugin = self.set.find(name, Kind::Adapter)?;
        Ok(Adapter::new(self.clone(), Arc::clone(plugin)))
    }
}

impl Set {
    /// False before the folders were read for the first time.
    pub(super) fn is_started(&self) -> bool {
        self.catalog.generation > 0
    }

    pub(super) fn find(&self, name: &str, kind: Kind) -> Result<&Arc<Plugin>, Failure> {
        match self.plugins.get(name) {
            Some(plugin) if plugin.manifest.kind == kind => Ok(plugin),
            Some(plugin) => {
                Err(Failure::Missing(format!("{name} is a {}, not a {kind}", plugin.manifest.kind)))
            }
            None => Err(Failure::Missing(missing(name, &self.catalog))),
        }
    }
}

fn missing(name: &str, catalog: &Catalog) -> String {
    let stem = |refused: &&Refused| refused.file.file_stem().is_some_and(|stem| stem == name);
    match catalog.refused.iter().find(stem) {
        Some(refused) => format!("{name} was refused: {} ({})", refused.reason, refused.remedy),
        None => name.to_owned(),
    }
}
