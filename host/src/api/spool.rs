//! Bodies as they arrive: in memory while they are short, else in a file on the disk that has no name.
//!
//! Invariant: however many arrive at once, each takes at most [`HELD`] bytes of memory and a write's buffer, and
//! nothing of them is left when the host ends, whichever way.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use sha2::Digest as _;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::heavy::off_thread;
use super::{Api, Problem};
use crate::task::Digest;

/// Most submissions are shorter, and cost no file.
pub(super) const HELD: usize = 1 << 20;

/// What is handed to the disk at once.
const WRITTEN: usize = 256 << 10;

/// Longer bodies that are on the disk at once, so that they don't fill it: 3 GiB of the longest that are taken
/// by default.
static FILES: Semaphore = Semaphore::const_new(32);

/// A body, or one field of it, on its way in.
pub(super) struct Spool {
    folder: PathBuf,
    held: Vec<u8>,
    file: Option<(tokio::fs::File, SemaphorePermit<'static>)>,
    hasher: sha2::Sha256,
}

impl Spool {
    pub(super) fn new(api: &Api) -> Self {
        let folder = api.settings.state_dir.clone();
        Self { folder, held: Vec::new(), file: None, hasher: sha2::Sha256::new() }
    }

    pub(super) async fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        self.hasher.update(piece);
        if self.file.is_none() && self.held.len() + piece.len() <= HELD {
            self.held.extend_from_slice(piece);
            return Ok(());
        }
        let file = match &mut self.file {
            Some((file, _)) => file,
            none => {
                let turn = FILES.try_acquire().map_err(|_| {
                    let detail = "too many large uploads arrive at the same time: try again later";
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
                })?;
                let folder = self.folder.clone();
                let file = off_thread(move || tempfile::tempfile_in(folder).map_err(|error| broken(&error)));
                let mut file = tokio::fs::File::from_std(file.await?);
                file.set_max_buf_size(WRITTEN);
                file.write_all(&std::mem::take(&mut self.held)).await.map_err(|error| broken(&error))?;
                &mut none.insert((file, turn)).0
            }
        };
        file.write_all(piece).await.map_err(|error| broken(&error))
    }

    /// What came, and its digest.
    pub(super) async fn end(self) -> Result<(Spooled, Digest), Problem> {
        let digest = Digest::from(self.hasher);
        let Some((mut file, turn)) = self.file else { return Ok((Spooled::Held(self.held), digest)) };
        file.flush().await.map_err(|error| broken(&error))?;
        let mut file = file.into_std().await;
        file.rewind().map_err(|error| broken(&error))?;
        Ok((Spooled::Filed(file, turn), digest))
    }
}

/// One that is there whole.
pub(super) enum Spooled {
    Held(Vec<u8>),
    Filed(File, SemaphorePermit<'static>),
}

impl Spooled {
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    /// What there is to be known before all of it is in memory. Blocks.
    pub(super) fn peek<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        match self {
            Self::Held(bytes) => Ok(serde_json::from_slice(bytes)?),
            Self::Filed(file, _turn) => {
                let seen = serde_json::from_reader(BufReader::new(&*file));
                file.rewind()?;
                Ok(seen?)
            }
        }
    }

    /// All of it, in memory. Blocks.
    pub(super) fn whole(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Held(bytes) => Ok(bytes),
            Self::Filed(mut file, _turn) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// To be read piece by piece, by who may block.
    pub(super) fn pieces(self) -> Pieces {
        match self {
            Self::Held(bytes) => Pieces::Held(Cursor::new(bytes)),
            Self::Filed(file, turn) => Pieces::Filed(BufReader::new(file), turn),
        }
    }
}

pub(super) enum Pieces {
    Held(Cursor<Vec<u8>>),
    Filed(BufReader<File>, #[expect(dead_code, reason = "held until it is read")] SemaphorePermit<'static>),
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Held(bytes) => bytes.read(buffer),
            Self::Filed(file, _) => file.read(buffer),
        }
    }
}

impl Seek for Pieces {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Held(bytes) => bytes.seek(to),
            Self::Filed(file, _) => file.seek(to),
        }
    }
}

/// A whole body, unless it has more than `most` bytes: then nothing further of it is read.
pub(super) async fn body(request: Request, most: usize, api: &Api) -> Result<(Spooled, Digest), Problem> {
    let said =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if said.is_some_and(|bytes: u64| bytes > most as u64) {
        return Err(Problem::body(StatusCode::PAYLOAD_TOO_LARGE, ""));
    }
    let mut stream = request.into_body().into_data_stream();
    let (mut spool, mut bytes) = (Spool::new(api), 0);
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| Problem::body(StatusCode::BAD_REQUEST, &error.to_string()))?;
        bytes += piece.len();
        if bytes > most {
            return Err(Problem::body(StatusCode::PAYLOAD_TOO_LARGE, ""));
        }
        spool.push(&piece).await?;
    }
    spool.end().await
}

pub(super) fn broken(error: &io::Error) -> Problem {
    tracing::error!(%error, "an upload can't be kept in the state folder");
    if error.kind() == io::ErrorKind::StorageFull {
        let detail = "the upload can't be kept: the disk of this host is full";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    }
    let detail = "the upload can't be kept: the operator finds the reason in the log";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}
