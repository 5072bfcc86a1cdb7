use crate::decoder::Decoder;
use crate::quote::MAX_QUOTE;
use crate::types::{Completion, Event, Header, ModelError, Note, Settings};
use crate::vendor::Vendor;

/// Everything a decoder gave for one response.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// The text that was streamed.
    pub streamed: String,
    pub thinking: String,
    pub result: Result<Completion, ModelError>,
    pub notes: Vec<Note>,
}

/// The settings the tests use: model `configured`, streaming.
pub fn settings() -> Settings {
    Settings { model: "configured".to_owned(), stream: true, extra: Vec::new() }
}

/// Reads the response whole, byte by byte and cut in two at every place, and asserts that all
/// give the same.
///
/// # Panics
/// Where they don't, or a whole stream's text is not the completion's.
pub fn read<V: Vendor>(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reading {
    let whole = feed::<V>(status, headers, [body].into_iter());
    let single = feed::<V>(status, headers, body.chunks(1));
    assert_eq!(single, whole, "byte by byte");
    for at in 1..body.len() {
        let (left, right) = body.split_at(at);
        let cut = feed::<V>(status, headers, [left, right].into_iter());
        assert_eq!(cut, whole, "cut at {at}");
    }
    // What is only understood at the end, such as an answer in one piece, is in the completion alone.
    let is_stream = body.ends_with(b"\n");
    if let Ok(completion) = &whole.result {
        assert_eq!(whole.streamed, if is_stream { completion.text.as_str() } else { "" });
    }
    whole
}

/// Reads the stream cut off at every place, and with every byte overwritten by one that means
/// something to a parser; gives the completions of the cut streams.
///
/// # Panics
/// Where the decoder does, or where an error's words are longer than a log line should be.
pub fn damage<V: Vendor>(stream: &[u8]) -> Vec<Completion> {
    let read = |body: &[u8]| {
        let result = feed::<V>(200, &[], [body].into_iter()).result;
        if let Err(ModelError::Malformed(what)) = &result {
            assert!(what.len() <= MAX_QUOTE + 128, "{} bytes: {what}", what.len());
        }
        result
    };
    for at in 0..stream.len() {
        for byte in [0, b'\n', b'"', b'{', b'}', 0xff] {
            let mut body = stream.to_vec();
            body[at] = byte;
            // Any result is right, as long as there is one: a byte of the text is a byte of the text.
            drop(read(&body));
        }
    }
    (0..stream.len()).filter_map(|end| read(&stream[..end]).ok()).collect()
}

fn feed<'a, V: Vendor>(
    status: u16,
    headers: &[(&str, &str)],
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Reading {
    let headers: Vec<Header> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut decoder = Decoder::<V>::new(status, headers, settings());
    let (mut streamed, mut thinking) = (String::new(), String::new());
    let events = |decoder: &mut Decoder<V>, piece| decoder.push(piece);
    for event in pieces.flat_map(|piece| events(&mut decoder, piece)) {
        match event {
            Event::Text(text) => streamed += &text,
            Event::Thinking(text) => thinking += &text,
        }
    }
    let result = decoder.finish();
    Reading { streamed, thinking, result, notes: decoder.take_notes() }
}
