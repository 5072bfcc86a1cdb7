//! The tokens file: whom this host knows by a token, and what each may do.
//!
//! Of a token the file has the SHA-256 only. A token is 256 random bits, so that nothing is gained by
//! trying to find it from that.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use super::{LOCAL, NOBODY, Role, SHARED};
use crate::task::{Digest, Millis, now};

/// What each token begins with, so that a scanner for secrets knows one.
const PREFIX: &str = "aiagent_";

const LONGEST_NAME: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub name: String,
    pub role: Role,
    /// Of the token's text.
    pub digest: Digest,
    pub created_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

impl Token {
    pub fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= now())
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    tokens: Vec<Token>,
}

#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    #[error("the tokens file {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "the tokens file {} can't be read: {error}; mend it, or remove it and make its tokens anew",
        path.display()
    )]
    Garbled { path: PathBuf, error: serde_json::Error },
    #[error(
        "{0:?} is no name: use 1 to {LONGEST_NAME} letters, digits and any of . _ @ -, but not local, token or nobody"
    )]
    Name(String),
    #[error("there is a token {0:?} already: revoke it first, or choose another name")]
    Taken(String),
    #[error("there is no token {name:?}; there are: {there}")]
    Unknown { name: String, there: String },
}

/// Makes a token and returns its text, which is nowhere kept.
pub fn create(
    file: &Path,
    name: &str,
    role: Role,
    expires_at: Option<Millis>,
) -> Result<String, TokensError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
    let length = 1..=LONGEST_NAME;
    if !length.contains(&name.len()) || !name.chars().all(fits) || [LOCAL, SHARED, NOBODY].contains(&name) {
        return Err(TokensError::Name(name.to_owned()));
    }
    let text = format!("{PREFIX}{}", BASE64.encode(random()));
    change(file, |tokens| {
        if tokens.iter().any(|token| token.name == name) {
            return Err(TokensError::Taken(name.to_owned()));
        }
        let digest = Digest::of(text.as_bytes());
        tokens.push(Token { name: name.to_owned(), role, digest, created_at: now(), expires_at });
        Ok(())
    })?;
    Ok(text)
}

/// From now on nobody gets in with it, nor with a session that was begun with it.
pub fn revoke(file: &Path, name: &str) -> Result<Token, TokensError> {
    change(file, |tokens| match tokens.iter().position(|token| token.name == name) {
        Some(at) => Ok(tokens.remove(at)),
        None => {
            let names: Vec<&str> = tokens.iter().map(|token| token.name.as_str()).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Err(TokensError::Unknown { name: name.to_owned(), there })
        }
    })
}

/// Oldest first. No file: none.
pub fn list(file: &Path) -> Result<Vec<Token>, TokensError> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice::<Content>(&bytes)
            .map(|content| content.tokens)
            .map_err(|error| TokensError::Garbled { path: file.to_owned(), error }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(TokensError::Io { path: file.to_owned(), error }),
    }
}

/// All or nothing, one at a time, also when the process dies in the middle.
fn change<T>(
    file: &Path,
    change: impl FnOnce(&mut Vec<Token>) -> Result<T, TokensError>,
) -> Result<T, TokensError> {
    let at = |error| TokensError::Io { path: file.to_owned(), error };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder).map_err(at)?;
    let lock = file.with_added_extension("lock");
    let lock =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock).map_err(at)?;
    lock.lock().map_err(at)?;
    let mut tokens = list(file)?;
    let changed = change(&mut tokens)?;
    let write = || -> io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(&serde_json::to_vec_pretty(&Content { tokens })?)?;
        hand_over(new.as_file(), folder)?;
        hand_over(&lock, folder)?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(at)?;
    Ok(changed)
}

/// Before the first start the state folder is not there yet. What is made belongs to whom the folder above it does.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    // Above `state` is the empty path: the folder one is in.
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| hand_over(&File::open(folder)?, above)),
    }
}

/// What root makes for a service is its user's, whom the folder belongs to.
pub(super) fn hand_over(made: &File, folder: &Path) -> io::Result<()> {
    let (owner, ours) = (std::fs::metadata(folder)?, made.metadata()?);
    if rustix::process::geteuid().is_root() && (owner.uid(), owner.gid()) != (ours.uid(), ours.gid()) {
        std::os::unix::fs::fchown(made, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the system gives random bytes at any time");
    bytes
}

/// The file as a running host sees it.
pub(super) struct Tokens {
    file: Option<PathBuf>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// As it was when it was read.
    stamp: Option<Stamp>,
    tokens: Vec<Token>,
    /// There was a file once: a host that has asked for tokens does so until it is started again.
    used: bool,
}

/// Changes with every rename over the file, and with nearly every edit of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Tokens {
    pub(super) fn open(file: Option<PathBuf>) -> Result<Self, TokensError> {
        let mut seen = Seen::default();
        if let Some(file) = &file {
            seen.stamp = stamp(file).map_err(|error| TokensError::Io { path: file.clone(), error })?;
            seen.tokens = list(file)?;
            seen.used = seen.stamp.is_some();
        }
        Ok(Self { file, seen: Mutex::new(seen) })
    }

    /// Whether there is a file, be it without a single token.
    pub(super) fn are_used(&self) -> bool {
        self.seen().used
    }

    pub(super) fn find(&self, text: &[u8]) -> Option<Token> {
        // Whoever does not know a token learns nothing from how long its digest takes to be compared.
        let digest = Digest::of(text);
        let seen = self.seen();
        seen.tokens.iter().find(|token| token.digest == digest && !token.has_expired()).cloned()
    }

    pub(super) fn named(&self, name: &str) -> Option<Token> {
        let seen = self.seen();
        seen.tokens.iter().find(|token| token.name == name && !token.has_expired()).cloned()
    }

    /// Looks at the file first. What can't be read changes nothing.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &self.file else { return seen };
        let now = match stamp(file) {
            Ok(now) if now == seen.stamp => return seen,
            Ok(now) => now,
            Err(error) => {
                tracing::error!(file = %file.display(), %error, "the tokens file can't be looked at");
                return seen;
            }
        };
        seen.stamp = now;
        seen.used |= now.is_some();
        match list(file) {
            Ok(tokens) => {
                tracing::info!(file = %file.display(), tokens = tokens.len(), "the tokens file has changed");
                seen.tokens = tokens;
            }
            Err(error) => tracing::error!("{error}; the tokens that were in it before still count"),
        }
        seen
    }
}

fn stamp(file: &Path) -> io::Result<Option<Stamp>> {
    match std::fs::metadata(file) {
        Ok(meta) => Ok(Some(Stamp {
            inode: meta.ino(),
            length: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
