//! What the runtime is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::compile::{self, Compiler};
use super::{Kind, Limits, Overrides};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folders of `.wasm` files, in order; where two hold a plugin of one name, the first one's is loaded.
    pub dirs: Vec<PathBuf>,
    /// For compiled plugins; made with mode 0700. `None`: compile at every start.
    pub cache_dir: Option<PathBuf>,
    /// The program that compiles what is not in the cache, within limits, as
    /// [`COMPILE`](super::COMPILE) of this one does. `None`, or no cache: it is compiled in this process,
    /// for as long as it takes.
    pub compiler: Option<PathBuf>,
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

    pub(super) fn compiler(&self) -> Option<Compiler<'_>> {
        let (program, cache_dir) = self.compiler.as_deref().zip(self.cache_dir.as_deref())?;
        Some(Compiler { program, cache_dir })
    }

    pub(super) fn compile_budget(&self, plugin: &str) -> Duration {
        let set = self.plugins.get(plugin).and_then(|overrides| overrides.compile_ms);
        set.map_or(compile::DEFAULT_BUDGET, Duration::from_millis)
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
