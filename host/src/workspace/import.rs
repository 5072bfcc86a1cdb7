//! Trees from folders, archives and git repositories.
//!
//! Invariant: nothing outside the given folder, archive or repository is read, and what an archive
//! says about itself is never trusted: sizes are counted as bytes arrive.
//!
//! All of it blocks and is bounded by [`Limits`]. Empty folders are dropped, since a tree has none;
//! owners, times and modes other than the executable bit are, too.

mod archive;
mod child;
mod fetch;
mod folder;
mod git;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;

use super::{Blob, Limits, Mode, Tree, TreeError, TreePath, link};

pub use archive::{import_archive, read_archive};
pub use child::Deadline;
pub use fetch::{Fetching, fetch_git};
pub use folder::{import_folder, import_folder_but};
pub use git::{git_version, import_git};

#[derive(Debug)]
pub struct Imported {
    pub tree: Tree,
    /// What was left out, one line each, for the user.
    pub notes: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An entry that a tree can't hold.
    #[error("{entry} {why}")]
    Refused { entry: String, why: String },
    #[error("too large at {entry}: {why}")]
    TooLarge { entry: String, why: String },
    /// The archive or repository is damaged, or is no such thing.
    #[error("{0}")]
    Broken(String),
    #[error("can't read {what}: {source}")]
    Io { what: String, source: std::io::Error },
    /// This machine's own trouble, and no fault of what was to be read.
    #[error("can't {what}: {source}")]
    Host { what: String, source: std::io::Error },
    #[error(
        "{what} within {seconds} s: is its server or disk slow, or the repository large? The operator sets the \
         limit with api.timeout_s"
    )]
    Late { what: String, seconds: u64 },
    #[error("stopped before all of the repository was there")]
    Stopped,
    /// What git said.
    #[error("git: {0}")]
    Git(String),
}

/// Entries that are looked at, in multiples of the limit on files: folders cost time, too.
const ENTRIES_PER_FILE: usize = 10;

fn most_entries(limits: Limits) -> usize {
    limits.files.saturating_mul(ENTRIES_PER_FILE).saturating_add(1_000)
}

/// Notes of one kind beyond this many are only counted.
const MAX_NOTES: usize = 20;

/// A tree in the making.
struct Intake {
    tree: Tree,
    notes: Vec<String>,
    /// Notes that were not kept.
    unsaid: usize,
}

impl Intake {
    fn new(limits: Limits) -> Self {
        Self { tree: Tree::new(limits), notes: Vec::new(), unsaid: 0 }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note);
        } else {
            self.unsaid += 1;
        }
    }

    /// Adds a file that must not be there yet.
    fn add(&mut self, path: TreePath, bytes: Vec<u8>, mode: Mode) -> Result<(), ImportError> {
        let entry = format!("{path:?}", path = path.as_str());
        if self.tree.get(path.as_str()).is_some() {
            return Err(ImportError::Refused { entry, why: "is there twice".into() });
        }
        match self.tree.put(path, Blob::new(bytes), Some(mode)) {
            Ok(()) => Ok(()),
            Err(TreeError::TooLarge(why)) => Err(ImportError::TooLarge { entry, why }),
            Err(error) => Err(ImportError::Refused { entry, why: format!("has no place: {error}") }),
        }
    }

    /// Reads one file, and not more of it than the tree has room for.
    fn read(&self, path: &TreePath, from: impl Read) -> Result<Vec<u8>, ImportError> {
        let limit = self.tree.limits().bytes;
        let room = limit - self.tree.bytes();
        let mut bytes = Vec::new();
        match from.take(room + 1).read_to_end(&mut bytes) {
            Err(source) => Err(ImportError::Io { what: format!("{:?}", path.as_str()), source }),
            Ok(_) if bytes.len() as u64 > room => Err(ImportError::TooLarge {
                entry: format!("{:?}", path.as_str()),
                why: format!("all files together hold more than {limit} bytes"),
            }),
            Ok(_) => Ok(bytes),
        }
    }

    /// Both are kept: here they are two files.
    fn note_names_alike(&mut self) {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        let mut alike = Vec::new();
        for (path, _) in self.tree.iter() {
            match known.entry(path.as_str().to_lowercase()) {
                Entry::Vacant(place) => drop(place.insert(path.to_string())),
                Entry::Occupied(other) => alike.push(format!(
                    "{} and {path} differ in case only: where names ignore case, one of them is lost",
                    other.get()
                )),
            }
        }
        alike.into_iter().for_each(|note| self.note(note));
    }

    fn finish(mut self) -> Imported {
        self.note_names_alike();
        if self.unsaid > 0 {
            self.notes.push(format!("… and {} more notes like these", self.unsaid));
        }
        Imported { tree: self.tree, notes: self.notes }
    }
}

/// A path from bytes that came from outside.
fn tree_path(name: &[u8]) -> Result<TreePath, ImportError> {
    let refused = |why: String| ImportError::Refused { entry: escaped(name), why };
    let text = std::str::from_utf8(name).map_err(|_| refused("is not a UTF-8 name".into()))?;
    TreePath::parse(text).map_err(|error| refused(format!("can't be in a tree: {error}")))
}

fn escaped(name: &[u8]) -> String {
    const SHOWN: usize = 200;
    let more = if name.len() > SHOWN { "…" } else { "" };
    format!("\"{}\"{more}", name[..name.len().min(SHOWN)].escape_ascii())
}

fn checked_link(path: &TreePath, target: &[u8]) -> Result<(), ImportError> {
    match link::target(path, target) {
        Ok(_) => Ok(()),
        Err(why) => Err(ImportError::Refused { entry: format!("{:?}", path.as_str()), why }),
    }
}
