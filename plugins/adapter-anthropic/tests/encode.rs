//! Requests as the messages API expects them, compared whole.

use aiagent_adapter_anthropic::Anthropic;
use aiagent_wire::types::{Auth, HttpRequest, Message, ModelError, Note, Request, Role, Settings};
use aiagent_wire::vendor::Vendor;
use serde_json::{Value, json};

fn settings(stream: bool, extra: &[(&str, &str)]) -> Settings {
    let extra = extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Settings { model: "claude-sonnet-4-5".to_owned(), stream, extra }
}

fn message(role: Role, content: &str) -> Message {
    Message { role, content: content.to_owned() }
}

fn request() -> Request {
    Request {
        messages: vec![
            message(Role::System, "Answer with code."),
            message(Role::User, "größer"),
            message(Role::Assistant, "→"),
            message(Role::System, "Be brief."),
            message(Role::User, "again"),
        ],
        temperature: Some(0.8),
        max_tokens: Some(512),
        stop: vec!["```".to_owned()],
        seed: Some(7),
    }
}

fn encode(request: &Request, settings: &Settings) -> Result<(HttpRequest, Value, Vec<Note>), ModelError> {
    let mut notes = Vec::new();
    let encoded = Anthropic::encode(request, settings, &mut notes)?;
    let body = serde_json::from_slice(&encoded.body).expect("the body is JSON");
    Ok((encoded, body, notes))
}

#[test]
fn a_request_says_all_that_was_asked() {
    let (encoded, body, notes) = encode(&request(), &settings(true, &[])).expect("a valid request");
    assert_eq!(encoded.path, "/v1/messages");
    let headers = [("content-type", "application/json"), ("anthropic-version", "2023-06-01")];
    assert_eq!(encoded.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(
        body,
        json!({
            "model": "claude-sonnet-4-5", "stream": true, "max_tokens": 512, "temperature": 0.8,
            "system": "Answer with code.\n\nBe brief.", "stop_sequences": ["```"],
            "messages": [
                { "role": "user", "content": "größer" },
                { "role": "assistant", "content": "→" },
                { "role": "user", "content": "again" },
            ],
        })
    );
    assert_eq!(notes, []);
}

#[test]
fn what_is_not_asked_is_left_out_but_for_the_number_the_vendor_requires() {
    let bare = Request { messages: vec![message(Role::User, "hi")], ..Request::default() };
    for (extra, most) in [(&[][..], 8192), (&[("default_max_tokens", "4096")][..], 4096)] {
        let (_, body, _) = encode(&bare, &settings(false, extra)).expect("a valid request");
        let messages = json!([{ "role": "user", "content": "hi" }]);
        assert_eq!(
            body,
            json!({ "model": "claude-sonnet-4-5", "stream": false, "max_tokens": most, "messages": messages })
        );
    }
}

#[test]
fn the_operators_keys_go_into_headers_and_body() {
    let extra = [
        ("anthropic_version", "2024-01-01"),
        ("anthropic_beta", "context-1m-2025-08-07"),
        ("thinking", r#"{"type":"enabled","budget_tokens":2048}"#),
        ("temperature", "null"),
    ];
    let (encoded, body, _) = encode(&request(), &settings(true, &extra)).expect("a valid request");
    assert_eq!(encoded.headers[1], ("anthropic-version".to_owned(), "2024-01-01".to_owned()));
    assert_eq!(encoded.headers[2], ("anthropic-beta".to_owned(), "context-1m-2025-08-07".to_owned()));
    assert_eq!(body["thinking"], json!({ "type": "enabled", "budget_tokens": 2048 }));
    assert_eq!(body.get("temperature"), None);
}

#[test]
fn a_temperature_beyond_the_vendors_range_is_lowered_and_said() {
    let hot = Request { temperature: Some(1.3), ..request() };
    let (_, body, notes) = encode(&hot, &settings(true, &[])).expect("a valid request");
    assert_eq!(body["temperature"], json!(1.0));
    assert!(notes.len() == 1 && notes[0].text.contains("1.3"), "{notes:?}");
}

#[test]
fn a_mistake_is_named() {
    let good = settings(true, &[]);
    let only_system = Request { messages: vec![message(Role::System, "x")], ..Request::default() };
    let blank_stop = Request { stop: vec!["\n\n".to_owned()], ..request() };
    let nan = Request { temperature: Some(f32::NAN), ..request() };
    let cases = [
        (only_system, good.clone(), "no user message"),
        (blank_stop, good.clone(), "blank"),
        (nan, good, "NaN"),
        (request(), settings(true, &[("default_max_tokens", "0")]), "from 1"),
        (request(), settings(true, &[("system", "x")]), "`system`"),
        (request(), Settings::default(), "names no model"),
    ];
    for (request, settings, said) in cases {
        // The step named a number of tokens; a bad default is found by `describe` all the same.
        let error = match Anthropic::describe(&settings) {
            Err(error) => error,
            Ok(_) => encode(&request, &settings).expect_err("a mistake"),
        };
        assert!(
            matches!(&error, ModelError::InvalidRequest(what) if what.contains(said)),
            "{said}: {error:?}"
        );
    }
}

#[test]
fn the_description_names_key_and_address() {
    let description = Anthropic::describe(&settings(true, &[])).expect("good settings");
    assert_eq!(description.name, "anthropic-messages");
    assert_eq!(description.auth, Auth::Header("x-api-key".to_owned()));
    assert_eq!(description.default_base_url.as_deref(), Some("https://api.anthropic.com"));
}
