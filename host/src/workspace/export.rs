//! Trees to archives and folders.

mod fold;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};

use super::{File, Mode, Tree, TreePath, link};

pub use fold::{FolderChange, apply_to_folder};

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Files on disk that are not what the task started from. Nothing was written.
    #[error("changed on disk meanwhile, so nothing was written: {}", .0.join(", "))]
    Changed(Vec<String>),
    /// Nothing was written.
    #[error("{path:?} {why}; nothing was written")]
    Refused { path: String, why: String },
    #[error("can't write {what}: {source}")]
    Io { what: String, source: std::io::Error },
    /// Some files were written before one could not be. Doing it again goes on from there.
    #[error("can't write {path:?}, after {done} other files were written: {source}")]
    Partly { path: String, done: usize, source: std::io::Error },
}

/// The tree as a `.tar.gz`, the same bytes for the same tree: sorted, no owner, no time.
pub fn to_tar_gz(tree: &Tree) -> Result<Vec<u8>, ExportError> {
    let packed = || -> std::io::Result<Vec<u8>> {
        let zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut archive = tar::Builder::new(zip);
        for (path, file) in tree.iter() {
            let mut header = tar::Header::new_gnu();
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mode(if file.mode == Mode::Regular { 0o644 } else { 0o755 });
            let bytes = file.blob.bytes();
            if file.mode == Mode::Link {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                archive.append_link(
                    &mut header,
                    path.as_str(),
                    std::str::from_utf8(bytes).map_err(not_text)?,
                )?;
            } else {
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, path.as_str(), bytes.as_ref())?;
            }
        }
        archive.into_inner()?.finish()
    };
    packed().map_err(|source| ExportError::Io { what: "the archive".into(), source })
}

fn not_text(error: std::str::Utf8Error) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, error)
}

/// Writes the tree into an empty folder, which must exist.
pub fn write_into(tree: &Tree, folder: &Path) -> Result<(), ExportError> {
    let whole = |source| ExportError::Io { what: folder.display().to_string(), source };
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(whole)?;
    if dir.entries().map_err(whole)?.next().is_some() {
        let (path, why) = (folder.display().to_string(), "is not an empty folder".into());
        return Err(ExportError::Refused { path, why });
    }
    let mut made = HashSet::new();
    for (path, file) in tree.iter() {
        check(path, file)?;
        let failed = |source| ExportError::Io { what: format!("{:?}", path.as_str()), source };
        if let Some((above, _)) = path.as_str().rsplit_once('/')
            && made.insert(above)
        {
            dir.create_dir_all(above).map_err(failed)?;
        }
        create(&dir, path.as_str(), file, default_bits(file.mode)).map_err(failed)?;
    }
    Ok(())
}

/// A tree can be made by hand: what `import` refuses is not written either.
fn check(path: &TreePath, file: &File) -> Result<(), ExportError> {
    match file.mode {
        Mode::Link => match link::target(path, file.blob.bytes()) {
            Ok(_) => Ok(()),
            Err(why) => Err(ExportError::Refused { path: path.to_string(), why }),
        },
        Mode::Regular | Mode::Executable => Ok(()),
    }
}

fn default_bits(mode: Mode) -> u32 {
    if mode == Mode::Executable { 0o755 } else { 0o644 }
}

/// Makes a file or link where there is none.
fn create(dir: &Dir, path: &str, file: &File, bits: u32) -> std::io::Result<()> {
    if file.mode == Mode::Link {
        return dir.symlink_contents(std::str::from_utf8(file.blob.bytes()).map_err(not_text)?, path);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(bits);
    dir.open_with(path, &options)?.write_all(file.blob.bytes())
}
