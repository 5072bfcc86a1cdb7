//! Who did what: a line for each deed in a folder of the state folder, and in the log.
//!
//! Lines are only ever added. A file that is full is followed by the next one; of very many the oldest goes.

mod file;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{NOBODY, Role, Who};
use crate::task::{Millis, now};

/// In the state folder.
pub(crate) const FOLDER: &str = "audit";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = AuditWhat)]
pub enum What {
    Submitted,
    Cancelled,
    RanAgain,
    Requeued,
    Deleted,
    Paused,
    Resumed,
    Uploaded,
    Allowed,
    Removed,
    LoggedIn,
    LogInRefused,
    LoggedOut,
    TokenCreated,
    TokenRevoked,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuditDeed)]
pub struct Deed {
    /// By the host's clock.
    pub at: Millis,
    /// The token's name; `token` for the shared one, `local` where none is asked for, `nobody` where
    /// none was right. Of a command: the user who gave it.
    pub who: String,
    pub role: Option<Role>,
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    pub what: What,
    /// The task, queue, plugin or token it was done to.
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A deed, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// Of this host; also a cursor.
    pub id: String,
    #[serde(flatten)]
    pub deed: Deed,
}

#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = AuditPage)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// `cursor` of the next page. Absent on the last one.
    pub next: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("the audit log {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{0:?} is no entry of the audit log; leave the cursor out to begin with the newest")]
    Cursor(String),
}

impl Deed {
    pub fn new(who: Option<&Who>, address: Option<IpAddr>, what: What, subject: impl Into<String>) -> Self {
        Self {
            at: now(),
            who: who.map_or_else(|| NOBODY.to_owned(), |who| who.name.clone()),
            role: who.map(|who| who.role),
            address,
            what,
            subject: subject.into(),
            detail: None,
        }
    }

    fn log(&self) {
        let word = serde_json::to_value(self.what).ok().and_then(|word| word.as_str().map(str::to_owned));
        let role = self.role.map(tracing::field::display);
        let address = self.address.map(tracing::field::display);
        tracing::info!(
            audit.what = word,
            audit.who = self.who,
            audit.role = role,
            audit.address = address,
            audit.subject = self.subject,
            audit.detail = self.detail,
            "audit"
        );
    }
}

/// A handle to the one thread that writes.
pub struct Audit {
    writer: Option<Writer>,
}

struct Writer {
    dir: PathBuf,
    deeds: mpsc::Sender<(Deed, oneshot::Sender<()>)>,
}

impl Audit {
    /// `None`: deeds are logged, and not kept.
    pub fn open(dir: Option<PathBuf>) -> Result<Self, AuditError> {
        let Some(dir) = dir else { return Ok(Self { writer: None }) };
        let (deeds, waiting) = mpsc::channel();
        let writes = dir.clone();
        let spawned =
            std::thread::Builder::new().name("audit".to_owned()).spawn(move || write(&writes, &waiting));
        spawned.map_err(|error| AuditError::Io { path: dir.clone(), error })?;
        Ok(Self { writer: Some(Writer { dir, deeds }) })
    }

    /// Returns once the line is in the file: it outlives the process, and nearly always the machine. One
    /// that can't be written is in the log; the deed is done and stays so.
    pub async fn record(&self, deed: Deed) {
        deed.log();
        let Some(writer) = &self.writer else { return };
        let (told, written) = oneshot::channel();
        if writer.deeds.send((deed, told)).is_err() || written.await.is_err() {
            tracing::error!("the audit log is no longer written");
        }
    }

    /// Reads up to `limit` entries before the one with the id `cursor`. Blocks.
    pub fn page(&self, cursor: Option<&str>, limit: usize) -> Result<Page, AuditError> {
        match &self.writer {
            Some(writer) => file::page(&writer.dir, cursor, limit),
            None => Ok(Page::default()),
        }
    }

    pub fn dir(&self) -> Option<&Path> {
        self.writer.as_ref().map(|writer| writer.dir.as_path())
    }
}

/// Whatever has come meanwhile is written together.
fn write(dir: &Path, waiting: &mpsc::Receiver<(Deed, oneshot::Sender<()>)>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let lines: String = batch.iter().map(|(deed, _)| line(deed)).collect();
        let written = file::add(dir, &lines);
        for (_, told) in batch {
            // Whoever has asked may have gone.
            let _ = told.send(());
        }
        let kept = written.and_then(|file| file.sync_data());
        if let Err(error) = kept {
            tracing::error!(%error, folder = %dir.display(), "the audit log can't be written");
        }
    }
}

/// For a command, which has no thread to leave it to.
pub fn append(state_dir: &Path, deed: &Deed) -> Result<(), AuditError> {
    let dir = state_dir.join(FOLDER);
    let kept = file::add(&dir, &line(deed)).and_then(|file| file.sync_data());
    kept.map_err(|error| AuditError::Io { path: dir, error })
}

fn line(deed: &Deed) -> String {
    serde_json::to_string(deed).expect("numbers and strings serialise") + "\n"
}

#[cfg(test)]
mod tests;
