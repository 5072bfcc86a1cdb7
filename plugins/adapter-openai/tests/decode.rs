//! Answers of chat completions servers, from bytes they sent or their documentation shows.

use aiagent_adapter_openai::OpenAi;
use aiagent_wire::testing::{damage, read};
use aiagent_wire::types::{Completion, Finish, Level, ModelError, Usage};

fn completion(text: &str, finish: Finish, tokens: (u64, u64), model: &str) -> Completion {
    let usage = Usage { input_tokens: tokens.0, output_tokens: tokens.1 };
    Completion { text: text.to_owned(), finish, usage, model: model.to_owned() }
}

/// Recorded: llama-cpp-python 0.3.36, which streams no usage.
#[test]
fn a_recorded_stream_is_read_to_its_end() {
    let reading = read::<OpenAi>(200, &[], include_bytes!("fixtures/llama-cpp-python-stream.sse"));
    let text = include_str!("fixtures/llama-cpp-python-stream.txt");
    assert_eq!(reading.result, Ok(completion(text, Finish::Stop, (0, 0), "qwen2.5-coder")));
    let [note] = &reading.notes[..] else { panic!("{:?}", reading.notes) };
    assert_eq!(note.level, Level::Warn);
    assert!(note.text.contains("no usage"), "{}", note.text);
}

#[test]
fn a_recorded_whole_answer_is_read_although_a_stream_was_asked() {
    let reading = read::<OpenAi>(200, &[], include_bytes!("fixtures/llama-cpp-python-whole.json"));
    assert_eq!(reading.result, Ok(completion("Red, blue, green.", Finish::Stop, (33, 6), "qwen2.5-coder")));
    assert_eq!(reading.notes, []);
}

const CHUNK: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"größer →"}}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

/// Each case: what it is, the body, text and thinking, finish, usage, a word of the note it makes.
#[test]
fn every_shape_of_a_good_answer_is_understood() {
    type Case<'a> = (&'a str, String, (&'a str, &'a str), Finish, (u64, u64), &'a str);
    let openai_usage =
        r#"{"choices":[],"usage":{"prompt_tokens":25,"completion_tokens":9,"total_tokens":34}}"#;
    let sse = |events: &[&str]| -> String { events.iter().map(|e| format!("data: {e}\n\n")).collect() };
    let piece = |delta: &str| format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let whole = |message: &str, reason: &str| {
        format!(
            r#"{{"choices":[{{"index":0,"message":{message},"finish_reason":{reason}}}],
                "usage":{{"prompt_tokens":25,"completion_tokens":9}}}}"#
        )
    };
    let cases: &[Case] = &[
        (
            "OpenAI: usage in a last chunk without choices",
            sse(&[CHUNK, STOP, openai_usage, "[DONE]"]),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "no blank after the colon, CRLF",
            format!("data:{CHUNK}\r\n\r\ndata:{STOP}\r\n\r\ndata:{openai_usage}\r\n\r\ndata:[DONE]\r\n\r\n"),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "OpenRouter: comments, reasoning twice, usage with the last choice",
            format!(
                ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n{}",
                sse(&[
                    &piece(
                        r#"{"content":"","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#
                    ),
                    CHUNK,
                    r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":"STOP"}],
                        "usage":{"prompt_tokens":25,"completion_tokens":9,"cost":0.00014}}"#,
                    "[DONE]",
                ])
                .replace("\n                        ", "\ndata: ")
            ),
            ("größer →", "hm"),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "vLLM: usage grows with every chunk, reasoning_content and reasoning say the same",
            sse(&[
                r#"{"choices":[{"index":0,"delta":{"reasoning_content":"a","reasoning":"a"}}],"usage":{"prompt_tokens":25,"completion_tokens":1}}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":25,"completion_tokens":9}}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":25,"completion_tokens":8}}"#,
                "[DONE]",
            ]),
            ("b", "a"),
            Finish::Length,
            (25, 9),
            "",
        ),
        (
            "no [DONE], but a finish reason",
            sse(&[CHUNK, STOP, openai_usage]),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "closing mark",
        ),
        (
            "a cut [DONE]",
            format!("{}data: [DO\n", sse(&[CHUNK, STOP, openai_usage])),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "last event is broken",
        ),
        (
            "[DONE], but no finish reason",
            sse(&[CHUNK, openai_usage, "[DONE]"]),
            ("größer →", ""),
            Finish::Other,
            (25, 9),
            "no finish reason",
        ),
        (
            "what follows [DONE] is not read",
            sse(&[CHUNK, STOP, openai_usage, "[DONE]", "garbage", "[DONE]"]),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "no blank lines between the events",
            format!("data: {CHUNK}\ndata: {STOP}\ndata: {openai_usage}\ndata: [DONE]\n"),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "<think> is text; a second choice is not read",
            sse(&[
                &piece(r#"{"content":"<think>x</think>y","thinking":"t"}"#),
                r#"{"choices":[{"index":1,"delta":{"content":"NO"}}],"usage":null,"error":null}"#,
                r#"{"choices":[{"index":0,"delta":{"content":null},"finish_reason":"eos"}],"usage":{"prompt_tokens":25,"completion_tokens":9}}"#,
                "[DONE]",
            ]),
            ("<think>x</think>y", "t"),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "a last chunk repeats the message",
            sse(&[
                CHUNK,
                r#"{"choices":[{"index":0,"message":{"content":"größer →"},"finish_reason":"stop"}],"usage":{"prompt_tokens":25,"completion_tokens":9}}"#,
                "[DONE]",
            ]),
            ("größer →", ""),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "a tool call",
            sse(&[
                &piece(r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}"#),
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":25,"completion_tokens":9}}"#,
                "[DONE]",
            ]),
            ("", ""),
            Finish::Other,
            (25, 9),
            "called a tool",
        ),
        (
            "Mistral: content in parts, thinking nested",
            sse(&[
                &piece(r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#),
                &piece(r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#),
                STOP,
                openai_usage,
                "[DONE]",
            ]),
            ("ab", "hm"),
            Finish::Stop,
            (25, 9),
            "",
        ),
        (
            "content in parts, in one piece",
            whole(r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, "\"stop\""),
            ("ab", ""),
            Finish::Stop,
            (25, 9),
            "",
        ),
        ("content null", whole(r#"{"content":null}"#, "\"stop\""), ("", ""), Finish::Stop, (25, 9), ""),
        (
            "an unknown finish reason",
            whole(r#"{"content":"a"}"#, "\"abort\""),
            ("a", ""),
            Finish::Other,
            (25, 9),
            "`abort`",
        ),
        (
            "no finish reason in a whole answer",
            whole(r#"{"content":"a"}"#, "null"),
            ("a", ""),
            Finish::Other,
            (25, 9),
            "no finish reason",
        ),
        (
            "cut by the vendor's filter",
            whole(r#"{"content":"a"}"#, "\"content_filter\""),
            ("a", ""),
            Finish::ContentFilter,
            (25, 9),
            "",
        ),
    ];
    for (name, body, (text, thinking), finish, tokens, note) in cases {
        let reading = read::<OpenAi>(200, &[], body.as_bytes());
        assert_eq!(reading.result, Ok(completion(text, *finish, *tokens, "configured")), "{name}");
        assert_eq!(reading.thinking, *thinking, "{name}");
        let said: Vec<&str> = reading.notes.iter().map(|note| note.text.as_str()).collect();
        match *note {
            "" => assert_eq!(said, [""; 0], "{name}"),
            note => assert!(said.len() == 1 && said[0].contains(note), "{name}: {said:?}"),
        }
    }
}

/// Whatever the model writes, the first bytes of an error's quote never grow beyond this.
const LONGEST_ERROR: usize = 200 + 120;

#[test]
fn what_is_no_answer_is_malformed_and_quoted_in_short() {
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("an empty body", b"".to_vec(), "empty"),
        ("blanks", b" \r\n\r\n".to_vec(), "empty"),
        ("half a stream", format!("data: {CHUNK}\n\n").into_bytes(), "without its closing mark"),
        ("half an event", format!("data: {CHUNK}\n\ndata: {}", &CHUNK[..30]).into_bytes(), "EOF"),
        ("half a body", br#"{"choices":[{"message":{"content":"a"#.to_vec(), "EOF"),
        ("garbage JSON", b"{]".to_vec(), "{]"),
        ("garbage", b"lorem ipsum dolor".to_vec(), "lorem ipsum"),
        ("binary", vec![0x1f, 0x8b, 8, 0, 0xff, 0xfe], "neither JSON"),
        ("much garbage", [b"data: {".as_slice(), &[b'x'; 5000], b"\n\n"].concat(), "xxxx"),
        ("a proxy's page", b"<html><body>login</body></html>".to_vec(), "<html>"),
        ("no UTF-8", b"data: {\"a\":\"\xff\"}\n\n".to_vec(), "not UTF-8"),
        ("no choice", br#"{"choices":[],"usage":{"prompt_tokens":1}}"#.to_vec(), "no choice"),
        ("no choice at all", br#"{"id":"x","model":"y"}"#.to_vec(), "no choice"),
        ("a list", b"[1,2]".to_vec(), "not an object"),
        ("an error without words", br#"{"error":{}}"#.to_vec(), "without words"),
        ("only comments", b": OPENROUTER PROCESSING\n\n".to_vec(), "neither JSON"),
    ];
    for (name, body, said) in cases {
        let reading = read::<OpenAi>(200, &[("content-type", "text/event-stream")], body);
        let Err(ModelError::Malformed(what)) = &reading.result else { panic!("{name}: {reading:?}") };
        assert!(what.contains(said), "{name}: {what}");
        assert!(what.len() < LONGEST_ERROR, "{name}: {} bytes", what.len());
    }
}

#[test]
fn a_refusal_without_an_answer_is_an_error_with_the_vendors_words() {
    let refused = "data: {\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"I can't \"}}]}\n\n\
                   data: {\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"help.\"}}]}\n\n\
                   data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let filtered = r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#;
    for (body, said) in [(refused, "I can't help."), (filtered, "gave no reason")] {
        let reading = read::<OpenAi>(200, &[], body.as_bytes());
        let Err(ModelError::ContentFilter(what)) = &reading.result else { panic!("{reading:?}") };
        assert!(what.contains(said), "{what}");
    }
}

/// Usage may be lost with the end of the stream; text may not.
#[test]
fn a_cut_stream_is_never_taken_for_a_whole_answer() {
    let stream = format!(
        "data: {CHUNK}\r\n\r\ndata: {STOP}\n\ndata: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":2}}}}\n\ndata: [DONE]\n\n"
    );
    let taken = damage::<OpenAi>(stream.as_bytes());
    assert!(!taken.is_empty() && taken.iter().all(|cut| cut.text == "größer →"), "{taken:?}");
}
