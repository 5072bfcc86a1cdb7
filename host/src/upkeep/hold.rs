//! Who uses a state folder: any number of hosts, or one that replaces what is in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{UpkeepError, at};

/// The file that is locked. It stays behind, empty.
pub(super) const FILE: &str = "in-use.lock";

/// Ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "the lock is the open file's")] File);

impl Hold {
    /// For a host that serves: beside others of the kind.
    pub fn shared(state_dir: &Path) -> Result<Self, UpkeepError> {
        Self::take(state_dir, File::try_lock_shared, UpkeepError::Restoring)
    }

    /// For whoever replaces the state.
    pub fn alone(state_dir: &Path) -> Result<Self, UpkeepError> {
        Self::take(state_dir, File::try_lock, UpkeepError::InUse)
    }

    fn take(
        state_dir: &Path,
        lock: impl FnOnce(&File) -> Result<(), TryLockError>,
        taken: fn(PathBuf) -> UpkeepError,
    ) -> Result<Self, UpkeepError> {
        let path = state_dir.join(FILE);
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = open.map_err(at("open", &path))?;
        match lock(&file) {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(taken(state_dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(at("lock", &path)(error)),
        }
    }
}
