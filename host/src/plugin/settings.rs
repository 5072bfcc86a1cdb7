//! What the runtime is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::compile::{self, Compiler};
use super::{Code, Kind, Limits, Overrides, Refusal};
use crate::task::Digest;

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folders of `.wasm` files, in order; where two hold a plugin of one name, the first one's is loaded.
    pub dirs: Vec<PathBuf>,
    /// For compiled plugins; made with mode 0700. `None`: compile at every start.
    pub cache_dir: Option<PathBuf>,
    pub code: Code,
    /// The program that compiles what is not in the cache, within limits, as
    /// [`COMPILE`](super::COMPILE) of this one does. `None`, or no cache: it is compiled in this process,
    /// for as long as it takes.
    pub compiler: Option<PathBuf>,
    /// Where it is remembered what was taken, allowed and withdrawn; made with mode 0700. `None`: it is
    /// forgotten with the process.
    pub ledger_dir: Option<PathBuf>,
    /// Whether a plugin must have started once before it is served.
    pub try_out: bool,
    /// Calls in the sandbox at once, waiting ones included; address space is reserved for them.
    /// `None`: 4,000. One more fails as a host error.
    pub max_calls: Option<u32>,
    /// By plugin name.
    pub plugins: BTreeMap<String, Overrides>,
}

impl Settings {
    /// A section that is bound to another digest can only tighten.
    pub(super) fn limits(&self, kind: Kind, plugin: &str, digest: &Digest) -> Limits {
        let default = Limits::of(kind);
        let Some(overrides) = self.plugins.get(plugin) else { return default };
        let limits = default.with(overrides);
        if overrides.covers(digest) { limits } else { limits.tightest(&default) }
    }

    pub(super) fn compiler(&self) -> Option<Compiler<'_>> {
        let (program, cache_dir) = self.compiler.as_deref().zip(self.cache_dir.as_deref())?;
        Some(Compiler { program, cache_dir, code: self.code })
    }

    pub(super) fn compile_budget(&self, plugin: &str) -> Duration {
        let set = self.plugins.get(plugin).and_then(|overrides| overrides.compile_ms);
        set.map_or(compile::DEFAULT_BUDGET, Duration::from_millis)
    }

    pub(super) fn grants_exec(&self, plugin: &str, digest: &Digest) -> bool {
        self.plugins.get(plugin).is_some_and(|overrides| overrides.exec && overrides.covers(digest))
    }

    /// Nothing else is loaded under a name whose content the operator has named.
    pub(super) fn admit(&self, plugin: &str, digest: &Digest) -> Result<(), Refusal> {
        match self.plugins.get(plugin).and_then(|overrides| overrides.sha256.as_ref()) {
            Some(wanted) if wanted != digest => Err(Refusal::Content {
                plugin: plugin.to_owned(),
                is: digest.clone(),
                wanted: wanted.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the operator has named this very plugin.
    pub(super) fn vouches(&self, plugin: &str, digest: &Digest) -> bool {
        self.plugins.get(plugin).is_some_and(|overrides| overrides.digest.as_ref() == Some(digest))
    }

    /// A refusal in the light of the plugin's section: it may grant what is missing to another digest.
    pub(super) fn explain(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::Exec { name, plugin } => match self.plugins.get(&plugin) {
                Some(Overrides { exec: true, digest: Some(bound), .. }) => {
                    Refusal::ExecElsewhere { name, plugin, bound: bound.clone() }
                }
                _ => Refusal::Exec { name, plugin },
            },
            other => other,
        }
    }

    /// The largest memory any plugin may have, in bytes.
    pub(super) fn max_memory_bytes(&self) -> u64 {
        let default = Limits::of(Kind::Builder);
        let overridden = self.plugins.values().map(|overrides| default.with(overrides).memory_bytes);
        overridden.max().unwrap_or(0).max(default.memory_bytes)
    }
}
