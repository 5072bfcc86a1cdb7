use std::mem;

use crate::quote;
use crate::types::{Completion, Event, Finish, ModelError, Note, Settings, Usage};

/// The longest answer that is kept: some two million tokens, more than any model writes.
pub const MAX_TEXT: usize = 8 << 20;

/// The answer as far as it has been read, and what is new since the last look.
#[derive(Debug, Default)]
pub struct Draft {
    text: String,
    refusal: String,
    finish: Option<Finish>,
    closed: bool,
    usage: Option<Usage>,
    model: Option<String>,
    events: Vec<Event>,
    notes: Vec<Note>,
}

impl Draft {
    /// More of the answer.
    ///
    /// # Errors
    /// `Malformed` beyond [`MAX_TEXT`].
    pub fn text(&mut self, piece: &str) -> Result<(), ModelError> {
        if self.text.len() + piece.len() > MAX_TEXT {
            return Err(ModelError::Malformed(format!("the answer is longer than {MAX_TEXT} bytes")));
        }
        self.text.push_str(piece);
        match self.events.last_mut() {
            _ if piece.is_empty() => {}
            Some(Event::Text(last)) => last.push_str(piece),
            _ => self.events.push(Event::Text(piece.to_owned())),
        }
        Ok(())
    }

    /// More of the model's thinking. It is passed on and not kept.
    pub fn thinking(&mut self, piece: &str) {
        match self.events.last_mut() {
            _ if piece.is_empty() => {}
            Some(Event::Thinking(last)) => last.push_str(piece),
            _ => self.events.push(Event::Thinking(piece.to_owned())),
        }
    }

    /// More of the vendor's words for why it does not answer.
    pub fn refusal(&mut self, piece: &str) {
        // An excerpt is all that an error shows.
        if self.refusal.len() < 4096 {
            self.refusal.push_str(piece);
        }
    }

    /// Why the model stopped. The last word counts.
    pub fn finish(&mut self, finish: Finish) {
        self.finish = Some(finish);
    }

    /// The vendor's mark at the end of a whole answer.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Figures may be repeated, grow, or come in parts: the largest of each counts, never the sum.
    pub fn usage(&mut self, seen: Usage) {
        let usage = self.usage.get_or_insert_default();
        usage.input_tokens = usage.input_tokens.max(seen.input_tokens);
        usage.output_tokens = usage.output_tokens.max(seen.output_tokens);
    }

    /// The model's name as the vendor reports it.
    pub fn model(&mut self, name: &str) {
        if self.model.is_none() && !name.is_empty() {
            self.model = Some(name.to_owned());
        }
    }

    /// A line for the log. The same line is kept once.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) && self.notes.len() < 32 {
            self.notes.push(note);
        }
    }

    pub fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// Whether the vendor has said that nothing follows.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    pub fn take_notes(&mut self) -> Vec<Note> {
        mem::take(&mut self.notes)
    }

    /// The completion, once the body has ended.
    ///
    /// # Errors
    /// `Malformed` for half an answer, `ContentFilter` where the vendor refused and gave no text.
    /// A text that was begun and then cut by the vendor is a completion with that finish reason.
    pub(crate) fn complete(&mut self, settings: &Settings) -> Result<Completion, ModelError> {
        if !self.closed && self.finish.is_none() {
            let bytes = self.text.len();
            return Err(ModelError::Malformed(format!(
                "the answer ended after {bytes} bytes of text without its closing mark"
            )));
        }
        if !self.closed {
            self.note(Note::debug("the answer has a finish reason but no closing mark: taken as whole"));
        }
        if !self.refusal.is_empty() {
            self.finish = Some(Finish::ContentFilter);
        }
        let finish = self.finish.unwrap_or_else(|| {
            self.note(Note::warn("the server gave no finish reason: taken as `other`"));
            Finish::Other
        });
        if finish == Finish::ContentFilter && self.text.is_empty() {
            let said = quote::message(&self.refusal);
            let said =
                if said.is_empty() { "the vendor refused and gave no reason".to_owned() } else { said };
            return Err(ModelError::ContentFilter(said));
        }
        let usage = self.usage.unwrap_or_else(|| {
            self.note(Note::warn("the server reported no usage: tokens are counted by their bytes"));
            Usage::default()
        });
        Ok(Completion {
            text: mem::take(&mut self.text),
            finish,
            usage,
            model: self.model.take().unwrap_or_else(|| settings.model.clone()),
        })
    }
}
