//! Requests as chat completions servers expect them, compared whole.

use aiagent_adapter_openai::OpenAi;
use aiagent_wire::types::{Auth, Message, ModelError, Request, Role, Settings};
use aiagent_wire::vendor::Vendor;
use serde_json::{Value, json};

fn settings(stream: bool, extra: &[(&str, &str)]) -> Settings {
    let extra = extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Settings { model: "gpt-4o".to_owned(), stream, extra }
}

fn request() -> Request {
    let message = |role, content: &str| Message { role, content: content.to_owned() };
    Request {
        messages: vec![message(Role::System, "Answer with code."), message(Role::User, "größer \"→\"\n")],
        temperature: Some(0.8),
        max_tokens: Some(512),
        stop: vec!["```".to_owned()],
        seed: Some(7),
    }
}

fn body_of(request: &Request, settings: &Settings) -> Result<Value, ModelError> {
    let mut notes = Vec::new();
    let encoded = OpenAi::encode(request, settings, &mut notes)?;
    assert_eq!(notes, []);
    assert_eq!(encoded.path, "/chat/completions");
    assert_eq!(encoded.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    Ok(serde_json::from_slice(&encoded.body).expect("the body is JSON"))
}

#[test]
fn a_request_says_all_that_was_asked() {
    let messages = json!([
        { "role": "system", "content": "Answer with code." },
        { "role": "user", "content": "größer \"→\"\n" },
    ]);
    assert_eq!(
        body_of(&request(), &settings(true, &[])),
        Ok(json!({
            "model": "gpt-4o", "messages": messages, "stream": true,
            "stream_options": { "include_usage": true },
            "temperature": 0.8, "max_tokens": 512, "stop": ["```"], "seed": 7,
        }))
    );
    let bare = Request { messages: request().messages, ..Request::default() };
    assert_eq!(
        body_of(&bare, &settings(false, &[])),
        Ok(json!({ "model": "gpt-4o", "messages": messages, "stream": false }))
    );
}

#[test]
fn the_operators_keys_go_into_the_body_over_the_steps() {
    let extra = [
        ("max_tokens_field", "max_completion_tokens"),
        ("top_p", "0.9"),
        ("reasoning_effort", "low"),
        ("provider", r#"{"order":["azure"]}"#),
        ("temperature", "null"),
        ("stream_options", "null"),
        ("seed", "11"),
    ];
    let body = body_of(&request(), &settings(true, &extra)).expect("a valid request");
    assert_eq!(
        body,
        json!({
            "model": "gpt-4o", "messages": body["messages"], "stream": true,
            "max_completion_tokens": 512, "stop": ["```"], "seed": 11,
            "top_p": 0.9, "reasoning_effort": "low", "provider": { "order": ["azure"] },
        })
    );
}

/// Some servers keep the seed in an `int32`, and take -1 (all bits set) for unseeded.
#[test]
fn a_seed_fits_every_server_and_stays_reproducible() {
    let seed = |seed| {
        let body = body_of(&Request { seed: Some(seed), ..request() }, &settings(true, &[]));
        body.expect("a valid request")["seed"].as_i64().expect("a number")
    };
    for wide in [0, 1, u64::MAX, 1 << 31, 1 << 63, 0xffff_ffff] {
        assert!((0..=i64::from(i32::MAX)).contains(&seed(wide)), "{wide}");
        assert_eq!(seed(wide), seed(wide));
    }
    assert_ne!(seed(1 << 40), seed(1 << 41), "the upper half counts");
}

#[test]
fn a_mistake_in_the_configuration_is_named() {
    let no_model = Settings { model: " ".to_owned(), ..settings(true, &[]) };
    let cases = [
        (settings(true, &[("max_tokens_field", "tokens")]), "max_completion_tokens"),
        (settings(true, &[("messages", "[]")]), "`messages`"),
        (settings(true, &[("n", "3")]), "`n`"),
        (no_model, "names no model"),
    ];
    for (settings, said) in cases {
        let described = OpenAi::describe(&settings).expect_err("a mistake");
        let encoded = body_of(&request(), &settings).expect_err("a mistake");
        for error in [described, encoded] {
            assert!(matches!(&error, ModelError::InvalidRequest(what) if what.contains(said)), "{error:?}");
        }
    }
    for bad in [Request::default(), Request { temperature: Some(f32::NAN), ..request() }] {
        assert!(matches!(body_of(&bad, &settings(true, &[])), Err(ModelError::InvalidRequest(_))));
    }
}

#[test]
fn the_description_names_key_and_address() {
    let description = OpenAi::describe(&settings(true, &[])).expect("good settings");
    assert_eq!(description.name, "openai-chat");
    assert_eq!(description.auth, Auth::Bearer);
    assert_eq!(description.default_base_url.as_deref(), Some("https://api.openai.com/v1"));
}
