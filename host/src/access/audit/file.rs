//! The files of the audit log: `1.jsonl`, `2.jsonl`, … An entry's id is its file's number and the byte at
//! which it begins.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{AuditError, Deed, Entry, Page};
use crate::access::tokens::{hand_over, make_folder};

/// Read whole for a page of it.
pub(super) const FULL: u64 = 4 << 20;

/// Half a million deeds.
pub(super) const FILES: usize = 32;

/// Hidden, as it is of this machine only.
const LOCK: &str = ".lock";

/// Adds whole lines at the end. Several processes may do so at once.
pub(super) fn add(dir: &Path, lines: &str) -> io::Result<File> {
    make_folder(dir)?;
    let open =
        |name: &str| OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(dir.join(name));
    let lock = open(LOCK)?;
    hand_over(&lock, dir)?;
    lock.lock()?;
    let numbers = numbers(dir)?;
    let mut number = numbers.last().copied().unwrap_or(1);
    if path(dir, number).metadata().is_ok_and(|meta| meta.len() >= FULL) {
        number += 1;
        for old in numbers.iter().rev().skip(FILES - 1) {
            std::fs::remove_file(path(dir, *old))?;
        }
    }
    let mut file = open(&name(number))?;
    hand_over(&file, dir)?;
    // Of a line that was being written when the machine stopped, only that line is lost.
    let mut last = [b'\n'];
    let torn = file.seek(SeekFrom::End(-1)).is_ok() && file.read_exact(&mut last).is_ok() && last != [b'\n'];
    if torn {
        file.write_all(b"\n")?;
    }
    file.write_all(lines.as_bytes())?;
    Ok(file)
}

/// In order.
fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn name(number: u64) -> String {
    format!("{number}.jsonl")
}

fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(name(number))
}

pub(super) fn page(dir: &Path, cursor: Option<&str>, limit: usize) -> Result<Page, AuditError> {
    let at = |error| AuditError::Io { path: dir.to_owned(), error };
    let place = |id: &str| {
        let (file, byte) = id.split_once('.')?;
        Some((file.parse::<u64>().ok()?, byte.parse::<u64>().ok()?))
    };
    let (newest, end) = match cursor {
        Some(id) => place(id).ok_or_else(|| AuditError::Cursor(id.to_owned()))?,
        None => (u64::MAX, u64::MAX),
    };
    let mut entries: Vec<Entry> = Vec::new();
    // One more than asked for: then there is a next page.
    let wanted = limit + 1;
    let numbers = if dir.is_dir() { numbers(dir).map_err(at)? } else { Vec::new() };
    for number in numbers.into_iter().rev().filter(|number| *number <= newest) {
        let file = File::open(path(dir, number)).map_err(at)?;
        let mut text = Vec::new();
        file.take(if number == newest { end } else { u64::MAX }).read_to_end(&mut text).map_err(at)?;
        let mut begin = text.len();
        for line in text.split_inclusive(|byte| *byte == b'\n').rev() {
            begin -= line.len();
            // What is torn, or of a newer host, is passed over.
            if let Ok(deed) = serde_json::from_slice::<Deed>(line) {
                entries.push(Entry { id: format!("{number}.{begin}"), deed });
                if entries.len() == wanted {
                    break;
                }
            }
        }
        if entries.len() == wanted {
            break;
        }
    }
    let more = entries.len() == wanted;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Page { entries, next })
}
