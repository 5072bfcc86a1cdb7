//! Plugins that are put into the folders, allowed and removed while the service runs, by whom it lets.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::load::{self, Plugin};
use super::manifest::MAX_FILE_BYTES;
use super::runtime::{Runtime, Shared};
use super::{Allowed, Refusal, StartError, Status, inspect};
use crate::task::Digest;

/// What became of a file that was put in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub digest: Digest,
    /// There was one of that name before.
    pub replaced: bool,
    /// Why it is not served yet, and what to do.
    pub held_back: Option<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Nothing was changed.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Refused(Refusal),
    #[error("{} is there already: say that it is to be replaced, or choose another name", .0.display())]
    Taken(PathBuf),
    #[error("no plugins folder has a file {0}")]
    Unknown(String),
    #[error("{file} is {is} by now, not {wanted}: look at it again")]
    Moved { file: String, is: Digest, wanted: Digest },
    #[error("no plugins folder is configured; name one with --plugins or plugins_dir")]
    NoFolder,
    #[error("{}: {error}; let the service's user write there, or change the file there yourself", path.display())]
    Folder { path: PathBuf, error: std::io::Error },
    /// What was sent can't be read where it was kept.
    #[error("the upload can't be read: {0}")]
    Upload(std::io::Error),
    #[error("the plugins stay as they are: {0}")]
    Reload(#[from] StartError),
    #[error("the change was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Runtime {
    /// Judges, compiles and tries the bytes first, then puts them under that name into the folder that has
    /// it, else into the last one, by a rename. What would be refused is not put there. What is only held
    /// back is: it waits there for the operator's word. Serves it before it returns.
    ///
    /// `read` gives its bytes when its turn has come: one is in memory at a time.
    pub async fn place(
        &self,
        file: &str,
        read: impl FnOnce() -> std::io::Result<Vec<u8>> + Send + 'static,
        replace: bool,
    ) -> Result<Placed, PlaceError> {
        let _one = self.shared.placing.lock().await;
        let (shared, file) = (Arc::clone(&self.shared), file.to_owned());
        let place = move || shared.place(&file, &read().map_err(PlaceError::Upload)?, replace);
        let placed = tokio::task::spawn_blocking(place).await??;
        self.reload().await?;
        Ok(placed)
    }

    /// Gives the operator's word that a file may do what it asks for, if it still has this content.
    pub async fn allow(&self, file: &str, digest: &Digest) -> Result<Allowed, PlaceError> {
        let _one = self.shared.placing.lock().await;
        let (shared, file, digest) = (Arc::clone(&self.shared), file.to_owned(), digest.clone());
        let allowed = tokio::task::spawn_blocking(move || shared.allow(&file, &digest)).await??;
        self.reload().await?;
        Ok(allowed)
    }

    /// Running calls end on it.
    pub async fn remove(&self, file: &str) -> Result<(), PlaceError> {
        let _one = self.shared.placing.lock().await;
        let (shared, file) = (Arc::clone(&self.shared), file.to_owned());
        let remove = move || {
            let path = shared.find(&file).ok_or(PlaceError::Unknown(file))?;
            std::fs::remove_file(&path).map_err(|error| PlaceError::Folder { path, error })
        };
        tokio::task::spawn_blocking(remove).await??;
        self.reload().await?;
        Ok(())
    }
}

impl Shared {
    fn place(&self, file: &str, bytes: &[u8], replace: bool) -> Result<Placed, PlaceError> {
        let name = load::name(Path::new(file)).map_err(PlaceError::Refused)?;
        if file != format!("{name}.wasm") {
            return Err(PlaceError::Refused(Refusal::Name(file.to_owned())));
        }
        let there = self.find(file);
        if let Some(path) = there.as_ref().filter(|_| !replace) {
            return Err(PlaceError::Taken(path.clone()));
        }
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(PlaceError::Refused(Refusal::TooLarge(bytes.len() as u64)));
        }
        let last = || self.settings.dirs.last().map(|dir| dir.join(file));
        let path = there.clone().or_else(last).ok_or(PlaceError::NoFolder)?;
        let digest = Digest::of(bytes);
        let held_back = match self.judge(&path, &name, bytes, &digest) {
            Ok(()) => None,
            Err(refusal) if refusal.status() == Status::HeldBack => {
                Some((refusal.to_string(), refusal.remedy()))
            }
            Err(refusal) => return Err(PlaceError::Refused(refusal)),
        };
        write(&path, bytes, replace)?;
        Ok(Placed { digest, replaced: there.is_some(), held_back })
    }

    /// As a reload will.
    fn judge(&self, path: &Path, name: &str, bytes: &[u8], digest: &Digest) -> Result<(), Refusal> {
        let measure = {
            let book = self.ledger.book();
            book.entry(path).or_else(|| book.namesake(name)).cloned()
        };
        let plugin = Plugin::load(path, name, bytes, digest.clone(), &self.linker, &self.settings)?;
        self.try_out(&plugin)?;
        self.admit(&plugin, measure.as_ref())
    }

    fn allow(&self, file: &str, digest: &Digest) -> Result<Allowed, PlaceError> {
        let path = self.find(file).ok_or_else(|| PlaceError::Unknown(file.to_owned()))?;
        let bytes = load::read(&path).map_err(PlaceError::Refused)?;
        let is = Digest::of(&bytes);
        if is != *digest {
            return Err(PlaceError::Moved { file: file.to_owned(), is, wanted: digest.clone() });
        }
        inspect::allow_content(&path, &bytes, &self.settings).map_err(PlaceError::Refused)
    }

    /// The first of the folders counts, as it does when they are read.
    fn find(&self, file: &str) -> Option<PathBuf> {
        // Whatever else it says, it is no plugin's file.
        load::name(Path::new(file)).ok().filter(|name| file == format!("{name}.wasm"))?;
        self.settings.dirs.iter().map(|dir| dir.join(file)).find(|path| path.symlink_metadata().is_ok())
    }
}

/// Whoever looks sees the old content or the new one. Hidden until then, so that nobody loads the half.
fn write(path: &Path, bytes: &[u8], replace: bool) -> Result<(), PlaceError> {
    let written = || {
        let folder = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut new = tempfile::Builder::new().prefix(".upload-").tempfile_in(folder)?;
        new.write_all(bytes)?;
        // Like any file that is copied there: other hosts may run as other users.
        new.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        new.as_file().sync_all()?;
        if replace { new.persist(path) } else { new.persist_noclobber(path) }?;
        std::fs::File::open(folder)?.sync_all()
    };
    written().map_err(|error| match error.kind() {
        // It came while this one was judged.
        std::io::ErrorKind::AlreadyExists if !replace => PlaceError::Taken(path.to_owned()),
        _ => PlaceError::Folder { path: path.to_owned(), error },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_meanwhile_stays_unless_it_is_to_be_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.wasm");
        write(&path, b"one", false).expect("nothing is there");
        let taken = write(&path, b"two", false).expect_err("one is there");
        assert!(matches!(&taken, PlaceError::Taken(there) if *there == path), "{taken}");
        assert_eq!(std::fs::read(&path).expect("readable"), b"one");
        write(&path, b"two", true).expect("it may");
        assert_eq!(std::fs::read(&path).expect("readable"), b"two");
        assert_eq!(std::fs::read_dir(&folder).expect("readable").count(), 1, "nothing is left behind");
    }
}
