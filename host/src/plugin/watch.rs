//! Takes up what changes in the plugins folders.
//!
//! The kernel says at once that something changed; a look at the folders every few seconds finds what it
//! does not tell of: network mounts, a folder that was replaced, no more watches to be had. Whether a
//! plugin changed is decided by its content.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use super::load;
use super::runtime::Runtime;

/// A file that is written for longer is looked at all the same, so that it does not keep others out.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// How long nothing may change before the folders are read.
    pub quiet: Duration,
    /// How often they are looked at, whatever the kernel says.
    pub poll: Duration,
    /// Whether the kernel is asked.
    pub events: bool,
}

impl Runtime {
    /// Reloads after each change of the folders or of what the operator allows. Never returns.
    pub async fn watch(&self, how: Watch) {
        let mut ears = Ears::new(how);
        let mut dirs = self.shared.settings.dirs.clone();
        dirs.extend(self.shared.ledger.allowed_dir());
        loop {
            ears.listen(&dirs);
            if self.look().await != *self.shared.looked() {
                self.until_quiet(how.quiet).await;
                if let Err(error) = self.reload().await {
                    tracing::warn!(%error, "the plugins stay as they are");
                }
            }
            tokio::select! {
                () = ears.heard.notified() => {}
                () = tokio::time::sleep(how.poll) => {}
            }
        }
    }

    /// Half-written files change again.
    async fn until_quiet(&self, quiet: Duration) {
        let began = Instant::now();
        let mut last = self.look().await;
        while began.elapsed() < LONGEST_WAIT {
            tokio::time::sleep(quiet).await;
            let look = self.look().await;
            if look == last {
                return;
            }
            last = look;
        }
    }

    async fn look(&self) -> Look {
        let shared = Arc::clone(&self.shared);
        let look = tokio::task::spawn_blocking(move || Look::at(&shared.settings.dirs, &shared.ledger));
        look.await.unwrap_or_default()
    }
}

/// What the folders look like from outside. Equal looks: nothing was touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look(Vec<(PathBuf, Option<Stamp>)>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    len: u64,
    modified: (i64, i64),
    /// Unlike the other, nobody can set it.
    changed: (i64, i64),
}

impl Look {
    pub(super) fn at(dirs: &[PathBuf], ledger: &super::ledger::Ledger) -> Self {
        // An unreadable folder looks like an empty one; reading it says why.
        let plugins = dirs.iter().flat_map(|dir| load::files(dir).unwrap_or_default());
        let allowed = ledger.allowed_dir().and_then(|dir| std::fs::read_dir(dir).ok());
        let allowed = allowed.into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = plugins.chain(allowed).map(|file| (stamp(&file), file)).collect();
        files.sort_by(|(_, a), (_, b)| a.cmp(b));
        Self(files.into_iter().map(|(stamp, file)| (file, stamp)).collect())
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(file).ok()?;
    Some(Stamp {
        place: (meta.dev(), meta.ino()),
        len: meta.len(),
        modified: (meta.mtime(), meta.mtime_nsec()),
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}

/// The kernel's word, where it can be had.
struct Ears {
    heard: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    /// What each folder was when it was listened to. `None`: it could not be.
    dirs: BTreeMap<PathBuf, Option<(u64, u64)>>,
    poll: Duration,
}

impl Ears {
    fn new(how: Watch) -> Self {
        let heard = Arc::new(Notify::new());
        let wake = Arc::clone(&heard);
        let listen = move |event: notify::Result<notify::Event>| match event.map(|event| event.kind) {
            // Our own reading.
            Ok(EventKind::Access(_)) => {}
            // An error means that events may be missing.
            Ok(_) | Err(_) => wake.notify_one(),
        };
        let watcher = how.events.then(|| notify::recommended_watcher(listen)).transpose();
        let watcher = watcher.unwrap_or_else(|error| {
            deaf(&error, how.poll);
            None
        });
        Self { heard, watcher, dirs: BTreeMap::new(), poll: how.poll }
    }

    /// Listens to the folders that it does not hear yet, or that were replaced.
    fn listen(&mut self, dirs: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        for dir in dirs {
            let Ok(meta) = std::fs::metadata(dir) else {
                self.dirs.remove(dir);
                continue;
            };
            let place = (meta.dev(), meta.ino());
            match self.dirs.get(dir) {
                Some(Some(known)) if *known == place => continue,
                Some(None) => continue,
                // The kernel has forgotten it with the folder, or never heard of it.
                Some(Some(_)) => drop(watcher.unwatch(dir)),
                None => {}
            }
            let heard = watcher.watch(dir, RecursiveMode::NonRecursive);
            if let Err(error) = &heard {
                deaf(error, self.poll);
            }
            self.dirs.insert(dir.clone(), heard.is_ok().then_some(place));
        }
    }
}

fn deaf(error: &notify::Error, poll: Duration) {
    tracing::warn!(%error, "the plugins folders can't be listened to: they are looked at every {poll:?}");
}
