//! Errors of the messages API: by status, and inside a stream whose status was good.

use aiagent_adapter_anthropic::Anthropic;
use aiagent_wire::testing::read;
use aiagent_wire::types::ModelError;

fn error_of(status: u16, headers: &[(&str, &str)], body: &str) -> ModelError {
    match read::<Anthropic>(status, headers, body.as_bytes()).result {
        Err(error) => error,
        Ok(completion) => panic!("{status} {body}: {completion:?}"),
    }
}

fn body(kind: &str, message: &str) -> String {
    format!(
        r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":"req_011CS"}}"#
    )
}

#[test]
fn every_documented_error_has_its_type() {
    use ModelError as E;
    let wait: &[(&str, &str)] = &[("retry-after", "12")];
    type Case<'a> = (u16, &'a [(&'a str, &'a str)], &'a str, &'a str, fn(String) -> ModelError);
    let cases: &[Case] = &[
        (400, &[], "invalid_request_error", "messages: roles must alternate", E::InvalidRequest),
        (
            400,
            &[],
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            E::ContextTooLong,
        ),
        (
            400,
            &[],
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000, decrease input length or `max_tokens` and try again",
            E::ContextTooLong,
        ),
        (
            400,
            &[],
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            E::Auth,
        ),
        (400, &[], "invalid_request_error", "Output blocked by content filtering policy", E::ContentFilter),
        (401, &[], "authentication_error", "invalid x-api-key", E::Auth),
        (402, &[], "billing_error", "There is an issue with your billing", E::Auth),
        (403, &[], "permission_error", "Your API key lacks permission", E::Auth),
        (404, &[], "not_found_error", "model: claude-9", E::InvalidRequest),
        (413, &[], "request_too_large", "Request exceeds the maximum size", E::ContextTooLong),
        (429, wait, "rate_limit_error", "This request would exceed your rate limit", |_| {
            E::RateLimited(Some(12_000))
        }),
        (429, &[], "rate_limit_error", "This request would exceed your rate limit", |_| E::RateLimited(None)),
        (500, &[], "api_error", "Internal server error", |_| E::Overloaded(None)),
        (504, &[], "timeout_error", "The request timed out", |_| E::Overloaded(None)),
        (529, wait, "overloaded_error", "Overloaded", |_| E::Overloaded(Some(12_000))),
    ];
    for (status, headers, kind, message, expected) in cases {
        let said = format!("HTTP {status}: {message}");
        assert_eq!(error_of(*status, headers, &body(kind, message)), expected(said), "{status} {kind}");
    }
}

#[test]
fn an_error_behind_a_good_status_has_the_same_type() {
    use ModelError as E;
    let start = include_str!("fixtures/stream.sse");
    let start = &start[..start.find("event: content_block_stop").expect("in the fixture")];
    type Case<'a> = (&'a str, &'a str, fn(String) -> ModelError);
    let cases: &[Case] = &[
        ("overloaded_error", "Overloaded", |_| E::Overloaded(None)),
        ("api_error", "Internal server error", |_| E::Overloaded(None)),
        ("rate_limit_error", "Number of tokens", |_| E::RateLimited(None)),
        ("authentication_error", "invalid x-api-key", E::Auth),
        ("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", E::ContextTooLong),
        ("invalid_request_error", "no", E::InvalidRequest),
        ("timeout_error", "too slow", E::Timeout),
        ("shiny_error", "who knows", E::Other),
    ];
    for (kind, message, expected) in cases {
        let error = body(kind, message);
        let stream = format!("{start}event: error\ndata: {error}\n\n");
        assert_eq!(error_of(200, &[], &stream), expected((*message).to_owned()), "in a stream: {kind}");
        assert_eq!(error_of(200, &[], &error), expected((*message).to_owned()), "as a body: {kind}");
    }
    let gateway = r#"{"error":{"message":"Rate limited","code":429}}"#;
    assert_eq!(error_of(200, &[], gateway), E::RateLimited(None));
}
