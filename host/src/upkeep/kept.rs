//! Where a host keeps its tasks, as a backup sees it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;

use super::format::{About, REDIS, STORE};
use super::{UpkeepError, at};
use crate::store::{Filter, Put, RedisStore, SqliteStore, Store as _, StoreError, Stored};

/// A Redis is asked from a blocking thread of a tokio runtime.
#[derive(Clone)]
pub enum Kept {
    /// The SQLite file.
    File(PathBuf),
    Redis {
        store: RedisStore,
        /// As a person calls it, without its password.
        shown: String,
    },
}

impl Kept {
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Redis { .. } => None,
        }
    }

    pub(super) fn is_redis(&self) -> bool {
        self.file().is_none()
    }

    /// What a copy of it is called in a backup.
    pub(super) fn entry(&self) -> &'static str {
        if self.is_redis() { REDIS } else { STORE }
    }

    pub(super) fn known_schema(&self) -> usize {
        if self.is_redis() { RedisStore::SCHEMA } else { SqliteStore::KNOWN_SCHEMA }
    }

    /// Copies it as it is at one moment; of a Redis each task is. Says its schema and what is in it.
    pub(super) fn copy(&self, to: &Path) -> Result<(usize, BTreeMap<String, Stored>), UpkeepError> {
        match self {
            Self::File(path) if !path.is_file() => Err(UpkeepError::NoStore(path.clone())),
            Self::File(path) => {
                SqliteStore::copy(path, to)?;
                Ok((SqliteStore::schema(to)?, SqliteStore::contents(to)?))
            }
            Self::Redis { store, .. } => {
                let mut out = BufWriter::new(File::create_new(to).map_err(at("write", to))?);
                let stored = Handle::current().block_on(store.snapshot(&mut out))?;
                out.flush().map_err(at("write", to))?;
                Ok((RedisStore::SCHEMA, stored))
            }
        }
    }

    /// Refuses a backup of the other kind of store, and a Redis that is in use or holds tasks.
    pub(super) fn check(&self, path: &Path, about: &About) -> Result<(), UpkeepError> {
        if about.redis != self.is_redis() {
            return Err(UpkeepError::OtherStore { path: path.to_owned(), redis: about.redis });
        }
        let Self::Redis { store, shown } = self else { return Ok(()) };
        if about.schema < RedisStore::SCHEMA {
            let (version, schema) = (about.version.clone(), about.schema);
            return Err(UpkeepError::Older { path: path.to_owned(), version, schema });
        }
        let asked = async {
            let tasks = store.list(&Filter { limit: 1, ..Filter::default() }).await?.tasks.len();
            Ok::<_, StoreError>((store.workers().await?, tasks))
        };
        let (workers, tasks) = Handle::current().block_on(asked)?;
        if let Some(worker) = workers.into_iter().next() {
            return Err(UpkeepError::AtWork { store: shown.clone(), worker: worker.name });
        }
        if tasks > 0 {
            return Err(UpkeepError::HoldsTasks(shown.clone()));
        }
        Ok(())
    }

    /// Puts a copy into an empty Redis, and notes what it puts there.
    pub(super) fn fill(&self, copy: &Path, put: &mut Put) -> Result<(), UpkeepError> {
        let Self::Redis { store, .. } = self else { return Ok(()) };
        let mut lines = BufReader::new(File::open(copy).map_err(at("read", copy))?);
        Ok(Handle::current().block_on(store.fill(&mut lines, put))?)
    }

    /// After a restore that failed: what a host has been given meanwhile stays.
    pub(super) fn take_back(&self, put: &Put) -> Result<(), UpkeepError> {
        let Self::Redis { store, .. } = self else { return Ok(()) };
        Ok(Handle::current().block_on(store.take_back(put))?)
    }

    pub(super) fn contents(&self) -> Result<BTreeMap<String, Stored>, UpkeepError> {
        match self {
            Self::File(path) => Ok(SqliteStore::contents(path)?),
            Self::Redis { store, .. } => Ok(Handle::current().block_on(store.snapshot(&mut io::sink()))?),
        }
    }
}
