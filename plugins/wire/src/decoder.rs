use std::marker::PhantomData;
use std::mem;

use crate::draft::Draft;
use crate::failure::Failure;
use crate::quote::{self, MAX_QUOTE};
use crate::sse;
use crate::types::{Completion, Event, Header, ModelError, Note, Settings};
use crate::vendor::Vendor;

/// A whole answer in one piece: text of the greatest length with its escapes.
const MAX_BODY: usize = 2 * crate::draft::MAX_TEXT;

/// An error's body: vendors' have less than 2 KiB, a validation error may echo the request.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Reads one response. What the body is, is seen from its first byte, not from what was asked or
/// from `content-type`: servers answer a streaming request with JSON and the other way round.
pub struct Decoder<V> {
    status: u16,
    headers: Vec<Header>,
    settings: Settings,
    body: Body,
    draft: Draft,
    /// The first bytes, for the error that quotes them.
    head: Vec<u8>,
    failed: Option<ModelError>,
    vendor: PhantomData<V>,
}

enum Body {
    /// Nothing but blanks so far.
    Blank,
    /// A JSON object or array, read when it is whole.
    Whole(Vec<u8>),
    /// The parser, and whether it has given an event.
    Stream(sse::Parser, bool),
    /// The body of a status that is not 200 to 299; only its first part is kept.
    Error(Vec<u8>),
}

impl<V: Vendor> Decoder<V> {
    /// `headers` are in lower case.
    pub fn new(status: u16, headers: Vec<Header>, settings: Settings) -> Self {
        let body = if (200..300).contains(&status) { Body::Blank } else { Body::Error(Vec::new()) };
        Self {
            status,
            headers,
            settings,
            body,
            draft: Draft::default(),
            head: Vec::new(),
            failed: None,
            vendor: PhantomData,
        }
    }

    /// Takes the next bytes, cut anywhere, and returns what they complete. After an error the
    /// rest is not looked at; `finish` returns the error.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        if self.failed.is_none() {
            // Room for a character that begins before the limit and ends behind it.
            let room = (MAX_QUOTE + 4).saturating_sub(self.head.len());
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if let Err(error) = self.read(bytes) {
                self.fail(error);
            }
        }
        self.draft.take_events()
    }

    /// The body has ended: the whole answer, or the typed error it amounts to.
    ///
    /// # Errors
    /// Every kind but those that are the host's to say.
    pub fn finish(&mut self) -> Result<Completion, ModelError> {
        if self.failed.is_none()
            && let Err(error) = self.read_end()
        {
            self.fail(error);
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.draft.complete(&self.settings),
        }
    }

    /// Lines for the log since the last call.
    pub fn take_notes(&mut self) -> Vec<Note> {
        self.draft.take_notes()
    }

    /// The first error counts, and what was buffered is of no more use.
    fn fail(&mut self, error: ModelError) {
        self.failed = Some(error);
        self.body = Body::Blank;
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        match &mut self.body {
            Body::Error(body) => {
                let room = MAX_ERROR_BODY.saturating_sub(body.len());
                body.extend_from_slice(&bytes[..bytes.len().min(room)]);
                Ok(())
            }
            Body::Blank => {
                let Some(start) = bytes.iter().position(|b| !b.is_ascii_whitespace()) else {
                    return Ok(());
                };
                self.body = match bytes[start] {
                    b'{' | b'[' => Body::Whole(Vec::new()),
                    _ => Body::Stream(sse::Parser::default(), false),
                };
                self.read(&bytes[start..])
            }
            Body::Whole(body) => {
                if body.len() + bytes.len() > MAX_BODY {
                    return Err(ModelError::Malformed(format!("the body is longer than {MAX_BODY} bytes")));
                }
                body.extend_from_slice(bytes);
                Ok(())
            }
            Body::Stream(parser, _) => {
                let mut events = Vec::new();
                let read = parser.push(bytes, &mut events);
                self.read_events(&events)?;
                read.map_err(|sse::TooLong| self.malformed(TOO_LONG))
            }
        }
    }

    fn read_events(&mut self, events: &[Vec<u8>]) -> Result<(), ModelError> {
        if let Body::Stream(_, any) = &mut self.body {
            *any |= !events.is_empty();
        }
        for event in events {
            // Some servers go on with empty events or a second mark.
            if self.draft.is_closed() {
                return Ok(());
            }
            let data = str::from_utf8(event)
                .map_err(|_| ModelError::Malformed(format!("not UTF-8: {}", quote::quote(event))))?;
            if !data.trim().is_empty() {
                V::read_event(data, &mut self.draft)?;
            }
        }
        Ok(())
    }

    fn read_end(&mut self) -> Result<(), ModelError> {
        match mem::replace(&mut self.body, Body::Blank) {
            Body::Error(body) => {
                let failure = Failure::read(self.status, &self.headers, &body);
                self.draft.note(Note::warn(failure.to_string()));
                Err(failure.into_error())
            }
            Body::Blank => Err(self.malformed(EMPTY)),
            Body::Whole(body) => {
                let body = str::from_utf8(&body).map_err(|_| self.malformed("not UTF-8"))?;
                V::read_whole(body, &mut self.draft)?;
                self.draft.close();
                Ok(())
            }
            Body::Stream(mut parser, any) => {
                let mut events = Vec::new();
                let read = parser.finish(&mut events);
                if !any && events.is_empty() {
                    return Err(self.malformed("neither JSON nor an event stream"));
                }
                let finished = self.draft.is_finished();
                match read
                    .map_err(|sse::TooLong| self.malformed(TOO_LONG))
                    .and_then(|()| self.read_events(&events))
                {
                    // The answer was whole; what is cut is the mark or the usage behind it.
                    Err(ModelError::Malformed(what)) if finished => {
                        self.draft.note(Note::warn(format!("the stream's last event is broken: {what}")));
                        self.draft.close();
                        Ok(())
                    }
                    result => result,
                }
            }
        }
    }

    fn malformed(&self, what: &str) -> ModelError {
        let head = quote::quote(&self.head);
        if head.is_empty() {
            return ModelError::Malformed(format!("HTTP {}: {what}", self.status));
        }
        ModelError::Malformed(format!("HTTP {}: {what}; it begins: {head}", self.status))
    }
}

const TOO_LONG: &str = "a line or an event of the stream is longer than 1 MiB";

/// Seen with llama-cpp-python 0.3.36, which has sent its headers when it finds the prompt too long.
const EMPTY: &str = "the body is empty: the prompt may be too long for the server's context window \
    (llama-cpp-python answers so when a stream was asked), or the server broke off";
