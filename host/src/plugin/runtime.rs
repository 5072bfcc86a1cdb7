//! The runtime: one engine, and the plugins that are served at the moment.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::adapter::Adapter;
use super::aside::Aside;
use super::bindings::host;
use super::generation::Set;
use super::ledger::{Ledger, LedgerError};
use super::load::Plugin;
use super::state::State;
use super::ticker::Ticker;
use super::turns::{Turn, Turns};
use super::watch::Look;
use super::{Call, Catalog, Decision, Ended, Failure, Generation, Kind, Listing, Settings, engine, wasi};
use crate::task::Report;

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
    pub(super) linker: Linker<State>,
    pub(super) settings: Settings,
    pub(super) ledger: Ledger,
    /// The service's, for guests that are called off its threads.
    pub(super) tokio: Handle,
    /// What is served now. A running call keeps the plugin it began with.
    set: watch::Sender<Arc<Set>>,
    looked: std::sync::Mutex<Look>,
    /// One reload at a time.
    pub(super) reloading: Mutex<()>,
    /// One change of the folders by way of the API at a time.
    pub(super) placing: Mutex<()>,
    turns: Turns,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the plugins folder {} can't be read: {error}", dir.display())]
    Folder { dir: PathBuf, error: std::io::Error },
    #[error("the sandbox can't be set up: {0}")]
    Engine(String),
    #[error("the plugins' ledger: {0}")]
    Ledger(#[from] LedgerError),
    #[error("loading the plugins was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Runtime {
    /// Sets the sandbox up and loads the plugins. A file that can't be served is refused in the
    /// catalog; only a missing folder or a machine without a sandbox is an error.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let tokio = Handle::current();
        let shared = tokio::task::spawn_blocking(move || Shared::new(settings, tokio)).await??;
        let runtime = Self { shared: Arc::new(shared) };
        runtime.read_folders().await?;
        Ok(runtime)
    }

    /// What is served at the moment.
    pub fn now(&self) -> Generation {
        Generation { shared: Arc::clone(&self.shared), set: self.shared.current() }
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.shared.current().catalog)
    }

    /// The catalog with how each plugin has done so far.
    pub fn listing(&self) -> Listing {
        let history = self.shared.ledger.book().history.clone();
        Listing::of(&self.shared.current(), history)
    }

    pub async fn build(&self, name: &str, call: Call) -> Ended<String> {
        self.now().build(name, call).await
    }

    pub async fn fix(&self, name: &str, call: Call) -> Ended<Decision> {
        self.now().fix(name, call).await
    }

    pub async fn check(&self, name: &str, call: Call) -> Ended<Report> {
        self.now().check(name, call).await
    }

    pub fn adapter(&self, name: &str) -> Result<Adapter, Failure> {
        self.now().adapter(name)
    }
}

impl Shared {
    fn new(settings: Settings, tokio: Handle) -> Result<Self, StartError> {
        let ledger = Ledger::open(settings.ledger_dir.clone())?;
        let (engine, linker, ticker, aside) =
            Self::sandbox(&settings).map_err(|error| StartError::Engine(format!("{error:#}")))?;
        Ok(Self {
            engine,
            ticker,
            aside,
            linker,
            settings,
            ledger,
            tokio,
            set: watch::channel(Arc::default()).0,
            looked: std::sync::Mutex::default(),
            reloading: Mutex::default(),
            placing: Mutex::default(),
            turns: Turns::new(),
        })
    }

    fn sandbox(settings: &Settings) -> wasmtime::Result<(Engine, Linker<State>, Ticker, Aside)> {
        let pool = engine::Pool {
            calls: settings.max_calls.unwrap_or(DEFAULT_CALLS),
            max_memory_bytes: settings.max_memory_bytes(),
        };
        let engine = engine::engine(settings.cache_dir.as_deref(), settings.code, pool)?;
        let linker = linker(&engine)?;
        let ticker = Ticker::start(engine.weak())?;
        let aside = Aside::start()?;
        Ok((engine, linker, ticker, aside))
    }

    /// The right to compute, which a guest needs that can't wait for anything. Others have it always.
    pub(super) async fn turn(&self, plugin: &Plugin, cancel: &CancellationToken) -> Result<Turn, Failure> {
        match plugin.manifest.kind == Kind::Checker && !plugin.manifest.runs_commands() {
            true => self.turns.take(cancel).await,
            false => Ok(Turn::always()),
        }
    }

    pub(super) fn current(&self) -> Arc<Set> {
        Arc::clone(&self.set.borrow())
    }

    /// Only for holders of the ledger's book.
    pub(super) fn publish(&self, set: Arc<Set>) {
        self.set.send_replace(set);
    }

    /// How the folders looked when they were last read.
    pub(super) fn looked(&self) -> MutexGuard<'_, Look> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that any kind may import; what a plugin may is judged by its manifest.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    host::Imports::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}
