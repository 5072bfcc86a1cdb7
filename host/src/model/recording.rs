//! Recordings: requests and raw answers as lines of JSON, so that adapters run on real bytes later.
//!
//! Invariant: no key is in them. Keys are headers, headers of requests are not kept, and answers
//! arrive here with the key already struck out.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::task::Digest;

use super::{HttpRequest, ModelError, Request};

/// One attempt that got a response, as one line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// Of method, path and body.
    pub(super) digest: Digest,
    /// Of what the step asked, see [`asked`].
    pub(super) asked: Digest,
    pub(super) model: String,
    pub(super) adapter: String,
    pub(super) path: String,
    pub(super) body: Bytes,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) chunks: Vec<Chunk>,
    /// Why the body ended early; `None` where it came whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut: Option<ModelError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    /// Milliseconds since the request was sent.
    pub(super) ms: u64,
    #[serde(flatten)]
    pub(super) bytes: Bytes,
}

/// Text where it is UTF-8, else hex: a chunk may end inside a character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Bytes {
    Text(String),
    Hex(#[serde(with = "hexed")] Vec<u8>),
}

mod hexed {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Hex(error.into_bytes()), Self::Text)
    }
}

impl Bytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Hex(bytes) => bytes,
        }
    }
}

/// What a request is found again by.
pub(super) fn digest(request: &HttpRequest) -> Digest {
    let mut bytes = format!("POST {}\n", request.path).into_bytes();
    bytes.extend_from_slice(&request.body);
    Digest::of(&bytes)
}

/// What a request is found again by where `digest` differs: the model's configured name and the
/// request without its seed. A later run draws other seeds, and the recorded vendor's model, window
/// and settings need not be configured for a replay.
pub(super) fn asked(model: &str, request: &Request) -> Digest {
    let request = Request { seed: None, ..request.clone() };
    Digest::of(&serde_json::to_vec(&(model, request)).expect("strings and numbers are JSON"))
}

/// Where answers come from that no model gives.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Recordings; a folder stands for its `*.jsonl`, by name.
    pub paths: Vec<PathBuf>,
    /// How slowly: 0 answers at once, 1 takes the time the model took; at most 10.
    pub pace: f64,
    /// Whether answers that were all given start over; otherwise a further request is an error.
    pub cycle: bool,
}

/// Ten times as slow as the model is slow enough for any demonstration.
const LONGEST_PACE: f64 = 10.0;

/// Why a recording can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("the recording {}: {error}", path.display())]
    Io { path: PathBuf, error: std::io::Error },
    #[error("the recording {}, line {line}: {error}", path.display())]
    Line { path: PathBuf, line: usize, error: serde_json::Error },
    #[error("a replay's pace is from 0 to {LONGEST_PACE}, not {0}")]
    Pace(f64),
    #[error("the folder {} holds no recording (*.jsonl)", .0.display())]
    Empty(PathBuf),
}

/// Appends to a file; each exchange is on the disk once `append` has returned.
pub(super) struct Recorder {
    file: Arc<tokio::sync::Mutex<File>>,
    path: PathBuf,
}

impl Recorder {
    pub(super) fn open(path: &Path) -> Result<Self, RecordingError> {
        let failed = |error| RecordingError::Io { path: path.to_owned(), error };
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(path).map_err(failed)?;
        // A crash may have left half a line: what follows must not join it.
        if file.seek(SeekFrom::End(0)).map_err(failed)? > 0 {
            file.seek(SeekFrom::End(-1)).map_err(failed)?;
            let mut last = [0];
            file.read_exact(&mut last).map_err(failed)?;
            if last != *b"\n" {
                file.write_all(b"\n").map_err(failed)?;
            }
        }
        Ok(Self { file: Arc::new(tokio::sync::Mutex::new(file)), path: path.to_owned() })
    }

    pub(super) async fn append(&self, exchange: &Exchange) -> Result<(), ModelError> {
        let mut line = serde_json::to_vec(exchange).expect("strings and numbers are JSON");
        line.push(b'\n');
        // Waited for here, so that many answers at once don't each block a thread.
        let mut file = Arc::clone(&self.file).lock_owned().await;
        let writing = tokio::task::spawn_blocking(move || {
            file.write_all(&line)?;
            file.sync_data()
        });
        let failed = |error: &dyn std::error::Error| {
            ModelError::Other(format!("the answer can't be recorded in {}: {error}", self.path.display()))
        };
        writing.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}

/// The answers that are left, by request.
pub(super) struct Player {
    /// By `asked`, in recorded order.
    tapes: Mutex<HashMap<Digest, Vec<Slot>>>,
    pub(super) pace: f64,
    cycle: bool,
}

struct Slot {
    exchange: Arc<Exchange>,
    played: bool,
}

impl Player {
    pub(super) fn open(replay: &Replay) -> Result<Self, RecordingError> {
        if !(0.0..=LONGEST_PACE).contains(&replay.pace) {
            return Err(RecordingError::Pace(replay.pace));
        }
        let mut tapes: HashMap<Digest, Vec<Slot>> = HashMap::new();
        for path in files(&replay.paths)? {
            for exchange in read(&path)? {
                let slot = Slot { exchange: Arc::new(exchange), played: false };
                tapes.entry(slot.exchange.asked.clone()).or_default().push(slot);
            }
        }
        Ok(Self { tapes: Mutex::new(tapes), pace: replay.pace, cycle: replay.cycle })
    }

    /// The next answer: to the very same bytes if one is left, else to what asked the same.
    pub(super) fn play(&self, exact: &Digest, asked: &Digest) -> Result<Arc<Exchange>, ModelError> {
        let mut tapes = self.tapes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slots) = tapes.get_mut(asked) else {
            return Err(ModelError::Unreachable(
                "no recording answers this request; with a model configured, run it with --record FILE to make one"
                    .to_owned(),
            ));
        };
        if self.cycle && slots.iter().all(|slot| slot.played) {
            slots.iter_mut().for_each(|slot| slot.played = false);
        }
        let count = slots.len();
        let left = || slots.iter().enumerate().filter(|(_, slot)| !slot.played);
        let next = left().find(|(_, slot)| slot.exchange.digest == *exact).or_else(|| left().next());
        let Some((index, _)) = next else {
            return Err(ModelError::Unreachable(format!(
                "the recording holds {count} answers to this request, and all were given; \
                 run it against a model with --record FILE to record more"
            )));
        };
        slots[index].played = true;
        Ok(Arc::clone(&slots[index].exchange))
    }
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, RecordingError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |error| RecordingError::Io { path: path.clone(), error };
        let mut inside = BTreeMap::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().extension().is_some_and(|extension| extension == "jsonl") {
                inside.insert(entry.file_name(), entry.path());
            }
        }
        if inside.is_empty() {
            return Err(RecordingError::Empty(path.clone()));
        }
        files.extend(inside.into_values());
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<Exchange>, RecordingError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| RecordingError::Io { path: path.to_owned(), error })?;
    let mut exchanges = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line.trim_end()) {
            Ok(exchange) => exchanges.push(exchange),
            // Only a crash while recording leaves a line without its end.
            Err(error) if error.is_eof() => tracing::warn!(
                recording.path = %path.display(),
                recording.line = index + 1,
                "an unfinished line of a recording is left out"
            ),
            Err(error) => return Err(RecordingError::Line { path: path.to_owned(), line: index + 1, error }),
        }
    }
    Ok(exchanges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(body: &str, answer: &[u8]) -> Exchange {
        let request = HttpRequest { path: "/p".into(), headers: Vec::new(), body: body.into() };
        let question = body.split('#').next().unwrap_or(body);
        Exchange {
            digest: digest(&request),
            asked: Digest::of(question.as_bytes()),
            model: "m".into(),
            adapter: "a".into(),
            path: request.path,
            body: request.body.into(),
            status: 200,
            headers: vec![("content-type".into(), "text/plain".into())],
            chunks: vec![Chunk { ms: 3, bytes: answer.to_vec().into() }],
            cut: None,
        }
    }

    fn replay(path: &Path, cycle: bool) -> Replay {
        Replay { paths: vec![path.to_owned()], pace: 0.0, cycle }
    }

    #[tokio::test]
    async fn answers_come_back_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        let recorder = Recorder::open(&path).expect("opened");
        let recorded = [
            exchange("q#1", b"one"),
            exchange("q#2", &[0xc3]),
            exchange("other", b"x"),
            exchange("q#1", b"three"),
        ];
        for exchange in &recorded {
            recorder.append(exchange).await.expect("recorded");
        }
        // A crash in the middle of a line, then a restart.
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .expect("open")
            .write_all(b"{\"digest\":\"sh")
            .expect("cut");
        Recorder::open(&path).expect("opened").append(&recorded[2]).await.expect("recorded");

        let player = Player::open(&replay(folder.path(), false)).expect("read");
        let q = |seed: &str| exchange(&format!("q#{seed}"), b"");
        let play = |player: &Player, asked: &Exchange| player.play(&asked.digest, &asked.asked);
        assert_eq!(*play(&player, &q("2")).expect("an answer"), recorded[1]);
        assert_eq!(*play(&player, &q("9")).expect("an answer"), recorded[0]);
        assert_eq!(*play(&player, &q("9")).expect("an answer"), recorded[3]);
        let exhausted = play(&player, &q("9")).expect_err("exhausted").to_string();
        assert!(exhausted.contains("3 answers"), "{exhausted}");
        let unknown = play(&player, &exchange("never", b"")).expect_err("unknown").to_string();
        assert!(unknown.contains("--record FILE"), "{unknown}");
        for _ in 0..2 {
            assert_eq!(*play(&player, &recorded[2]).expect("an answer"), recorded[2]);
        }

        let cycling = Player::open(&replay(&path, true)).expect("read");
        for expected in [0, 1, 3, 0, 1] {
            assert_eq!(*play(&cycling, &q("9")).expect("an answer"), recorded[expected]);
        }
    }

    #[test]
    fn a_bad_recording_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = |path: &Path| Player::open(&replay(path, false)).err().expect("refused").to_string();
        let hurried = Replay { pace: f64::NAN, ..replay(folder.path(), false) };
        assert!(matches!(Player::open(&hurried), Err(RecordingError::Pace(_))));
        assert!(error(folder.path()).contains("holds no recording"));
        assert!(error(&folder.path().join("none.jsonl")).contains("none.jsonl"));
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, "\n{\"digest\": 3}\n").expect("written");
        assert!(error(&path).contains("line 2"));
    }
}
