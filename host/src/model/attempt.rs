//! One attempt: a request goes out, the answer's bytes go through the adapter as they arrive.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use crate::task::Digest;
use crate::telemetry::chain;

use super::door::DoorEvent;
use super::head;
use super::http::{Failed, Line, Sealed};
use super::key::{Key, Scrubber};
use super::recording::{Chunk, Exchange, Player, Recorder};
use super::{Completion, Decoder, ModelConfig, ModelError, Wire, WireEvent, WireSettings};

/// Where the answer comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Live(&'a Line),
    Replay(&'a Player),
}

pub(super) struct Attempt<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) sealed: &'a Sealed,
    /// See `recording::asked`.
    pub(super) asked: &'a Digest,
    pub(super) wire: &'a dyn Wire,
    pub(super) settings: &'a WireSettings,
    pub(super) key: &'a Key,
    pub(super) source: Source<'a>,
    pub(super) recorder: Option<&'a Recorder>,
}

/// A response whose head is there.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

enum Body {
    Live(reqwest::Response),
    Replay { exchange: Arc<Exchange>, next: usize, sent: Instant, pace: f64 },
}

/// A day: no recorded chunk came later.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

impl Body {
    /// The next bytes; `None` at the end. An error is why there is no more.
    async fn chunk(&mut self) -> Result<Option<Bytes>, ModelError> {
        match self {
            Self::Live(response) => response.chunk().await.map_err(|error| {
                ModelError::Malformed(format!("the answer broke off: {}", chain(&error.without_url())))
            }),
            Self::Replay { exchange, next, sent, pace } => {
                let Some(chunk) = exchange.chunks.get(*next) else {
                    return exchange.cut.clone().map_or(Ok(None), Err);
                };
                *next += 1;
                if *pace > 0.0 {
                    let due = Duration::from_millis(chunk.ms.min(LONGEST_MS)).mul_f64(*pace);
                    sleep(due.saturating_sub(sent.elapsed())).await;
                }
                Ok(Some(Bytes::copy_from_slice(chunk.bytes.as_slice())))
            }
        }
    }
}

/// Where decoded bytes go besides the decoder.
struct Listening<'a> {
    decoder: Box<dyn Decoder>,
    events: &'a mut (dyn FnMut(DoorEvent) + Send),
    /// The wire may spell the key in escapes, or spread it over several messages.
    text: Scrubber,
    thinking: Scrubber,
    sent: Instant,
    /// For the recording; `None` where there is none.
    chunks: Option<Vec<Chunk>>,
}

impl Listening<'_> {
    async fn feed(&mut self, bytes: Vec<u8>) -> Result<(), ModelError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let decoded = self.decoder.push(&bytes).await;
        if let Some(chunks) = &mut self.chunks {
            chunks.push(Chunk { ms: self.sent.elapsed().as_millis() as u64, bytes: bytes.into() });
        }
        for event in decoded? {
            match event {
                WireEvent::Text(text) => say(self.events, DoorEvent::Text, self.text.push(text.as_bytes())),
                WireEvent::Thinking(text) => {
                    say(self.events, DoorEvent::Thinking, self.thinking.push(text.as_bytes()));
                }
            }
        }
        Ok(())
    }

    /// Says what was held back, since it could have been the beginning of the key.
    fn flush(&mut self) {
        say(self.events, DoorEvent::Thinking, self.thinking.finish());
        say(self.events, DoorEvent::Text, self.text.finish());
    }
}

/// A key is ASCII, so that what surrounds it is UTF-8 still.
fn say(events: &mut (dyn FnMut(DoorEvent) + Send), kind: fn(String) -> DoorEvent, text: Vec<u8>) {
    if !text.is_empty() {
        events(kind(String::from_utf8_lossy(&text).into_owned()));
    }
}

/// How the body ended, unless it came whole.
enum Break {
    /// Early. The decoder may have the whole answer all the same.
    Cut(ModelError),
    /// By our own will.
    Stopped(ModelError),
}

impl Attempt<'_> {
    pub(super) async fn run(&self, events: &mut (dyn FnMut(DoorEvent) + Send)) -> Result<Completion, Failed> {
        let sent = Instant::now();
        // Where nothing arrives before the whole answer does, only the total counts; it ends first.
        let patience =
            if self.settings.stream { self.config.first_byte_timeout } else { self.config.total_timeout * 2 };
        let reply = timeout_at(sent + patience, self.send(sent)).await.map_err(|_| self.late(patience))??;
        let Reply { status, headers, mut body } = reply;
        let decoder = self.wire.open(status, headers.clone(), self.settings).await?;
        let chunks = self.recorder.map(|_| Vec::new());
        let (text, thinking) = (self.key.scrubber(), self.key.scrubber());
        let mut listening = Listening { decoder, events, text, thinking, sent, chunks };
        let heard = self.listen(&mut body, &mut listening, patience).await;
        let (result, cut) = match heard {
            Ok(()) => (listening.decoder.finish().await, None),
            Err(Break::Stopped(error)) => (Err(error.clone()), Some(error)),
            Err(Break::Cut(error)) => {
                // A sloppy end after the vendor's own closing mark, or of an error's body, loses nothing.
                let result = match listening.decoder.finish().await {
                    Err(ModelError::Malformed(_) | ModelError::Other(_)) => Err(error.clone()),
                    result => result,
                };
                (result, Some(error))
            }
        };
        listening.flush();
        if let (Some(recorder), Some(chunks)) = (self.recorder, listening.chunks) {
            let recorded = recorder.append(&self.exchange(status, headers, chunks, cut)).await;
            recorded.map_err(Failed::for_good)?;
        }
        let completion = result?;
        Ok(Completion {
            text: self.key.strike_text(&completion.text),
            model: self.key.strike_text(&completion.model),
            ..completion
        })
    }

    async fn send(&self, sent: Instant) -> Result<Reply, Failed> {
        let reply = match self.source {
            Source::Replay(player) => {
                let exchange = player.play(&self.sealed.digest, self.asked);
                let exchange = exchange.map_err(Failed::for_good)?;
                let (status, headers) = (exchange.status, exchange.headers.clone());
                Reply { status, headers, body: Body::Replay { exchange, next: 0, sent, pace: player.pace } }
            }
            Source::Live(line) => {
                let sealed = self.sealed;
                let body = sealed.request.body.clone();
                let response = line.send(&sealed.url, sealed.headers.clone(), body).await?;
                head::refuse_encoded(response.headers())?;
                let status = response.status().as_u16();
                Reply {
                    status,
                    headers: head::seen(response.headers(), self.key),
                    body: Body::Live(response),
                }
            }
        };
        if (300..400).contains(&reply.status) {
            let to =
                reply.headers.iter().find(|(name, _)| name == "location").map_or("nowhere", |(_, to)| to);
            return Err(Failed::for_good(ModelError::Unreachable(format!(
                "the server redirects ({}) to {:?}, and no redirect is followed; correct [models.{}] base_url",
                reply.status,
                head::clip(to),
                self.config.name
            ))));
        }
        Ok(reply)
    }

    /// Feeds the decoder until the body ends.
    async fn listen(
        &self,
        body: &mut Body,
        listening: &mut Listening<'_>,
        patience: Duration,
    ) -> Result<(), Break> {
        let idle = self.config.idle_timeout;
        let largest = self.config.max_response_bytes;
        let mut scrubber = self.key.scrubber();
        let mut limit = listening.sent + patience;
        let mut bytes: u64 = 0;
        let cut = loop {
            let chunk = match timeout_at(limit, body.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => break Some(error),
                Err(_) if bytes == 0 => break Some(self.late(patience)),
                Err(_) => {
                    break Some(ModelError::Timeout(format!(
                        "{bytes} bytes of an answer, then none for {} s ([models.{}] idle_timeout_s)",
                        idle.as_secs_f64(),
                        self.config.name
                    )));
                }
            };
            bytes += chunk.len() as u64;
            if bytes > largest {
                return Err(Break::Stopped(ModelError::Other(format!(
                    "the answer is longer than {largest} bytes ([models.{}] max_response_bytes)",
                    self.config.name
                ))));
            }
            limit = Instant::now() + idle;
            listening.feed(scrubber.push(&chunk)).await.map_err(Break::Stopped)?;
        };
        listening.feed(scrubber.finish()).await.map_err(Break::Stopped)?;
        cut.map_or(Ok(()), |error| Err(Break::Cut(error)))
    }

    fn late(&self, patience: Duration) -> ModelError {
        ModelError::Timeout(format!(
            "no first byte within {} s ([models.{}] first_byte_timeout_s)",
            patience.as_secs_f64(),
            self.config.name
        ))
    }

    fn exchange(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        chunks: Vec<Chunk>,
        cut: Option<ModelError>,
    ) -> Exchange {
        let sealed = self.sealed;
        // A tree may hold the key: a request is kept without it, though found again by all of it.
        let mut scrubber = self.key.scrubber();
        let mut body = scrubber.push(&sealed.request.body);
        body.extend(scrubber.finish());
        Exchange {
            digest: sealed.digest.clone(),
            asked: self.asked.clone(),
            model: self.config.name.clone(),
            adapter: self.config.adapter.clone(),
            path: self.key.strike_text(&sealed.request.path),
            body: body.into(),
            status,
            headers,
            chunks,
            cut: cut.map(|error| self.key.strike_error(error)),
        }
    }
}
