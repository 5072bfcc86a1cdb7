//! From a file to a plugin that is ready to be called.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Component, InstancePre, Linker};

use super::aside::Habit;
use super::bindings::{adapter, builder, checker, fixer};
use super::drive::panic_text;
use super::manifest::{self, MAX_FILE_BYTES, Manifest};
use super::state::State;
use super::trial::Before;
use super::uses::Uses;
use super::{Kind, Limits, Refusal, Settings, pieces};
use crate::task::{Digest, Millis};

/// Compiled and linked; an instance is made for each call.
pub(super) struct Plugin {
    pub(super) name: Arc<str>,
    pub(super) file: PathBuf,
    /// Of the file, before a core module is made a component.
    pub(super) digest: Digest,
    pub(super) size_bytes: u64,
    pub(super) manifest: Manifest,
    pub(super) limits: Limits,
    pub(super) exec_granted: bool,
    /// What it ran under, in one word: the digest of its limits and grants.
    pub(super) policy: Digest,
    pub(super) entry: Entry,
    /// When it was loaded.
    pub(super) since: Millis,
    pub(super) uses: Uses,
    pub(super) before: Before,
    pub(super) habit: Habit,
}

pub(super) enum Entry {
    Builder(builder::BuilderPre<State>),
    Fixer(fixer::FixerPre<State>),
    Checker(checker::CheckerPre<State>),
    Adapter(adapter::AdapterPre<State>),
}

impl Plugin {
    /// Judges, compiles and links. Takes seconds for a large component: not for an async thread.
    pub(super) fn load(
        file: &Path,
        name: &str,
        bytes: &[u8],
        digest: Digest,
        linker: &Linker<State>,
        settings: &Settings,
    ) -> Result<Self, Refusal> {
        let load = || Self::try_load(file, name, bytes, digest, linker, settings);
        // One bad file must not keep the others from being served.
        catch_unwind(AssertUnwindSafe(load))
            .unwrap_or_else(|panic| Err(Refusal::Panicked(panic_text(&*panic))))
    }

    fn try_load(
        file: &Path,
        name: &str,
        bytes: &[u8],
        digest: Digest,
        linker: &Linker<State>,
        settings: &Settings,
    ) -> Result<Self, Refusal> {
        settings.admit(name, &digest)?;
        let exec_granted = settings.grants_exec(name, &digest);
        let component = manifest::component(bytes)?;
        let surface = manifest::surface(&component)?;
        let manifest = surface.judge(name, exec_granted).map_err(|refusal| settings.explain(refusal))?;
        if let Some(compiler) = settings.compiler() {
            compiler.prepare(name, &digest, &component, settings.compile_budget(name))?;
        }
        let entry = Entry::compile(manifest.kind, linker, &component)?;
        let limits = settings.limits(manifest.kind, name, &digest);
        Ok(Self {
            name: name.into(),
            file: file.to_owned(),
            digest,
            size_bytes: bytes.len() as u64,
            policy: policy(&limits, &manifest),
            limits,
            manifest,
            exec_granted,
            entry,
            since: crate::task::now(),
            uses: Uses::default(),
            before: Before::default(),
            habit: Habit::default(),
        })
    }
}

impl Entry {
    /// Compiles, unless the cache has the code, and links.
    pub(super) fn compile(kind: Kind, linker: &Linker<State>, component: &[u8]) -> Result<Self, Refusal> {
        let steady = pieces::component(component).map_err(Refusal::Compile)?;
        let component = Component::from_binary(linker.engine(), &steady)
            .map_err(|error| Refusal::Compile(format!("{error:#}")))?;
        Self::link(kind, linker, &component).map_err(|error| Refusal::Link(format!("{error:#}")))
    }

    fn link(kind: Kind, linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        let instance: InstancePre<State> = linker.instantiate_pre(component)?;
        Ok(match kind {
            Kind::Builder => Self::Builder(builder::BuilderPre::new(instance)?),
            Kind::Fixer => Self::Fixer(fixer::FixerPre::new(instance)?),
            Kind::Checker => Self::Checker(checker::CheckerPre::new(instance)?),
            Kind::Adapter => Self::Adapter(adapter::AdapterPre::new(instance)?),
        })
    }

    /// Makes an instance and drops it.
    pub(super) async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<()> {
        match self {
            Self::Builder(entry) => entry.instantiate_async(store).await.map(drop),
            Self::Fixer(entry) => entry.instantiate_async(store).await.map(drop),
            Self::Checker(entry) => entry.instantiate_async(store).await.map(drop),
            Self::Adapter(entry) => entry.instantiate_async(store).await.map(drop),
        }
    }
}

/// The same limits and grants give the same digest, on every host and after every restart.
fn policy(limits: &Limits, manifest: &Manifest) -> Digest {
    let text = serde_json::to_vec(&(limits, manifest.grants())).expect("numbers and strings serialise");
    Digest::of(&text)
}

/// A plugin's name: the file's stem. It has to fit a table name of `aiagent.toml`.
pub(super) fn name(file: &Path) -> Result<String, Refusal> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if stem.is_empty() || stem.len() > 64 || !stem.chars().all(fits) {
        return Err(Refusal::Name(stem));
    }
    Ok(stem)
}

/// Never more than the limit, whatever the file's length said.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Refusal> {
    let unreadable = |error: std::io::Error| Refusal::Unreadable(error.to_string());
    let open = std::fs::File::open(file).map_err(unreadable)?;
    let meta = open.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(Refusal::Unreadable("not a file".into()));
    }
    if meta.len() > MAX_FILE_BYTES {
        return Err(Refusal::TooLarge(meta.len()));
    }
    let mut bytes = Vec::new();
    open.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::TooLarge(bytes.len() as u64));
    }
    Ok(bytes)
}

/// The `.wasm` files of a folder, sorted. Hidden ones are somebody's half-written copies.
pub(super) fn files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
