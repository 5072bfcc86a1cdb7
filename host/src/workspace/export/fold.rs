//! Changes back into the folder they were made for.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Permissions, PermissionsExt as _};

use super::{ExportError, check, create, default_bits};
use crate::workspace::{File, Mode, Tree, TreePath, link};

/// What was done to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderChange {
    Written(String),
    Removed(String),
}

/// Makes `new` of a folder that still is what `old` was imported from, and returns what it did.
///
/// Only files that differ between the trees are touched, each by a rename into place. First every
/// one of them is compared with `old`: where one is neither that nor already as in `new`, nothing is
/// written. No link on the way is followed, and nothing in a `.git` folder is written. The read and
/// write bits of files that were there stay as they are on disk.
pub fn apply_to_folder(old: &Tree, new: &Tree, folder: &Path) -> Result<Vec<FolderChange>, ExportError> {
    let whole = |source| ExportError::Io { what: folder.display().to_string(), source };
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(whole)?;
    let plan = Plan::between(old, new);
    plan.check(&dir)?;
    plan.carry_out(&dir)
}

struct Plan<'a> {
    new: &'a Tree,
    removed: Vec<(&'a TreePath, &'a File)>,
    /// With what is there now, if anything is.
    written: Vec<(&'a TreePath, Option<&'a File>, &'a File)>,
}

/// What stands at a path on disk.
#[derive(PartialEq, Eq)]
enum OnDisk {
    Nothing,
    Folder,
    File { bytes: Vec<u8>, bits: u32 },
    Link(Vec<u8>),
    Other,
}

impl OnDisk {
    fn at(dir: &Dir, path: &str, at_most: u64) -> std::io::Result<Self> {
        let meta = match dir.symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::Nothing);
            }
            Err(error) => return Err(error),
        };
        if meta.is_dir() {
            Ok(Self::Folder)
        } else if meta.is_symlink() {
            Ok(Self::Link(dir.read_link_contents(path)?.as_os_str().as_bytes().to_vec()))
        } else if meta.is_file() && meta.len() <= at_most {
            Ok(Self::File { bytes: dir.read(path)?, bits: meta.permissions().mode() & 0o7777 })
        } else {
            // A file larger than both versions is neither.
            Ok(Self::Other)
        }
    }

    fn is(&self, file: Option<&File>) -> bool {
        match (self, file) {
            (Self::Nothing, None) => true,
            (Self::File { bytes, bits }, Some(file)) => {
                let mode = if bits & 0o100 == 0 { Mode::Regular } else { Mode::Executable };
                mode == file.mode && bytes == file.blob.bytes()
            }
            (Self::Link(target), Some(file)) => file.mode == Mode::Link && target == file.blob.bytes(),
            _ => false,
        }
    }
}

impl<'a> Plan<'a> {
    fn between(old: &'a Tree, new: &'a Tree) -> Self {
        let removed = old.iter().filter(|(path, _)| new.get(path.as_str()).is_none());
        let written = new.iter().map(|(path, file)| (path, old.get(path.as_str()), file));
        Self {
            new,
            removed: removed.collect(),
            written: written.filter(|(_, old, new)| *old != Some(*new)).collect(),
        }
    }

    fn check(&self, dir: &Dir) -> Result<(), ExportError> {
        let removed: BTreeSet<&str> = self.removed.iter().map(|(path, _)| path.as_str()).collect();
        let mut changed = BTreeSet::new();
        let gone = self.removed.iter().map(|(path, old)| (*path, Some(*old), None));
        let there = self.written.iter().map(|(path, old, new)| (*path, *old, Some(*new)));
        for (path, old, new) in gone.chain(there) {
            let text = path.as_str();
            let refuse = |why: &str| ExportError::Refused { path: text.to_owned(), why: why.to_owned() };
            let failed = |source| ExportError::Io { what: format!("{text:?}"), source };
            if link::in_git_folder(text) {
                return Err(refuse("is in git's own folder"));
            }
            if let Some(new) = new {
                check(path, new)?;
            }
            let mut nothing_below = false;
            for (at, _) in text.match_indices('/') {
                let above = &text[..at];
                match OnDisk::at(dir, above, 0).map_err(failed)? {
                    OnDisk::Nothing | OnDisk::Folder => {}
                    _ if removed.contains(above) => nothing_below = true,
                    // Replaced by an earlier, interrupted run: compared where it is written.
                    _ if new.is_none() && self.new.get(above).is_some() => nothing_below = true,
                    OnDisk::Link(_) => return Err(refuse(&format!("is behind the link {above}"))),
                    OnDisk::File { .. } | OnDisk::Other => {
                        return Err(refuse(&format!("needs a folder {above}, which is a file on disk")));
                    }
                }
            }
            let at_most = [old, new].iter().flatten().map(|file| file.blob.bytes().len() as u64).max();
            let now = match nothing_below {
                true => OnDisk::Nothing,
                false => OnDisk::at(dir, text, at_most.unwrap_or(0)).map_err(failed)?,
            };
            let makes_way = now == OnDisk::Folder
                && old.is_none()
                && only_removed(dir, text, &removed).map_err(failed)?;
            // The reverse, done by an earlier, interrupted run: what is below is compared by itself.
            let made_way = now == OnDisk::Folder && new.is_none() && self.new_has_below(text);
            if !(now.is(old) || now.is(new) || makes_way || made_way) {
                changed.insert(text.to_owned());
            }
        }
        if changed.is_empty() { Ok(()) } else { Err(ExportError::Changed(changed.into_iter().collect())) }
    }

    fn new_has_below(&self, folder: &str) -> bool {
        let inside = format!("{folder}/");
        self.new.iter().any(|(path, _)| path.as_str().starts_with(&inside))
    }

    fn carry_out(&self, dir: &Dir) -> Result<Vec<FolderChange>, ExportError> {
        let mut done = Vec::new();
        for (path, _) in &self.removed {
            let text = path.as_str();
            match remove(dir, text) {
                Ok(()) => done.push(FolderChange::Removed(text.to_owned())),
                Err(source) => return Err(partly(text, done.len(), source)),
            }
        }
        for (path, _, file) in &self.written {
            let text = path.as_str();
            match write(dir, text, file) {
                Ok(()) => done.push(FolderChange::Written(text.to_owned())),
                Err(source) => return Err(partly(text, done.len(), source)),
            }
        }
        Ok(done)
    }
}

fn partly(path: &str, done: usize, source: std::io::Error) -> ExportError {
    ExportError::Partly { path: path.to_owned(), done, source }
}

/// Whether all files below a folder are about to be removed.
fn only_removed(dir: &Dir, folder: &str, removed: &BTreeSet<&str>) -> std::io::Result<bool> {
    for entry in dir.read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { return Ok(false) };
        let path = format!("{folder}/{name}");
        let goes = match entry.file_type()?.is_dir() {
            true => only_removed(dir, &path, removed)?,
            false => removed.contains(path.as_str()),
        };
        if !goes {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes a file and the folders that are empty without it.
fn remove(dir: &Dir, path: &str) -> std::io::Result<()> {
    for (at, _) in path.match_indices('/') {
        match dir.symlink_metadata(&path[..at]) {
            Ok(meta) if meta.is_dir() => {}
            // Something stands where the folder was, so the file is gone; a link is not followed.
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    match dir.remove_file(path) {
        Ok(()) => {}
        // Already gone: an earlier, interrupted run did it.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory
            ) => {}
        Err(error) => return Err(error),
    }
    let mut above = path;
    while let Some((folder, _)) = above.rsplit_once('/') {
        match dir.remove_dir(folder) {
            Ok(()) => above = folder,
            Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes beside the place, then renames: a reader sees the old content or the new.
fn write(dir: &Dir, path: &str, file: &File) -> std::io::Result<()> {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    if !above.is_empty() {
        dir.create_dir_all(above)?;
    }
    let short: String = name.chars().take(40).collect();
    let beside = format!(".{short}.{}.aiagent", ulid::Ulid::generate());
    let beside = if above.is_empty() { beside } else { format!("{above}/{beside}") };
    let bits = match dir.symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Some(match (meta.permissions().mode() & 0o777, file.mode) {
            // Whoever may read it may run it.
            (bits, Mode::Executable) => bits | (bits & 0o444) >> 2,
            (bits, Mode::Regular | Mode::Link) => bits & !0o111,
        }),
        _ => None,
    };
    let written = create(dir, &beside, file, default_bits(file.mode)).and_then(|()| {
        if let (Some(bits), Mode::Regular | Mode::Executable) = (bits, file.mode) {
            dir.set_permissions(&beside, Permissions::from_mode(bits))?;
        }
        if dir.symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
            // Checked before: nothing is left in it.
            remove_empty_folders(dir, path)?;
        }
        dir.rename(&beside, dir, path)
    });
    if written.is_err() {
        // The first error is the one to tell; a file that stays is named after us.
        let _ = dir.remove_file(&beside);
    }
    written
}

fn remove_empty_folders(dir: &Dir, folder: &str) -> std::io::Result<()> {
    for entry in dir.read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().ok_or(ErrorKind::DirectoryNotEmpty)?;
        remove_empty_folders(dir, &format!("{folder}/{name}"))?;
    }
    dir.remove_dir(folder)
}
