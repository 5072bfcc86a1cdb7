//! [`super::Fsync::Everysec`]: commits that are not yet on the disk, and when they have to be.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a power cut may lose.
const LATEST: Duration = Duration::from_secs(1);

pub(super) struct Later {
    wal: PathBuf,
    /// When the first commit was that no sync has followed.
    since: Option<Instant>,
}

impl Later {
    pub(super) fn new(path: &Path) -> Self {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        Self { wal: wal.into(), since: None }
    }

    pub(super) fn committed(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Where it is time.
    pub(super) fn sync_if_due(&mut self, now: Instant) {
        if self.since.is_some_and(|since| now.duration_since(since) >= LATEST) {
            self.sync(now);
        }
    }

    /// Before the file is closed: another process that has it open keeps SQLite from syncing it then.
    pub(super) fn close(&mut self) {
        if self.since.is_some() {
            self.sync(Instant::now());
        }
    }

    /// What a checkpoint has taken out of this file, SQLite has synced itself.
    fn sync(&mut self, now: Instant) {
        match File::open(&self.wal).and_then(|wal| wal.sync_data()) {
            Ok(()) => self.since = None,
            Err(error) => {
                // Once a second.
                self.since = Some(now);
                tracing::error!(%error, file = %self.wal.display(), "a power cut may lose what was written");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_due_a_second_after_the_first_commit() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut later = Later::new(&folder.path().join("store.db"));
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        later.sync_if_due(at(0));
        later.committed(at(100));
        later.committed(at(900));
        later.sync_if_due(at(1099));
        assert_eq!(later.since, Some(at(100)));
        // There is no file.
        later.sync_if_due(at(1100));
        assert_eq!(later.since, Some(at(1100)), "is tried again");
        std::fs::write(folder.path().join("store.db-wal"), "").expect("writes");
        later.sync_if_due(at(2100));
        assert_eq!(later.since, None);
        later.committed(at(2200));
        later.close();
        assert_eq!(later.since, None);
    }
}
