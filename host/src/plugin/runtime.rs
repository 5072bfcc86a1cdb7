//! The runtime: one engine, and the plugins that are served at the moment.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::adapter::Adapter;
use super::aside::Aside;
use super::bindings::host;
use super::load::{self, Plugin};
use super::state::State;
use super::ticker::Ticker;
use super::turns::{Turn, Turns};
use super::{Catalog, Failure, Kind, Loaded, Refusal, Refused, Settings, engine, wasi};
use crate::task::Digest;

/// Four times the thousand waiting tasks the service is measured with.
pub const DEFAULT_CALLS: u32 = 4_000;

/// A handle; clones share everything.
#[derive(Clone)]
pub struct Runtime {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) ticker: Ticker,
    pub(super) aside: Aside,
    linker: Linker<State>,
    settings: Settings,
    /// What is served now. A running call keeps the plugin it began with.
    set: watch::Sender<Arc<Set>>,
    /// One reload at a time.
    reloading: Mutex<()>,
    turns: Turns,
}

/// A file, and where it stands in the order of the folders.
type Place = (usize, PathBuf);

/// What came of the files of one name.
type Namesakes = (Option<Arc<Plugin>>, Vec<(Place, Refusal)>);

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
        let linker = linker(&engine)?;
        let ticker = Ticker::start(engine.weak())?;
        let aside = Aside::start()?;
        let (set, _) = watch::channel(Arc::default());
        let turns = Turns::new();
        Ok(Self { engine, ticker, aside, linker, settings, set, reloading: Mutex::default(), turns })
    }

    /// The right to compute, which a guest needs that can't wait for anything. Others have it always.
    pub(super) async fn turn(&self, plugin: &Plugin, cancel: &CancellationToken) -> Result<Turn, Failure> {
        match plugin.manifest.kind == Kind::Checker && !plugin.manifest.runs_commands() {
            true => self.turns.take(cancel).await,
            false => Ok(Turn::always()),
        }
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
        let mut places = 0..;
        let mut names: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        let mut refused = Vec::new();
        for dir in &self.settings.dirs {
            let files = load::files(dir).map_err(|error| StartError::Folder { dir: dir.clone(), error })?;
            for place in places.by_ref().zip(files) {
                match load::name(&place.1) {
                    Ok(name) => names.entry(name).or_default().push(place),
                    Err(refusal) => refused.push((place, refusal)),
                }
            }
        }
        let loaded = at_once(names.into_iter().collect(), |(name, files)| self.load_name(&name, files, &old));
        let mut plugins: BTreeMap<String, Arc<Plugin>> = BTreeMap::new();
        for (plugin, refusals) in loaded {
            plugins.extend(plugin.map(|plugin| (plugin.name.to_string(), plugin)));
            refused.extend(refusals);
        }
        refused.sort_by_key(|((place, _), _)| *place);
        let mut report = Vec::new();
        for ((_, file), refusal) in refused {
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

    /// Of the files of one name the first that can be served is.
    fn load_name(&self, name: &str, files: Vec<Place>, old: &Set) -> Namesakes {
        let mut first: Option<Arc<Plugin>> = None;
        let mut refused = Vec::new();
        for place in files {
            let loaded = match &first {
                Some(first) => Err(Refusal::Duplicate {
                    plugin: name.to_owned(),
                    first: first.file.display().to_string(),
                }),
                None => self.load_file(&place.1, name, old),
            };
            match loaded {
                Ok(plugin) => first = Some(plugin),
                Err(refusal) => refused.push((place, refusal)),
            }
        }
        (first, refused)
    }

    fn load_file(&self, file: &Path, name: &str, old: &Set) -> Result<Arc<Plugin>, Refusal> {
        let bytes = load::read(file)?;
        let before = old.plugins.get(name);
        let digest = before.map(|_| Digest::of(&bytes));
        match before {
            Some(same) if digest.as_ref() == Some(&same.digest) && same.file == file => Ok(Arc::clone(same)),
            _ => Plugin::load(file, name, &bytes, digest, &self.linker, &self.settings).map(Arc::new),
        }
    }
}

/// All that any kind may import; what a plugin may is judged by its manifest.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    host::Imports::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Does the work of each on as many threads as there are processors; the results come in any order.
/// Reading a compiled plugin from the cache keeps one busy, and a start waits for all of them.
fn at_once<T: Send, R: Send>(work: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(work.len());
    let left = std::sync::Mutex::new(work.into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        let run = || std::iter::from_fn(next).map(&each).collect::<Vec<_>>();
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let done = threads.into_iter().map(|thread| thread.join());
        done.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn missing(name: &str, catalog: &Catalog) -> String {
    let stem = |refused: &&Refused| refused.file.file_stem().is_some_and(|stem| stem == name);
    match catalog.refused.iter().find(stem) {
        Some(refused) => format!("{name} was refused: {} ({})", refused.reason, refused.remedy),
        None => name.to_owned(),
    }
}
