//! A tree from a folder on disk.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, PermissionsExt as _};

use super::super::link;
use super::{ImportError, Imported, Intake, most_entries, tree_path};
use crate::workspace::{Limits, Mode, TreePath};

/// Reads a folder whole, whatever its `.gitignore` says.
///
/// Left out with a note: `.git`, links that lead out of the folder, and what is neither file,
/// folder nor link. A name that a tree can't hold is an error.
pub fn import_folder(folder: &Path, limits: Limits) -> Result<Imported, ImportError> {
    import_folder_but(folder, limits, &|_| false)
}

/// Like [`import_folder`], without the files and folders whose path `skip` picks: what is in such a
/// folder is not looked at.
pub fn import_folder_but(
    folder: &Path,
    limits: Limits,
    skip: &dyn Fn(&str) -> bool,
) -> Result<Imported, ImportError> {
    let failed = |source| ImportError::Io { what: format!("the folder {}", folder.display()), source };
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(failed)?;
    let mut walk = Walk { intake: Intake::new(limits), skip, entries_left: most_entries(limits) };
    walk.folder(&dir, "")?;
    Ok(walk.intake.finish())
}

struct Walk<'a> {
    intake: Intake,
    skip: &'a dyn Fn(&str) -> bool,
    entries_left: usize,
}

impl Walk<'_> {
    fn folder(&mut self, dir: &Dir, above: &str) -> Result<(), ImportError> {
        let failed = |what: &str, source| ImportError::Io { what: format!("{what:?}"), source };
        // One folder may hold more than memory does: no more are read than may be looked at.
        let most = self.entries_left.saturating_add(1);
        let mut entries = dir
            .entries()
            .and_then(|entries| entries.take(most).collect::<Result<Vec<_>, _>>())
            .map_err(|source| failed(above, source))?;
        if entries.len() == most {
            let entry = if above.is_empty() { "the folder".to_owned() } else { format!("{above:?}") };
            return Err(ImportError::TooLarge { entry, why: "too many folders and files to look at".into() });
        }
        entries.sort_by_key(|entry| entry.file_name());
        for entry in entries {
            let name = entry.file_name();
            let mut path = above.as_bytes().to_vec();
            path.extend_from_slice(name.as_bytes());
            if name.to_str().is_some_and(link::is_git_folder) {
                self.intake.note(format!("left out {}", String::from_utf8_lossy(&path)));
                continue;
            }
            let path = tree_path(&path)?;
            if (self.skip)(path.as_str()) {
                self.intake.note(format!("left out {path}"));
                continue;
            }
            let Some(entries_left) = self.entries_left.checked_sub(1) else {
                let why = "too many folders and files to look at".into();
                return Err(ImportError::TooLarge { entry: format!("{:?}", path.as_str()), why });
            };
            self.entries_left = entries_left;
            let kind = entry.file_type().map_err(|source| failed(path.as_str(), source))?;
            if kind.is_dir() {
                let below = entry.open_dir().map_err(|source| failed(path.as_str(), source))?;
                self.folder(&below, &format!("{path}/"))?;
            } else if kind.is_symlink() {
                let target = dir.read_link_contents(&name).map_err(|source| failed(path.as_str(), source))?;
                self.link(path, target.as_os_str().as_bytes())?;
            } else if kind.is_file() {
                let file = entry.open().map_err(|source| failed(path.as_str(), source))?;
                let meta = file.metadata().map_err(|source| failed(path.as_str(), source))?;
                let mode =
                    if meta.permissions().mode() & 0o100 == 0 { Mode::Regular } else { Mode::Executable };
                let bytes = self.intake.read(&path, file)?;
                self.intake.add(path, bytes, mode)?;
            } else {
                self.intake.note(format!("left out {path}: it is neither a file nor a folder nor a link"));
            }
        }
        Ok(())
    }

    fn link(&mut self, path: TreePath, target: &[u8]) -> Result<(), ImportError> {
        match link::target(&path, target) {
            Ok(_) => self.intake.add(path, target.to_vec(), Mode::Link),
            Err(why) => {
                self.intake.note(format!("left out {path}: it {why}"));
                Ok(())
            }
        }
    }
}
