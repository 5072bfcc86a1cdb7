//! A tree from a `.tar`, `.tar.gz` or `.zip`.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::super::link;
use super::{ImportError, Imported, Intake, checked_link, escaped, tree_path};
use crate::workspace::{Limits, Mode, TreePath};

/// What a file may cost in an archive besides its bytes: headers, padding, long names.
const OVERHEAD_PER_FILE: u64 = 4 << 10;

/// Reads an archive that is in memory.
pub fn import_archive(bytes: &[u8], limits: Limits, strip: bool) -> Result<Imported, ImportError> {
    read_archive(Cursor::new(bytes), limits, strip)
}

/// Reads an archive piece by piece, whose kind is seen from its first bytes.
///
/// With `strip`, a single folder that holds everything is taken away, as in the archives that code
/// hosts make. Refused by name: absolute and climbing paths, backslashes, names that are not UTF-8,
/// entries that are there twice, links out of the tree, hard links, devices, pipes, encrypted
/// entries. Anything in a `.git` folder is left out with a note.
pub fn read_archive(
    mut from: impl Read + Seek,
    limits: Limits,
    strip: bool,
) -> Result<Imported, ImportError> {
    let io = |source| ImportError::Io { what: "the archive".into(), source };
    let mut first = Vec::new();
    from.by_ref().take(4).read_to_end(&mut first).map_err(io)?;
    let length = from.seek(SeekFrom::End(0)).map_err(io)?;
    from.rewind().map_err(io)?;
    let mut entries = Entries { intake: Intake::new(limits), files: BTreeMap::new(), bytes: 0, seen: 0 };
    // A file that unpacks to more than this is refused wherever in it the bytes are.
    let unpacked = limits.bytes.saturating_add(OVERHEAD_PER_FILE.saturating_mul(limits.files as u64 + 256));
    if first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06") {
        zip(from, &mut entries)?;
    } else if first.starts_with(b"\x1f\x8b") {
        tar(Bounded { inner: flate2::read::MultiGzDecoder::new(from), left: unpacked }, &mut entries)?;
    } else if length >= 512 {
        tar(from, &mut entries)?;
    } else {
        return Err(ImportError::Broken("this is no .tar.gz, .tar or .zip archive".into()));
    }
    entries.finish(strip)
}

/// The archive's files, before a common folder is taken away.
struct Entries {
    intake: Intake,
    files: BTreeMap<TreePath, (Vec<u8>, Mode)>,
    bytes: u64,
    seen: usize,
}

impl Entries {
    /// Counts an entry of any kind and gives its path, unless it is not to be kept.
    fn path(&mut self, name: &[u8]) -> Result<Option<TreePath>, ImportError> {
        let limits = self.intake.tree.limits();
        self.seen += 1;
        if self.seen > most_entries(limits) {
            return Err(too_many_entries(escaped(name), limits));
        }
        let mut short = name;
        while let Some(rest) = short.strip_prefix(b"./") {
            short = rest;
        }
        let short = short.strip_suffix(b"/").unwrap_or(short);
        if short.is_empty() || short == b"." {
            return Ok(None);
        }
        let path = tree_path(short)?;
        if link::in_git_folder(path.as_str()) {
            if path.as_str().rsplit('/').next().is_some_and(link::is_git_folder) {
                self.intake.note(format!("left out {path}"));
            }
            return Ok(None);
        }
        Ok(Some(path))
    }

    fn add(&mut self, path: TreePath, from: impl Read, mode: Mode) -> Result<(), ImportError> {
        let limits = self.intake.tree.limits();
        let entry = || format!("{:?}", path.as_str());
        let room = limits.bytes - self.bytes;
        let mut bytes = Vec::new();
        match from.take(room + 1).read_to_end(&mut bytes) {
            Err(error) => {
                return Err(ImportError::Broken(format!("the archive is damaged at {path}: {error}")));
            }
            Ok(_) if bytes.len() as u64 > room => {
                let why = format!("all files together hold more than {} bytes", limits.bytes);
                return Err(ImportError::TooLarge { entry: entry(), why });
            }
            Ok(_) => {}
        }
        if self.files.len() >= limits.files {
            let why = format!("more than {} files", limits.files);
            return Err(ImportError::TooLarge { entry: entry(), why });
        }
        if self.files.contains_key(&path) {
            return Err(ImportError::Refused { entry: entry(), why: "is there twice".into() });
        }
        self.bytes += bytes.len() as u64;
        self.files.insert(path, (bytes, mode));
        Ok(())
    }

    fn finish(mut self, strip: bool) -> Result<Imported, ImportError> {
        let top = |path: &TreePath| path.as_str().split_once('/').map(|(top, _)| top.to_owned());
        let first = self.files.keys().next().and_then(top);
        let common = first
            .filter(|_| strip)
            .filter(|first| self.files.keys().all(|path| top(path).as_ref() == Some(first)));
        for (path, (bytes, mode)) in self.files {
            let path = match &common {
                Some(common) => tree_path(&path.as_str().as_bytes()[common.len() + 1..])?,
                None => path,
            };
            if mode == Mode::Link {
                checked_link(&path, &bytes)?;
            }
            self.intake.add(path, bytes, mode)?;
        }
        Ok(self.intake.finish())
    }
}

/// Folders count too, and an archive may list each.
fn most_entries(limits: Limits) -> usize {
    limits.files.saturating_mul(2).saturating_add(1_000)
}

fn too_many_entries(entry: String, limits: Limits) -> ImportError {
    ImportError::TooLarge { entry, why: format!("too many entries; the limit is {} files", limits.files) }
}

fn tar(from: impl Read, entries: &mut Entries) -> Result<(), ImportError> {
    let broken = |error: std::io::Error| match error.get_ref() {
        Some(inner) if inner.is::<UnpacksToTooMuch>() => {
            ImportError::TooLarge { entry: "the archive".into(), why: inner.to_string() }
        }
        _ => ImportError::Broken(format!("the archive is damaged: {error}")),
    };
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = entry.path_bytes().into_owned();
        let kind = entry.header().entry_type();
        if matches!(kind, tar::EntryType::XGlobalHeader) {
            continue;
        }
        let Some(path) = entries.path(&name)? else { continue };
        match kind {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                let executable = entry.header().mode().map_err(broken)? & 0o100 != 0;
                let mode = if executable { Mode::Executable } else { Mode::Regular };
                entries.add(path, entry, mode)?;
            }
            tar::EntryType::Directory => {}
            tar::EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                entries.add(path, target.as_slice(), Mode::Link)?;
            }
            other => {
                let why = match other {
                    tar::EntryType::Link => "is a hard link",
                    tar::EntryType::Char | tar::EntryType::Block => "is a device",
                    tar::EntryType::Fifo => "is a pipe",
                    _ => "is of an unknown kind",
                };
                return Err(ImportError::Refused { entry: escaped(&name), why: why.into() });
            }
        }
    }
    Ok(())
}

fn zip(mut from: impl Read + Seek, entries: &mut Entries) -> Result<(), ImportError> {
    const KIND: u32 = 0o170_000;
    let broken = |error| ImportError::Broken(format!("the archive is damaged: {error}"));
    let io = |source| ImportError::Io { what: "the archive".into(), source };
    let limits = entries.intake.tree.limits();
    // The whole directory is read into memory at once, where an entry is ten times as large.
    if listed(&mut from).map_err(io)? > most_entries(limits) {
        return Err(too_many_entries("the archive".into(), limits));
    }
    from.rewind().map_err(io)?;
    let mut archive = zip::ZipArchive::new(from).map_err(broken)?;
    if archive.has_duplicate_names() {
        return Err(ImportError::Broken("the archive holds an entry twice".into()));
    }
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(broken)?;
        let (name, mode, folder) = (raw.name_raw().to_vec(), raw.unix_mode().unwrap_or(0), raw.is_dir());
        let refuse = |why: &str| ImportError::Refused { entry: escaped(&name), why: why.to_owned() };
        let encrypted = raw.encrypted();
        drop(raw);
        let Some(path) = entries.path(&name)? else { continue };
        if folder {
            continue;
        }
        if encrypted {
            return Err(refuse("is encrypted"));
        }
        let mode = match mode & KIND {
            0 | 0o100_000 if mode & 0o100 == 0 => Mode::Regular,
            0 | 0o100_000 => Mode::Executable,
            0o120_000 => Mode::Link,
            0o040_000 => continue,
            0o010_000 => return Err(refuse("is a pipe")),
            0o020_000 | 0o060_000 => return Err(refuse("is a device")),
            _ => return Err(refuse("is of an unknown kind")),
        };
        entries.add(path, archive.by_index(index).map_err(broken)?, mode)?;
    }
    Ok(())
}

/// How often it has what an entry of a zip's directory begins with.
fn listed(from: &mut impl Read) -> io::Result<usize> {
    const LISTED: &[u8] = b"PK\x01\x02";
    let mut buffer = vec![0; 64 << 10];
    let (mut count, mut kept) = (0, 0);
    loop {
        let end = kept + from.read(&mut buffer[kept..])?;
        if end == kept {
            return Ok(count);
        }
        count += buffer[..end].windows(LISTED.len()).filter(|window| *window == LISTED).count();
        // What may be the beginning of one.
        let rest = end - end.min(LISTED.len() - 1)..end;
        kept = rest.len();
        buffer.copy_within(rest, 0);
    }
}

/// Ends with an error, not as if the data ended, where there is more than allowed.
struct Bounded<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("it unpacks to more than the limits on bytes and files allow")]
struct UnpacksToTooMuch;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left =
            self.left.checked_sub(read as u64).ok_or_else(|| std::io::Error::other(UnpacksToTooMuch))?;
        Ok(read)
    }
}
