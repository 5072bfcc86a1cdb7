//! Answers of the messages API, in the shapes its documentation shows.

use aiagent_adapter_anthropic::Anthropic;
use aiagent_wire::testing::{damage, read};
use aiagent_wire::types::{Completion, Finish, ModelError, Usage};

fn completion(text: &str, finish: Finish, tokens: (u64, u64), model: &str) -> Completion {
    let usage = Usage { input_tokens: tokens.0, output_tokens: tokens.1 };
    Completion { text: text.to_owned(), finish, usage, model: model.to_owned() }
}

const STREAM: &str = include_str!("fixtures/stream.sse");

#[test]
fn documented_answers_are_understood() {
    let cases = [
        // Input: fresh, written to and read from the cache.
        (STREAM, "größer →\n", "", Finish::Stop, (175, 15), "claude-sonnet-4-5-20250929", ""),
        (
            // The last report is smaller: the largest counts.
            include_str!("fixtures/thinking.sse"),
            "27 * 453 = 12,231",
            "Let me see: 27 * 453 = 12231",
            Finish::Stop,
            (79, 40),
            "claude-opus-4-5",
            "",
        ),
        (
            include_str!("fixtures/tool-use.sse"),
            "Let me look.",
            "",
            Finish::Other,
            (472, 89),
            "claude-sonnet-4-5",
            "called a tool",
        ),
        (
            include_str!("fixtures/whole.json"),
            "Hi, my name is Claude.",
            "",
            Finish::Stop,
            (2095, 503),
            "claude-sonnet-4-5-20250929",
            "",
        ),
    ];
    for (body, text, thinking, finish, tokens, model, note) in cases {
        // The file of the whole answer ends with a newline that is not the vendor's.
        let body = if body.starts_with('{') { body.trim_end() } else { body };
        let reading = read::<Anthropic>(200, &[], body.as_bytes());
        assert_eq!(reading.result, Ok(completion(text, finish, tokens, model)));
        assert_eq!(reading.thinking, thinking);
        let said: Vec<&str> = reading.notes.iter().map(|note| note.text.as_str()).collect();
        assert!(
            said.len() == usize::from(!note.is_empty()) && said.iter().all(|s| s.contains(note)),
            "{said:?}"
        );
    }
}

#[test]
fn every_stop_reason_has_its_word() {
    let cases = [
        ("end_turn", Finish::Stop, ""),
        ("stop_sequence", Finish::Stop, ""),
        ("max_tokens", Finish::Length, ""),
        ("model_context_window_exceeded", Finish::Length, ""),
        ("refusal", Finish::ContentFilter, ""),
        ("tool_use", Finish::Other, ""),
        ("pause_turn", Finish::Other, ""),
        ("compaction", Finish::Other, "`compaction`"),
    ];
    for (reason, finish, note) in cases {
        let reading = read::<Anthropic>(200, &[], STREAM.replace("end_turn", reason).as_bytes());
        let expected = completion("größer →\n", finish, (175, 15), "claude-sonnet-4-5-20250929");
        assert_eq!(reading.result, Ok(expected), "{reason}");
        assert_eq!(reading.notes.len(), usize::from(!note.is_empty()), "{reason}");
        assert!(reading.notes.iter().all(|said| said.text.contains(note)), "{reason}");
    }
}

/// A refusal before the first word has no text to hand on.
#[test]
fn a_refusal_without_text_is_an_error() {
    let body = r#"{"type":"message","content":[],"stop_reason":"refusal","usage":{"input_tokens":5,"output_tokens":1}}"#;
    let result = read::<Anthropic>(200, &[], body.as_bytes()).result;
    assert!(matches!(result, Err(ModelError::ContentFilter(_))), "{result:?}");
}

#[test]
fn events_and_blocks_that_come_later_are_passed_over() {
    let later = "event: shiny\ndata: {\"type\":\"shiny\",\"new\":[1]}\n\n\
                 event: content_block_delta\n\
                 data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"shiny_delta\",\"x\":1}}\n\n";
    let stream = STREAM.replace("event: ping\n", &format!("{later}event: ping\n"));
    let reading = read::<Anthropic>(200, &[], stream.as_bytes());
    assert_eq!(reading, read::<Anthropic>(200, &[], STREAM.as_bytes()));
}

#[test]
fn what_is_no_answer_is_malformed() {
    let stop = STREAM.find("event: message_delta").expect("in the fixture");
    let cases: &[(&str, &str, &str)] = &[
        ("an empty body", "", "empty"),
        ("half a stream", &STREAM[..stop], "without its closing mark"),
        ("half an event", &STREAM[..stop + 60], "EOF"),
        ("only pings", "event: ping\ndata: {\"type\":\"ping\"}\n\n", "without its closing mark"),
        ("half a body", "{\"type\":\"message\",\"content\":[{\"type\":\"text\"", "EOF"),
        ("another format", "{\"choices\":[]}", "missing field `type`"),
        ("not a message", "{\"type\":\"ping\"}", "not a whole message"),
        ("a page", "<html><title>Sign in</title></html>", "Sign in"),
    ];
    for (name, body, said) in cases {
        let reading = read::<Anthropic>(200, &[], body.as_bytes());
        let Err(ModelError::Malformed(what)) = &reading.result else { panic!("{name}: {reading:?}") };
        assert!(what.contains(said), "{name}: {what}");
    }
}

/// `message_stop` may be lost with the connection; the reason and the usage came before it.
#[test]
fn a_lost_last_event_is_noted() {
    let cut = STREAM.find("event: message_stop").expect("in the fixture");
    let reading = read::<Anthropic>(200, &[], &STREAM.as_bytes()[..cut]);
    assert_eq!(reading.result, read::<Anthropic>(200, &[], STREAM.as_bytes()).result);
    assert!(reading.notes.iter().any(|note| note.text.contains("closing mark")), "{:?}", reading.notes);
}

#[test]
fn a_cut_stream_is_never_taken_for_a_whole_answer() {
    let whole = read::<Anthropic>(200, &[], STREAM.as_bytes()).result.expect("a good stream");
    let taken = damage::<Anthropic>(STREAM.as_bytes());
    assert!(!taken.is_empty() && taken.iter().all(|cut| *cut == whole), "{taken:?}");
}
