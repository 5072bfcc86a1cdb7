//! A host's state as a whole: who uses it, all of it in one file, and back.
//!
//! Invariant: a restore changes nothing before it has read the whole backup and found it undamaged.

mod hold;
mod format;
mod kept;
mod secrets;
mod pack;
mod read;
mod place;

use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

pub use format::{About, Part};
pub use hold::Hold;
pub use kept::Kept;
pub use pack::{Packed, Source, pack};
pub use place::{Restored, Target, restore};
pub use read::check;

#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
    #[error("a host is running on {}; stop it first (`systemctl stop aiagent`), then try again", .0.display())]
    InUse(PathBuf),
    #[error("a restore is at work on {}; start again once it is done", .0.display())]
    Restoring(PathBuf),
    #[error("there is no store at {}: is this the host's --state-dir?", .0.display())]
    NoStore(PathBuf),
    #[error("{} lies in the state folder, and would be a part of the next backup: name another place", .0.display())]
    Inside(PathBuf),
    #[error("{} is no backup of aiagent-host: {why}", path.display())]
    Foreign { path: PathBuf, why: String },
    #[error("{} is damaged: {why}; nothing was restored", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error("{} was made by aiagent-host {version}, which is newer ({why}); install that version, then restore", path.display())]
    Newer { path: PathBuf, version: String, why: String },
    #[error("nothing was restored, because this is here already: {}; --replace moves it aside", list(.0))]
    Occupied(Vec<PathBuf>),
    #[error(
        "{} is of a host that keeps its tasks in {}, and this one keeps them in {}: restore it with \
         --store {}", path.display(), kept_in(*redis), kept_in(!*redis), if *redis { "redis://HOST:PORT" } else { "sqlite:PATH" }
    )]
    OtherStore { path: PathBuf, redis: bool },
    #[error(
        "{} holds tasks as a Redis of an earlier version kept them (schema {schema}): restore it with aiagent-host {version}",
        path.display()
    )]
    Older { path: PathBuf, version: String, schema: usize },
    #[error("worker {worker} is at work on {store}; stop all hosts of it first, then try again in a minute")]
    AtWork { store: String, worker: String },
    #[error(
        "nothing was restored, because {0} holds tasks already; name another redis.prefix or an empty database"
    )]
    HoldsTasks(String),
    #[error("the backup holds plugins of {}, and this host has no plugins folder: name one with --plugins", .0.display())]
    NoPluginsFolder(PathBuf),
    #[error(
        "the store that was restored is not the one that was backed up ({0}); what was there before is back"
    )]
    Differs(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn kept_in(redis: bool) -> &'static str {
    if redis { "a Redis" } else { "an SQLite file" }
}

/// What failed, and with which file.
fn at(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> UpkeepError {
    let what = format!("can't {verb} {}", path.display());
    move |error| UpkeepError::Io { what, error }
}

fn list(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = paths.iter().take(SHOWN).map(|path| path.display().to_string()).collect();
    if paths.len() > SHOWN {
        names.push(format!("{} more", paths.len() - SHOWN));
    }
    names.join(", ")
}
