//! The runtime: one engine, and the plugins that are served at the moment.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore, watch};
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::adapter::Adapter;
use super::bindings::host;
use super::load::{self, Plugin};
use super::state::State;
use super::ticker::Ticker;
use super::{Catalog, Failure, Kind, Loaded, Refusal, Refused, Settings, engine, wasi};
use crate::task::Digest;

/// Four times the thousand waiting tasks the service is measured with.
pub const DEFAULT_CALLS: u32 = 4_000;

/// A short check does not wait for a long one on the same processor.
const TURNS_PER_PROCESSOR: usize = 4;

/// A handle; clones share everything.
#[derive(Clone)]
pub struct Runtime {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) ticker: Ticker,
    linker: Linker<State>,
    settings: Settings,
    /// What is served now. A running call keeps the plugin it began with.
    set: watch::Sender<Arc<Set>>,
    /// One reload at a time.
    reloading: Mutex<()>,
    /// For guests that only compute: more of them at once than this are not done any sooner, but each
    /// holds its memory.
    pub(super) turns: Semaphore,
}

#[derive(Default)]
struct Set {
    catalog: Arc<Catalog>,
    plugins: HashMap<String, Arc<Plugin>>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the plugins folder {} can't be read: {error}", dir.display())]
    Folder { dir: PathBuf, error: std::io::Error },
    #[error("the sandbox can't be set up: {0}")]
    Engine(String),
    #[error("loading the plugins was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Runtime {
    /// Sets the sandbox up and loads the plugins. A file that can't be served is refused in the
    /// catalog; only a missing folder or a machine without a sandbox is an error.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let shared = tokio::task::spawn_blocking(move || Shared::new(settings)).await?;
        let runtime =
            Self { shared: Arc::new(shared.map_err(|error| StartError::Engine(format!("{error:#}")))?) };
        runtime.publish().await?;
        Ok(runtime)
    }

    /// What is served at the moment.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.shared.set.borrow().catalog)
    }

    /// Reads the folders again and publishes what they hold as one new generation. Unchanged files
    /// are not compiled again. A file that is refused leaves the plugin that bore its name before
    /// serving; a plugin whose file is gone goes too. Running calls end on what they began with.
    pub async fn reload(&self) -> Result<Arc<Catalog>, StartError> {
        let catalog = self.publish().await?;
        for refused in &catalog.refused {
            let (file, reason) = (refused.file.display(), &refused.reason);
            tracing::warn!(plugin.file = %file, remedy = refused.remedy, "plugin refused: {reason}");
        }
        Ok(catalog)
    }

    async fn publish(&self) -> Result<Arc<Catalog>, StartError> {
        let _one = self.shared.reloading.lock().await;
        let shared = Arc::clone(&self.shared);
        // One thread of ours at a time; wasmtime spreads the compilation over its own few.
        let set = Arc::new(tokio::task::spawn_blocking(move || shared.load()).await??);
        let catalog = Arc::clone(&set.catalog);
        self.shared.set.send_replace(set);
        Ok(catalog)
    }

    /// The adapter of that name, as the model door wants it. It keeps serving the generation it was
    /// taken from, so take it anew for each request.
    pub fn adapter(&self, name: &str) -> Result<Adapter, Failure> {
        let plugin = self.shared.find(name, Kind::Adapter)?;
        Ok(Adapter::new(Arc::clone(&self.shared), plugin))
    }
}

impl Shared {
    fn new(settings: Settings) -> wasmtime::Result<Self> {
        let pool = engine::Pool {
            calls: settings.max_calls.unwrap_or(DEFAULT_CALLS),
            max_memory_bytes: settings.max_memory_bytes(),
        };
        let engine = engine::engine(settings.cache_dir.as_deref(), pool)?;
        let mut linker = Linker::new(&engine);
        host::Imports::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        wasi::add_to_linker(&mut linker)?;
        let ticker = Ticker::start(engine.weak())?;
        let (set, _) = watch::channel(Arc::default());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Semaphore::new(processors * TURNS_PER_PROCESSOR);
        Ok(Self { engine, ticker, linker, settings, set, reloading: Mutex::default(), turns })
    }

    pub(super) fn find(&self, name: &str, kind: Kind) -> Result<Arc<Plugin>, Failure> {
        let set = self.set.borrow();
        match set.plugins.get(name) {
            Some(plugin) if plugin.manifest.kind == kind => Ok(Arc::clone(plugin)),
            Some(plugin) => {
                Err(Failure::Missing(format!("{name} is a {}, not a {kind}", plugin.manifest.kind)))
            }
            None => Err(Failure::Missing(missing(name, &set.catalog))),
        }
    }

    fn load(&self) -> Result<Set, StartError> {
        let old = Arc::clone(&self.set.borrow());
        let mut plugins: BTreeMap<String, Arc<Plugin>> = BTreeMap::new();
        let mut refused = Vec::new();
        for dir in &self.settings.dirs {
            let files = load::files(dir).map_err(|error| StartError::Folder { dir: dir.clone(), error })?;
            for file in files {
                match self.load_file(&file, &plugins, &old) {
                    Ok(plugin) => drop(plugins.insert(plugin.name.to_string(), plugin)),
                    Err(refusal) => refused.push((file, refusal)),
                }
            }
        }
        let mut report = Vec::new();
        for (file, refusal) in refused {
            let before = load::name(&file).ok().filter(|name| !plugins.contains_key(name));
            let before = before.and_then(|name| old.plugins.get(&name));
            report.push(Refused::of(file, &refusal, before.map(|plugin| plugin.digest.clone())));
            if let Some(plugin) = before {
                plugins.insert(plugin.name.to_string(), Arc::clone(plugin));
            }
        }
        let catalog = Catalog {
            generation: old.catalog.generation + 1,
            loaded: plugins.values().map(|plugin| Loaded::of(plugin)).collect(),
            refused: report,
        };
        Ok(Set { catalog: Arc::new(catalog), plugins: plugins.into_iter().collect() })
    }

    fn load_file(
        &self,
        file: &Path,
        so_far: &BTreeMap<String, Arc<Plugin>>,
        old: &Set,
    ) -> Result<Arc<Plugin>, Refusal> {
        let name = load::name(file)?;
        if let Some(first) = so_far.get(&name) {
            return Err(Refusal::Duplicate { plugin: name, first: first.file.display().to_string() });
        }
        let bytes = load::read(file)?;
        let digest = Digest::of(&bytes);
        match old.plugins.get(&name) {
            Some(same) if same.digest == digest && same.file == file => Ok(Arc::clone(same)),
            _ => Plugin::load(file, &name, &bytes, digest, &self.linker, &self.settings).map(Arc::new),
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
