//! A server that never stops: what is kept stays bounded, and the error says which bound.

use aiagent_adapter_openai::OpenAi;
use aiagent_wire::decoder::Decoder;
use aiagent_wire::testing::settings;
use aiagent_wire::types::{Event, ModelError};

const MIB: usize = 1 << 20;

/// Pushes `head` and then `piece` until 32 MiB are sent; gives the bytes of text that came out.
fn flood(status: u16, head: &[u8], piece: &[u8]) -> (usize, ModelError) {
    let mut decoder = Decoder::<OpenAi>::new(status, Vec::new(), settings());
    let mut text = 0;
    let mut count = |events: Vec<Event>| {
        for event in events {
            let (Event::Text(piece) | Event::Thinking(piece)) = event;
            text += piece.len();
        }
    };
    count(decoder.push(head));
    for _ in 0..32 * MIB / piece.len() {
        count(decoder.push(piece));
    }
    let Err(error) = decoder.finish() else { panic!("an endless answer was taken as whole") };
    (text, error)
}

#[test]
fn an_endless_answer_is_malformed_and_names_the_limit() {
    let chunk = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "x".repeat(4096)
    );
    type Case<'a> = (&'a str, &'a [u8], &'a [u8], usize, &'a str);
    let cases: &[Case] = &[
        ("a line", b"data: ", &[b'x'; 4096], 0, "1 MiB"),
        ("an event of many lines", b"", b"data: [1,\n", 0, "1 MiB"),
        ("the text", b"", chunk.as_bytes(), 8 * MIB, "longer than 8388608"),
        ("a body", b"{\"choices\":[{\"message\":{\"content\":\"", &[b'x'; 4096], 0, "longer than 16777216"),
        ("comments", b"", b": OPENROUTER PROCESSING\n\n", 0, "neither JSON"),
        ("blanks", b"", &[b' '; 4096], 0, "empty"),
    ];
    for (name, head, piece, most, said) in cases {
        let (text, error) = flood(200, head, piece);
        assert!(matches!(&error, ModelError::Malformed(what) if what.contains(said)), "{name}: {error:?}");
        assert!(text <= *most, "{name}: {text} bytes of text");
    }
}

#[test]
fn an_endless_error_page_is_read_as_far_as_it_is_worth() {
    let (_, error) = flood(400, b"<html><title>Bad Request</title>", &[b'x'; 4096]);
    assert_eq!(error, ModelError::InvalidRequest("HTTP 400: Bad Request".to_owned()));
}
