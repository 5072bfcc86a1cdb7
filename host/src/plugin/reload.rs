//! From the folders to a generation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::generation::Set;
use super::ledger::{self, Book, Entry, Taken};
use super::load::{self, Plugin};
use super::runtime::{Runtime, Shared};
use super::trial::Before;
use super::watch::Look;
use super::{Catalog, Change, Loaded, Refusal, Refused, StartError, Status, What};
use crate::task::Digest;

/// How often the folders are read anew because they changed meanwhile. Then what was read has to do: the
/// watch will see the rest.
const PASSES: u32 = 5;

/// A file, and where it stands in the order of the folders.
type Place = (usize, PathBuf);

/// Why a file is not served, and its digest if it could be read.
type Refusing = (Option<Digest>, Refusal);

/// What came of the files of one name.
type Namesakes = (Option<Arc<Plugin>>, Vec<(Place, Refusing)>);

impl Runtime {
    /// Reads the folders again and publishes what they hold as one new generation, if it differs.
    /// Unchanged files are not compiled again. A file that is refused leaves the plugin that bore its
    /// name before serving; a plugin whose file is gone goes too. Running calls end on what they began
    /// with.
    pub async fn reload(&self) -> Result<Arc<Catalog>, StartError> {
        for change in self.read_folders().await? {
            change.log();
        }
        Ok(self.catalog())
    }

    pub(super) async fn read_folders(&self) -> Result<Vec<Change>, StartError> {
        let _one = self.shared.reloading.lock().await;
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.read_folders()).await?
    }
}

impl Shared {
    fn read_folders(&self) -> Result<Vec<Change>, StartError> {
        let mut pass = 1;
        loop {
            let old = self.current();
            let look = Look::at(&self.settings.dirs, &self.ledger);
            *self.looked() = look.clone();
            let mut new = self.load(&old)?;
            if pass < PASSES && Look::at(&self.settings.dirs, &self.ledger) != look {
                pass += 1;
                continue;
            }
            let mut book = self.ledger.book();
            // A plugin was withdrawn in the meantime.
            if !Arc::ptr_eq(&old, &self.current()) {
                continue;
            }
            let changes = book.turn(&old, &new);
            let same = changes.is_empty() && old.catalog.refused == new.catalog.refused;
            if same && old.is_started() {
                return Ok(changes);
            }
            // A host that starts with what it served last goes on with that generation.
            book.generation = if changes.is_empty() && !old.is_started() {
                book.generation.max(1)
            } else {
                book.generation + 1
            };
            let catalog = Catalog { generation: book.generation, ..Catalog::clone(&new.catalog) };
            new.catalog = Arc::new(catalog);
            new.let_go();
            self.publish(Arc::new(new));
            drop(book);
            self.ledger.save();
            return Ok(changes);
        }
    }

    fn load(&self, old: &Set) -> Result<Set, StartError> {
        let mut places = 0..;
        let mut names: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        let mut refused: Vec<(Place, Refusing)> = Vec::new();
        for dir in &self.settings.dirs {
            let files = load::files(dir).map_err(|error| StartError::Folder { dir: dir.clone(), error })?;
            for place in places.by_ref().zip(files) {
                match load::name(&place.1) {
                    Ok(name) => names.entry(name).or_default().push(place),
                    Err(refusal) => refused.push((place, (None, refusal))),
                }
            }
        }
        let loaded = at_once(names.into_iter().collect(), |(name, files)| self.load_name(&name, files, old));
        let mut plugins: BTreeMap<Arc<str>, Arc<Plugin>> = BTreeMap::new();
        for (plugin, refusals) in loaded {
            plugins.extend(plugin.map(|plugin| (Arc::clone(&plugin.name), plugin)));
            refused.extend(refusals);
        }
        refused.sort_by_key(|((place, _), _)| *place);
        let mut report = Vec::new();
        let mut lasting = BTreeMap::new();
        for ((_, file), (digest, refusal)) in refused {
            let serving = load::name(&file).ok().and_then(|name| plugins.get(name.as_str()));
            // A namesake of another folder is not what this file left serving.
            let serving = serving.filter(|plugin| plugin.file == file).map(|plugin| plugin.digest.clone());
            report.push(Refused::of(file.clone(), digest.clone(), &refusal, serving));
            if let Some(digest) = digest.filter(|_| refusal.is_lasting()) {
                lasting.insert(file, (digest, refusal));
            }
        }
        let loaded = plugins.values().map(|plugin| Loaded::of(plugin)).collect();
        let catalog = Arc::new(Catalog { generation: 0, loaded, refused: report });
        Ok(Set { catalog, plugins, lasting, again: BTreeMap::new() })
    }

    /// Of the files of one name the first that can be served is; failing that, what bore the name before.
    fn load_name(&self, name: &str, files: Vec<Place>, old: &Set) -> Namesakes {
        let mut first: Option<Arc<Plugin>> = None;
        let mut refused = Vec::new();
        for place in files {
            let loaded = match &first {
                Some(first) => {
                    let first = first.file.display().to_string();
                    Err((None, Refusal::Duplicate { plugin: name.to_owned(), first }))
                }
                None => self.load_file(&place.1, name, old),
            };
            match loaded {
                Ok(plugin) => first = Some(plugin),
                Err(refusing) => refused.push((place, refusing)),
            }
        }
        let first = first.or_else(|| {
            let mut files = refused.iter().map(|((_, file), _)| file);
            let served =
                old.plugins.get(name).filter(|served| files.clone().any(|file| *file == served.file));
            served.cloned().or_else(|| files.find_map(|file| self.revive(file, name)))
        });
        (first, refused)
    }

    fn load_file(&self, file: &Path, name: &str, old: &Set) -> Result<Arc<Plugin>, Refusing> {
        let bytes = load::read(file).map_err(|refusal| (None, refusal))?;
        let digest = Digest::of(&bytes);
        let before = old.plugins.get(name).filter(|before| before.file == file);
        if let Some(same) = before.filter(|before| before.digest == digest) {
            return Ok(Arc::clone(same));
        }
        if let Some((known, refusal)) = old.lasting.get(file)
            && *known == digest
        {
            return Err((Some(digest), refusal.clone()));
        }
        let (entry, measure) = {
            let book = self.ledger.book();
            (book.entry(file).cloned(), book.entry(file).or_else(|| book.namesake(name)).cloned())
        };
        let before = match (before, &entry) {
            (Some(before), _) => Some(Arc::clone(before)),
            // It was replaced while this host was down, or is still on trial from before.
            (None, Some(entry)) if entry.serving.digest != digest => {
                self.copy(file, name, &entry.serving.digest)
            }
            (None, Some(Entry { before: Some(before), .. })) => self.copy(file, name, before),
            (None, _) => None,
        };
        let admit = |plugin: Plugin| {
            self.admit(&plugin, measure.as_ref())?;
            self.try_out(&plugin)?;
            self.ledger.keep(&plugin.digest, &bytes);
            Ok(Arc::new(Plugin { before: before.map(Before::new).unwrap_or_default(), ..plugin }))
        };
        let plugin = Plugin::load(file, name, &bytes, digest.clone(), &self.linker, &self.settings);
        plugin.and_then(admit).map_err(|refusal| (Some(digest), refusal))
    }

    /// Whether a plugin may take the place of the one that was served from its file, or else under its
    /// name from another folder.
    pub(super) fn admit(&self, plugin: &Plugin, entry: Option<&Entry>) -> Result<(), Refusal> {
        let Some(entry) = entry else { return Ok(()) };
        if let Some(withdrawn) = entry.withdrawn.as_ref().filter(|it| it.digest == plugin.digest) {
            return Err(Refusal::Withdrawn { last_trap: withdrawn.last_trap.clone() });
        }
        let more = Taken::of(plugin).more_than(&entry.serving);
        let allowed =
            || self.settings.vouches(&plugin.name, &plugin.digest) || self.ledger.allows(&plugin.digest);
        if more.is_empty() || entry.serving.digest == plugin.digest || allowed() {
            return Ok(());
        }
        Err(Refusal::HeldBack {
            plugin: plugin.name.to_string(),
            file: plugin.file.display().to_string(),
            digest: plugin.digest.clone(),
            more,
        })
    }

    pub(super) fn try_out(&self, plugin: &Plugin) -> Result<(), Refusal> {
        match self.settings.try_out {
            true => self
                .tokio
                .block_on(self.instantiate_once(plugin))
                .map_err(|end| Refusal::Start(end.to_string())),
            false => Ok(()),
        }
    }

    /// What the ledger says was served from this file, from its copy.
    fn revive(&self, file: &Path, name: &str) -> Option<Arc<Plugin>> {
        let entry = self.ledger.book().entry(file).filter(|entry| !entry.gone).cloned()?;
        self.copy(file, name, &entry.serving.digest)
    }

    fn copy(&self, file: &Path, name: &str, digest: &Digest) -> Option<Arc<Plugin>> {
        let bytes = self.ledger.copy(digest)?;
        match Plugin::load(file, name, &bytes, digest.clone(), &self.linker, &self.settings) {
            Ok(plugin) => Some(Arc::new(plugin)),
            Err(refusal) => {
                tracing::warn!(%name, digest = digest.short(), "can't go back to what was served: {refusal}");
                None
            }
        }
    }
}

impl Book {
    /// Writes down what a new set changes. The generation moves on if it changes anything.
    fn turn(&mut self, old: &Set, new: &Set) -> Vec<Change> {
        let mut changes = Vec::new();
        let at = crate::task::now();
        let generation = self.generation + 1;
        let mut change = |plugin: &str, what, from: Option<&Digest>, to: Option<&Digest>, why| {
            let (from, to) = (from.cloned(), to.cloned());
            changes.push(Change { at, generation, plugin: plugin.to_owned(), what, from, to, why });
        };
        for plugin in new.plugins.values() {
            let (name, to) = (&*plugin.name, Some(&plugin.digest));
            let key = ledger::key(&plugin.file);
            let Some(entry) = self.files.get_mut(&key) else {
                change(name, What::Added, None, to, None);
                let serving = Taken::of(plugin);
                self.files.insert(key, Entry { serving, before: None, withdrawn: None, gone: false });
                continue;
            };
            let same = entry.serving.digest == plugin.digest;
            match (std::mem::take(&mut entry.gone), same) {
                (true, _) => change(name, What::Added, None, to, None),
                (false, true) => continue,
                // This host goes on with it; another one on the same ledger no longer does.
                (false, false)
                    if old.plugins.get(&plugin.name).is_some_and(|was| was.digest == plugin.digest) =>
                {
                    continue;
                }
                (false, false) => change(name, What::Replaced, Some(&entry.serving.digest), to, None),
            }
            if !same {
                entry.before = plugin.before.get().map(|before| before.digest.clone());
                entry.serving = Taken::of(plugin);
                entry.withdrawn = None;
            }
        }
        for (name, plugin) in &old.plugins {
            if !new.plugins.contains_key(name) {
                change(name, What::Removed, Some(&plugin.digest), None, None);
            }
            if !new.plugins.values().any(|served| served.file == plugin.file)
                && let Some(entry) = self.files.get_mut(&ledger::key(&plugin.file))
            {
                entry.gone = true;
            }
        }
        for refused in &new.catalog.refused {
            let plugin = refused.file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
            let last = self.history.iter().rfind(|change| change.plugin == plugin);
            // After a restart it is no news.
            let tells = |last: &Change| [&last.from, &last.to].contains(&&refused.digest);
            let known = last.is_some_and(|last| last.why.is_some() && tells(last));
            if old.catalog.refused.contains(refused) || !old.is_started() && known {
                continue;
            }
            let what = match refused.status {
                Status::Refused => What::Refused,
                Status::HeldBack => What::HeldBack,
                Status::Withdrawn => What::Withdrawn,
            };
            let why = format!("{}; {}", refused.reason, refused.remedy);
            change(&plugin, what, refused.still_serving.as_ref(), refused.digest.as_ref(), Some(why));
        }
        for change in &changes {
            self.note(change.clone());
        }
        changes
    }
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
