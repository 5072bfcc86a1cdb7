//! What the runtime is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Kind, Limits, Overrides};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folders of `.wasm` files, in order; where two hold a plugin of one name, the first one's is loaded.
    pub dirs: Vec<PathBuf>,
    /// For compiled plugins; made with mode 0700. `None`: compile at every start.
    pub cache_dir: Option<PathBuf>,
    /// Calls in the sandbox at once, waiting ones included; address space is reserved for them.
    /// `None`: 4,000. One more fails as a host error.
    pub max_calls: Option<u32>,
    /// By plugin name.
    pub plugins: BTreeMap<String, Overrides>,
}

impl Settings {
    pub(super) fn limits(&self, kind: Kind, plugin: &str) -> Limits {
        let limits = Limits::of(kind);
        self.plugins.get(plugin).map_or(limits, |overrides| limits.with(overrides))
    }

    pub(super) fn grants_exec(&self, plugin: &str) -> bool {
        self.plugins.get(plugin).is_some_and(|overrides| overrides.exec)
    }

    /// The largest memory any plugin may have, in bytes.
    pub(super) fn max_memory_bytes(&self) -> u64 {
        let default = Limits::of(Kind::Builder);
        let overridden = self.plugins.values().map(|overrides| default.with(overrides).memory_bytes);
        overridden.max().unwrap_or(0).max(default.memory_bytes)
    }
}
