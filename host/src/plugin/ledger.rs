//! What outlives the process: which plugin was taken from which file and what it could do, what the
//! operator allowed, what was withdrawn, and a copy of each plugin that serves.
//!
//! Beside the service's other state, private to its user: `ledger.json`, `kept/` and `allowed/`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::load::{self, Plugin};
use super::manifest::Manifest;
use super::{Change, Kind};
use crate::task::Digest;

/// How much of the history is kept.
const CHANGES: usize = 100;

/// Between making a copy and writing the book lies the start of one plugin.
const SPOKEN_OF: Duration = Duration::from_secs(10 * 60);

pub(super) struct Ledger {
    /// `None`: nothing is remembered beyond this process, and nothing can be allowed.
    dir: Option<PathBuf>,
    book: Mutex<Book>,
    /// As the file was when this host last read or wrote it: what differs is this host's own.
    synced: Mutex<Book>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Book {
    pub(super) generation: u64,
    /// By the file's absolute path.
    pub(super) files: BTreeMap<PathBuf, Entry>,
    /// Oldest first.
    pub(super) history: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) serving: Taken,
    /// What served before, while `serving` is on trial.
    pub(super) before: Option<Digest>,
    pub(super) withdrawn: Option<Withdrawal>,
    /// The file was removed. What it could do still counts for whoever takes its place.
    pub(super) gone: bool,
}

/// A plugin that was served, and what it could do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) digest: Digest,
    pub(super) kind: Kind,
    pub(super) grants: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Withdrawal {
    pub(super) digest: Digest,
    pub(super) last_trap: String,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{} can't be read: {error}; without it every plugin counts as new: remove it if that is meant",
        path.display()
    )]
    Garbled { path: PathBuf, error: serde_json::Error },
}

impl Ledger {
    /// Makes the folders if they are not there.
    pub(super) fn open(dir: Option<PathBuf>) -> Result<Self, LedgerError> {
        let Some(dir) = dir else {
            return Ok(Self { dir, book: Mutex::default(), synced: Mutex::default() });
        };
        for folder in [dir.clone(), dir.join("kept"), dir.join("allowed")] {
            make_private(&folder).map_err(|error| LedgerError::Io { path: folder, error })?;
        }
        let book = read(&dir)?;
        Ok(Self { dir: Some(dir), synced: Mutex::new(book.clone()), book: Mutex::new(book) })
    }

    /// Whoever holds it publishes: two that change what is served can't overtake each other.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the book, joined with what other hosts on this folder have written meanwhile, and drops
    /// copies of plugins it no longer speaks of. To be called after each change, not on an async thread.
    /// What can't be written is lost with this process only.
    pub(super) fn save(&self) {
        let Some(dir) = &self.dir else { return };
        let mut book = self.book();
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut save = || -> Result<(), LedgerError> {
            let io = |error| LedgerError::Io { path: dir.clone(), error };
            let _lock = lock(dir).map_err(io)?;
            book.join(&synced, read(dir)?);
            write(dir, &book).and_then(|()| prune(dir, &book)).map_err(io)?;
            *synced = book.clone();
            Ok(())
        };
        if let Err(error) = save() {
            tracing::warn!(%error, "can't keep the plugins' ledger");
        }
    }

    /// Keeps a copy of a plugin's file, to go back to it.
    pub(super) fn keep(&self, digest: &Digest, bytes: &[u8]) {
        let Some(dir) = &self.dir else { return };
        let path = kept(dir, digest);
        // Old copies that no book speaks of are dropped; this one will be spoken of.
        let renewed = std::fs::File::open(&path).and_then(|copy| copy.set_modified(SystemTime::now()));
        if renewed.is_ok() {
            return;
        }
        if let Err(error) = replace(&path, bytes) {
            tracing::warn!(file = %path.display(), %error, "can't keep a copy of a plugin");
        }
    }

    /// The copy, if there is a whole one.
    pub(super) fn copy(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = kept(self.dir.as_ref()?, digest);
        let bytes = load::read(&path).ok()?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    pub(super) fn allows(&self, digest: &Digest) -> bool {
        self.dir.as_ref().is_some_and(|dir| is_allowed(dir, digest))
    }

    /// Where the operator's word lies, for the watch.
    pub(super) fn allowed_dir(&self) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join("allowed"))
    }
}

impl Book {
    pub(super) fn entry(&self, file: &Path) -> Option<&Entry> {
        self.files.get(&key(file))
    }

    /// What was last served under this name, from whichever folder.
    pub(super) fn namesake(&self, name: &str) -> Option<&Entry> {
        let mut named = self.files.iter().filter(|(file, _)| file.file_stem().is_some_and(|it| it == name));
        let (_, mut last) = named.next()?;
        for (_, entry) in named {
            if last.gone && !entry.gone {
                last = entry;
            }
        }
        Some(last)
    }

    /// Takes in what others have written; of what this host has changed since `synced`, its own word counts.
    fn join(&mut self, synced: &Self, mut theirs: Self) {
        let changed = self.files.iter().filter(|(file, entry)| synced.files.get(*file) != Some(entry));
        theirs.files.extend(changed.map(|(file, entry)| (file.clone(), entry.clone())));
        let known = synced.history.last().map_or(0, |change| change.at);
        let new = self.history.iter().filter(|change| change.at >= known && !theirs.history.contains(change));
        let new: Vec<Change> = new.cloned().collect();
        new.into_iter().for_each(|change| theirs.note(change));
        theirs.history.sort_by_key(|change| change.at);
        theirs.generation = theirs.generation.max(self.generation);
        *self = theirs;
    }

    pub(super) fn note(&mut self, change: Change) {
        let surplus = (self.history.len() + 1).saturating_sub(CHANGES);
        self.history.drain(..surplus);
        self.history.push(change);
    }
}

impl Taken {
    pub(super) fn of(plugin: &Plugin) -> Self {
        Self::new(plugin.digest.clone(), &plugin.manifest)
    }

    pub(super) fn new(digest: Digest, manifest: &Manifest) -> Self {
        let grants = manifest.grants().into_iter().map(str::to_owned).collect();
        Self { digest, kind: manifest.kind, grants }
    }

    /// What this plugin could do and the other can't, in words. Native commands are the operator's own
    /// line in `aiagent.toml`.
    pub(super) fn more_than(&self, other: &Self) -> Vec<String> {
        let new = self.grants.difference(&other.grants).filter(|grant| *grant != "exec");
        let mut more: Vec<String> = new.cloned().collect();
        if self.kind != other.kind {
            more.push(format!("to be a {} where there is a {}", self.kind, other.kind));
        }
        more
    }
}

/// What a file is called in the book.
pub(super) fn key(file: &Path) -> PathBuf {
    // Fails only without a current folder; then the relative path has to do.
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

/// The operator's word that the plugin with this digest may do all it asks for.
pub(super) fn allow(dir: &Path, digest: &Digest, name: &str) -> Result<(), LedgerError> {
    let path = allowed(dir, digest);
    let write = || {
        make_private(dir)?;
        make_private(&dir.join("allowed"))?;
        replace(&path, name.as_bytes())
    };
    write().map_err(|error| LedgerError::Io { path: path.clone(), error })
}

pub(super) fn is_allowed(dir: &Path, digest: &Digest) -> bool {
    allowed(dir, digest).exists()
}

/// The book of a service, which may be running. Empty where there is none.
pub(super) fn read(dir: &Path) -> Result<Book, LedgerError> {
    let path = dir.join("ledger.json");
    match std::fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| LedgerError::Garbled { path: path.clone(), error })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book::default()),
        Err(error) => Err(LedgerError::Io { path, error }),
    }
}

fn write(dir: &Path, book: &Book) -> io::Result<()> {
    replace(&dir.join("ledger.json"), &serde_json::to_vec_pretty(book)?)
}

/// One host writes at a time. Held until it is dropped.
fn lock(dir: &Path) -> io::Result<std::fs::File> {
    let file =
        std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("ledger.lock"))?;
    file.lock()?;
    Ok(file)
}

fn prune(dir: &Path, book: &Book) -> io::Result<()> {
    let entries = book.files.values().filter(|entry| !entry.gone);
    let digests = entries.flat_map(|entry| [Some(&entry.serving.digest), entry.before.as_ref()]);
    let wanted: BTreeSet<PathBuf> = digests.flatten().map(|digest| kept(dir, digest)).collect();
    for entry in std::fs::read_dir(dir.join("kept"))? {
        let path = entry?.path();
        // One that is young may be another host's, which speaks of it in a moment.
        let old = std::fs::metadata(&path)?.modified()?.elapsed().is_ok_and(|age| age > SPOKEN_OF);
        if old && !wanted.contains(&path) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// All or nothing, also when the process dies in the middle.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.persist(path)?;
    Ok(())
}

fn make_private(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn kept(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join("kept").join(file_name(digest))
}

fn allowed(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join("allowed").join(file_name(digest))
}

fn file_name(digest: &Digest) -> String {
    digest.as_str().replace(':', "-")
}
