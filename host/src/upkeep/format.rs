//! What a backup file is: a .tar.gz that begins with [`ABOUT`] and ends with [`MANIFEST`].

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::Stored;
use crate::task::{Digest, Millis};

pub(super) const KIND: &str = "aiagent-host backup";
pub(super) const FORMAT: u32 = 1;

pub(super) const ABOUT: &str = "about.json";
pub(super) const MANIFEST: &str = "manifest.json";

pub(super) const STORE: &str = "state/tasks.db";
/// In place of the SQLite file: lines of JSON.
pub(super) const REDIS: &str = "state/redis.jsonl";
pub(super) const STATE: &str = "state/";
pub(super) const CONFIG: &str = "configuration/aiagent.toml";
pub(super) const ENV: &str = "configuration/env";
pub(super) const KEYS: &str = "configuration/keys/";
pub(super) const PLUGINS: &str = "plugins/";

/// The first entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    pub kind: String,
    pub format: u32,
    /// The program that made it.
    pub version: String,
    pub made_at: Millis,
    /// Whether the store is a Redis.
    #[serde(default)]
    pub redis: bool,
    /// Of the store.
    pub schema: usize,
    /// What each table of the store holds, or each kind of what a Redis holds.
    pub store: BTreeMap<String, Stored>,
    /// Whether keys, passwords and the token are in it.
    pub keys: bool,
    pub config: Option<PathBuf>,
    /// The folder `plugins/N` was the N-th of these.
    pub plugins_dirs: Vec<PathBuf>,
    /// The file `configuration/keys/N` was the N-th of these.
    pub key_files: Vec<PathBuf>,
}

/// The last entry: every other one, so that nothing is missing, changed or added.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) files: BTreeMap<String, Listed>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) bytes: u64,
    pub(super) digest: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Tasks with their logs and results, and what became of each plugin
    State,
    /// `aiagent.toml`; keys, where they are in the backup
    Configuration,
    /// The files of the plugins folders
    Plugins,
}

impl Part {
    /// `None`: nothing that this version knows.
    pub(super) fn of(name: &str) -> Option<Self> {
        // Nothing in a backup leads out of the folder it is unpacked to.
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        match name {
            _ if !plain => None,
            CONFIG | ENV => Some(Self::Configuration),
            _ if name.starts_with(KEYS) => Some(Self::Configuration),
            _ if name.starts_with(STATE) => Some(Self::State),
            _ if name.starts_with(PLUGINS) => Some(Self::Plugins),
            _ => None,
        }
    }
}
