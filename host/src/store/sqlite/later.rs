//! [`super::Fsync::Everysec`]: commits that are not yet on the disk, and the thread that sees to it that they are.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Release},
};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a power cut may lose, besides what is written while a sync lasts.
const EVERY: Duration = Duration::from_secs(1);

/// Dropping it syncs what is left, and waits for that: to be done while the file is open, as another process that has it
/// open too keeps SQLite from syncing it when it is closed.
pub(super) struct Later {
    wal: Arc<Wal>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Wal {
    path: PathBuf,
    /// Whether there was a commit that no sync has followed.
    dirty: AtomicBool,
}

impl Later {
    pub(super) fn start(store: &Path) -> std::io::Result<Self> {
        let mut path = store.as_os_str().to_owned();
        path.push("-wal");
        let wal = Arc::new(Wal { path: path.into(), dirty: AtomicBool::new(false) });
        let (stop, stopped) = channel();
        let its = Arc::clone(&wal);
        let thread = std::thread::Builder::new().name("store-sync".to_owned()).spawn(move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                its.sync();
            }
            its.sync();
        })?;
        Ok(Self { wal, stop: Some(stop), thread: Some(thread) })
    }

    pub(super) fn committed(&self) {
        self.wal.dirty.store(true, Release);
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that syncs the store had panicked");
        }
    }
}

impl Wal {
    /// What a checkpoint has taken out of this file, SQLite has synced itself.
    fn sync(&self) {
        if !self.dirty.swap(false, AcqRel) {
            return;
        }
        if let Err(error) = File::open(&self.path).and_then(|wal| wal.sync_data()) {
            self.dirty.store(true, Release);
            tracing::error!(%error, file = %self.path.display(), "a power cut may lose what was written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Acquire;

    use super::*;

    #[test]
    fn what_can_not_be_synced_is_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let wal = Wal { path: folder.path().join("store.db-wal"), dirty: AtomicBool::new(true) };
        wal.sync();
        assert!(wal.dirty.load(Acquire), "there is no file");
        std::fs::write(&wal.path, "").expect("writes");
        wal.sync();
        assert!(!wal.dirty.load(Acquire));
    }

    #[test]
    fn the_last_commit_is_synced_before_it_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("store.db-wal"), "").expect("writes");
        let later = Later::start(&folder.path().join("store.db")).expect("a thread");
        later.committed();
        let wal = Arc::clone(&later.wal);
        drop(later);
        assert!(!wal.dirty.load(Acquire));
    }
}
