//! The tree itself: a sorted map from path to file. Cheap to clone; contents are shared.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::TreePath;
use crate::task::Digest;

/// What a file is, besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Regular,
    Executable,
    /// The bytes are the target: relative, and inside the tree.
    Link,
}

/// A file's bytes with their digest, which is computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    bytes: Bytes,
    digest: Digest,
}

impl Blob {
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(&bytes), bytes }
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub blob: Blob,
    pub mode: Mode,
}

impl File {
    /// The content, if it is UTF-8 without NUL and not a link.
    pub fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.blob.bytes()).ok()?;
        (self.mode != Mode::Link && !text.contains('\0')).then_some(text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All files together.
    pub bytes: u64,
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, files: 20_000 }
    }
}

/// The words of `workspace-error` in `wit/workspace.wit`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    #[error("invalid path: {0}")]
    InvalidPath(String),
    #[error("no file {0:?}")]
    NotFound(String),
    #[error("denied: {0}")]
    Denied(String),
    #[error("too large: {0}")]
    TooLarge(String),
    #[error("{0}")]
    Other(String),
}

/// A task's files at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<TreePath, File>,
    bytes: u64,
    limits: Limits,
}

/// A snapshot as it is stored: which file has which content. Its own digest names the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub files: BTreeMap<String, ManifestEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    pub blob: Digest,
    pub size: u64,
    pub mode: Mode,
}

impl Tree {
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// All files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &File)> {
        self.files.iter()
    }

    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Adds or replaces a file. Keeps the mode of a file that was there, unless one is given.
    pub fn put(&mut self, path: TreePath, blob: Blob, mode: Option<Mode>) -> Result<(), TreeError> {
        self.check_folders(&path)?;
        let old = self.files.get(&path);
        let bytes = self.bytes - old.map_or(0, size) + blob.bytes.len() as u64;
        if bytes > self.limits.bytes {
            return Err(TreeError::TooLarge(format!(
                "with {path} the tree would hold {bytes} bytes; the limit is {}",
                self.limits.bytes
            )));
        }
        if old.is_none() && self.files.len() >= self.limits.files {
            return Err(TreeError::TooLarge(format!(
                "the tree holds {} files, its limit; {path} would be one more",
                self.limits.files
            )));
        }
        let mode = mode.or(old.map(|file| file.mode)).unwrap_or(Mode::Regular);
        self.bytes = bytes;
        self.files.insert(path, File { blob, mode });
        Ok(())
    }

    pub fn remove(&mut self, path: &str) -> Result<File, TreeError> {
        let file = self.files.remove(path).ok_or_else(|| TreeError::NotFound(path.to_owned()))?;
        self.bytes -= size(&file);
        Ok(file)
    }

    /// The snapshot's record. Its serialised form is the same for equal trees.
    pub fn manifest(&self) -> Manifest {
        let entry =
            |file: &File| ManifestEntry { blob: file.blob.digest.clone(), size: size(file), mode: file.mode };
        Manifest { files: self.files.iter().map(|(path, file)| (path.to_string(), entry(file))).collect() }
    }

    /// The snapshot's name.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest().to_bytes())
    }

    /// A file can't stand where a folder is needed, nor the other way round.
    fn check_folders(&self, path: &TreePath) -> Result<(), TreeError> {
        let text = path.as_str();
        for (at, _) in text.match_indices('/') {
            let folder = &text[..at];
            if self.files.contains_key(folder) {
                return Err(TreeError::InvalidPath(format!("{text:?}: {folder:?} is a file, not a folder")));
            }
        }
        let inside = format!("{text}/");
        let below = self
            .files
            .range::<str, _>((std::ops::Bound::Excluded(inside.as_str()), std::ops::Bound::Unbounded));
        match below.map(|(path, _)| path).next() {
            Some(below) if below.as_str().starts_with(&inside) => {
                Err(TreeError::InvalidPath(format!("{text:?} is a folder: it holds {below}")))
            }
            _ => Ok(()),
        }
    }
}

impl Manifest {
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a map of strings serialises")
    }
}

fn size(file: &File) -> u64 {
    file.blob.bytes.len() as u64
}
