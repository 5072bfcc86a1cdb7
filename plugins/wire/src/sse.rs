//! Server-sent events as the HTML standard has them, and as model servers really send them.

use std::mem;

/// The longest line, and the longest event of several lines. Real ones have a few hundred bytes;
/// an answer that came whole in one event still fits.
pub const MAX_EVENT: usize = 1 << 20;

/// An event grew beyond [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Takes bytes cut anywhere and gives the data of each event. Holds at most twice [`MAX_EVENT`].
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    data: Vec<u8>,
    /// Whether the event has a data line: its data may still be empty.
    open: bool,
    /// The last byte was a carriage return: a newline right after it belongs to it.
    after_cr: bool,
    past_first_line: bool,
}

impl Parser {
    /// Appends the data of every event that `bytes` completes to `events`.
    ///
    /// # Errors
    /// [`TooLong`]; the parser must not be used afterwards.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            if rest[0] == b'\n' {
                rest = &rest[1..];
            }
        }
        while let Some(end) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            self.extend_line(&rest[..end])?;
            let is_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if is_cr {
                match rest.first() {
                    Some(b'\n') => rest = &rest[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            self.end_line(events)?;
        }
        self.extend_line(rest)
    }

    /// The body has ended. The standard drops an event without its blank line; servers that close
    /// right after the last byte mean it, so it is given here and the caller judges it.
    pub fn finish(&mut self, events: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        if !self.line.is_empty() {
            self.end_line(events)?;
        }
        self.dispatch(events);
        Ok(())
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + bytes.len() > MAX_EVENT {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        let mut line = mem::take(&mut self.line);
        if !mem::replace(&mut self.past_first_line, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.is_empty() {
            self.dispatch(events);
        } else if let Some(value) = data_of(&line) {
            if self.starts_anew(value) {
                self.dispatch(events);
            }
            if self.data.len() + value.len() > MAX_EVENT {
                return Err(TooLong);
            }
            if self.open {
                self.data.push(b'\n');
            }
            self.open = true;
            self.data.extend_from_slice(value);
        }
        // The allocation serves the next line.
        line.clear();
        self.line = line;
        Ok(())
    }

    /// Some servers forget the blank line between events. JSON has a comma between `}` and `{`, so
    /// a line that opens an object right after one that closed is an event of its own.
    fn starts_anew(&self, value: &[u8]) -> bool {
        self.data.ends_with(b"}") && (value.starts_with(b"{") || value.starts_with(b"[DONE]"))
    }

    fn dispatch(&mut self, events: &mut Vec<Vec<u8>>) {
        if mem::take(&mut self.open) {
            events.push(mem::take(&mut self.data));
        }
    }
}

/// The value of a `data` line. `error` is read likewise: older llama.cpp servers name a field so.
/// Comments, `event`, `id`, `retry` and unknown fields are `None`; the messages carry their own type.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
    if !matches!(&line[..colon], b"data" | b"error") {
        return None;
    }
    let value = line.get(colon + 1..).unwrap_or(b"");
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events_of(pieces: &[&[u8]]) -> Vec<String> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece, &mut events).expect("short lines");
        }
        parser.finish(&mut events).expect("short lines");
        events.into_iter().map(|event| String::from_utf8(event).expect("UTF-8")).collect()
    }

    #[test]
    fn every_shape_gives_the_same_events_however_it_is_cut() {
        let table: &[(&str, &[&str])] = &[
            ("data: a\n\ndata: b\n\n", &["a", "b"]),
            ("data:a\r\n\r\ndata:  b\r\n\r\n", &["a", " b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            (": OPENROUTER PROCESSING\n\n:\nevent: x\nid: 1\nretry: 5\ndata: a\n\n", &["a"]),
            ("\u{feff}data: größer →\n\n", &["größer →"]),
            ("data: {\ndata: \"a\": 1\ndata: }\n\n", &["{\n\"a\": 1\n}"]),
            ("data: {\"a\":1}\ndata: {\"b\":2}\ndata: [DONE]\n", &["{\"a\":1}", "{\"b\":2}", "[DONE]"]),
            ("data\n\ndata:\n\n", &["", ""]),
            ("data: a\n\ndata: [DONE]", &["a", "[DONE]"]),
            ("error: {\"code\":500}\n\n", &["{\"code\":500}"]),
            ("database: x\ndatum\n\n", &[]),
            ("\n\r\n\r\r\n", &[]),
        ];
        for (stream, expected) in table {
            let bytes = stream.as_bytes();
            assert_eq!(events_of(&[bytes]), *expected, "whole: {stream:?}");
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(events_of(&single), *expected, "byte by byte: {stream:?}");
            for cut in 0..=bytes.len() {
                let (left, right) = bytes.split_at(cut);
                assert_eq!(events_of(&[left, b"", right]), *expected, "cut at {cut}: {stream:?}");
            }
        }
    }

    #[test]
    fn an_endless_line_and_an_endless_event_are_refused() {
        let fill = |piece: &[u8]| {
            let (mut parser, mut events) = (Parser::default(), Vec::new());
            let mut sent = 0;
            while parser.push(piece, &mut events).is_ok() {
                sent += piece.len();
                assert!(sent <= 2 * MAX_EVENT, "still accepted after {sent} bytes");
                assert_eq!(events.len(), 0);
            }
            sent
        };
        assert!(fill(&[b'x'; 4096]) <= MAX_EVENT);
        let line = [b"data: ".as_slice(), &[b'x'; 1000], b"\n"].concat();
        assert!(fill(&line) > MAX_EVENT / 2);
    }
}
