//! Errors of chat completions servers: by status, and inside a stream whose status was good.

use aiagent_adapter_openai::OpenAi;
use aiagent_wire::testing::read;
use aiagent_wire::types::ModelError;

/// The error without its words, so that a table can name it.
fn kind(error: &ModelError) -> String {
    match error {
        ModelError::RateLimited(wait) => format!("rate-limited {wait:?}"),
        ModelError::ContextTooLong(_) => "context-too-long".to_owned(),
        ModelError::Auth(_) => "auth".to_owned(),
        ModelError::ContentFilter(_) => "content-filter".to_owned(),
        ModelError::Overloaded(wait) => format!("overloaded {wait:?}"),
        ModelError::Malformed(_) => "malformed".to_owned(),
        ModelError::InvalidRequest(_) => "invalid-request".to_owned(),
        ModelError::Timeout(_) => "timeout".to_owned(),
        ModelError::Other(_) => "other".to_owned(),
    }
}

fn error_of(status: u16, headers: &[(&str, &str)], body: &str) -> ModelError {
    match read::<OpenAi>(status, headers, body.as_bytes()).result {
        Err(error) => error,
        Ok(completion) => panic!("{status} {body}: {completion:?}"),
    }
}

#[test]
fn every_status_and_wording_has_its_type() {
    type Case<'a> = (u16, &'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case] = &[
        // OpenAI
        (
            401,
            &[],
            r#"{"error":{"message":"Incorrect API key provided: sk-12***90.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            "auth",
        ),
        (
            403,
            &[],
            r#"{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","code":"unsupported_country_region_territory"}}"#,
            "auth",
        ),
        (
            429,
            &[("retry-after", "20")],
            r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
            "rate-limited Some(20000)",
        ),
        (429, &[("retry-after", "2"), ("retry-after-ms", "1234")], "", "rate-limited Some(1234)"),
        (429, &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], "slow down", "rate-limited None"),
        (
            429,
            &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), ("date", "Wed, 21 Oct 2026 07:27:30 GMT")],
            "slow down",
            "rate-limited Some(30000)",
        ),
        (
            503,
            &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), ("date", "Wed, 21 Oct 2026 07:29:00 GMT")],
            "",
            "overloaded Some(0)",
        ),
        (429, &[("retry-after", "0.5")], "{}", "rate-limited Some(500)"),
        (429, &[("retry-after", "-1")], "{}", "rate-limited None"),
        (
            429,
            &[("retry-after", "1")],
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            "auth",
        ),
        (
            429,
            &[],
            r#"{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 51234.","type":"tokens","code":"rate_limit_exceeded"}}"#,
            "context-too-long",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"Input tokens exceed the configured limit of 272000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            "context-too-long",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"max_tokens is too large: 100000. This model supports at most 16384 completion tokens.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}"#,
            "invalid-request",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"Your request was rejected.","type":"invalid_request_error","code":"content_policy_violation"}}"#,
            "content-filter",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400}}"#,
            "content-filter",
        ),
        (
            404,
            &[],
            r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            "invalid-request",
        ),
        (
            500,
            &[],
            r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}"#,
            "overloaded None",
        ),
        (
            503,
            &[("retry-after", "7")],
            r#"{"error":{"message":"The engine is currently overloaded","type":"service_unavailable_error"}}"#,
            "overloaded Some(7000)",
        ),
        // llama.cpp
        (
            400,
            &[],
            r#"{"error":{"code":400,"message":"request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9412,"n_ctx":8192}}"#,
            "context-too-long",
        ),
        (
            500,
            &[],
            r#"{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}"#,
            "context-too-long",
        ),
        (
            503,
            &[],
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            "overloaded None",
        ),
        (
            401,
            &[],
            r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
            "auth",
        ),
        // vLLM, before and after it took over OpenAI's envelope
        (
            400,
            &[],
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}"#,
            "context-too-long",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens, resulting in a maximum input length of 1014 tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#,
            "context-too-long",
        ),
        (
            404,
            &[],
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
            "invalid-request",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","type":"BadRequestError","code":400}}"#,
            "context-too-long",
        ),
        // Ollama
        (
            400,
            &[],
            r#"{"error":{"message":"the input length exceeds the context length","type":"invalid_request_error","param":null,"code":null}}"#,
            "context-too-long",
        ),
        (
            404,
            &[],
            r#"{"error":{"message":"model \"qwen9\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
            "invalid-request",
        ),
        (
            400,
            &[],
            r#"{"error":"prompt too long; exceeded max context length by 12 tokens"}"#,
            "context-too-long",
        ),
        // LM Studio
        (
            400,
            &[],
            r#"{"error":"Trying to keep the first 14538 tokens when context the overflows. However, the model is loaded with context length of only 2048 tokens, which is not enough."}"#,
            "context-too-long",
        ),
        // OpenRouter
        (
            400,
            &[],
            r#"{"error":{"message":"This endpoint's maximum context length is 16384 tokens. However, you requested about 94307 tokens (94307 of text input).","code":400,"metadata":{"provider_name":null}}}"#,
            "context-too-long",
        ),
        (
            400,
            &[],
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"prompt is too long: 210000 tokens > 200000 maximum\"}}","provider_name":"Anthropic"}}}"#,
            "context-too-long",
        ),
        (402, &[], r#"{"error":{"message":"Insufficient credits","code":402}}"#, "auth"),
        (
            403,
            &[],
            r#"{"error":{"code":403,"message":"Input was flagged","metadata":{"reasons":["violence"],"flagged_input":"…","provider_name":"x","model_slug":"y"}}}"#,
            "content-filter",
        ),
        (408, &[], r#"{"error":{"code":408,"message":"Your request timed out"}}"#, "timeout"),
        // SGLang, TGI, Cohere, Bedrock behind a gateway
        (
            400,
            &[],
            r#"{"object":"error","message":"The input (9000 tokens) is longer than the model's context length (8192 tokens).","type":"BadRequestError","code":400}"#,
            "context-too-long",
        ),
        (
            422,
            &[],
            r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 512 `max_new_tokens`","error_type":"validation"}"#,
            "context-too-long",
        ),
        (
            400,
            &[],
            r#"{"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000."}"#,
            "context-too-long",
        ),
        (400, &[], r#"{"message":"Input is too long for requested model."}"#, "context-too-long"),
        // Google's compatible endpoint, FastAPI servers, proxies
        (
            400,
            &[],
            r#"[{"error":{"code":400,"message":"The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
            "context-too-long",
        ),
        (404, &[], r#"{"detail":"Not Found"}"#, "invalid-request"),
        (
            422,
            &[],
            r#"{"detail":[{"loc":["body","messages"],"msg":"field required","type":"value_error.missing"}]}"#,
            "invalid-request",
        ),
        (
            413,
            &[],
            "<html><head><title>413 Request Entity Too Large</title></head></html>",
            "context-too-long",
        ),
        (502, &[], "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>", "overloaded None"),
        (529, &[("retry-after", "3")], "", "overloaded Some(3000)"),
        (301, &[("location", "https://example.com/v1")], "", "invalid-request"),
        (418, &[], "teapot", "invalid-request"),
        (400, &[], "data: {\"error\":{\"message\":\"prompt is too long\"}}\n\n", "context-too-long"),
        // Recorded: llama-cpp-python 0.3.36
        (400, &[], include_str!("fixtures/llama-cpp-python-too-long.json"), "context-too-long"),
        (500, &[], include_str!("fixtures/llama-cpp-python-bad-request.json"), "overloaded None"),
        (500, &[], include_str!("fixtures/llama-cpp-python-not-json.txt"), "overloaded None"),
        (
            500,
            &[],
            r#"{"error":{"message":"1 validation error:\n  {'type': 'list_type', 'loc': ('body', 'messages'), 'msg': 'Input should be a valid list'}","type":"internal_server_error","param":null,"code":null}}"#,
            "invalid-request",
        ),
    ];
    for (status, headers, body, expected) in cases {
        assert_eq!(kind(&error_of(*status, headers, body)), *expected, "{status} {body}");
    }
}

#[test]
fn an_error_behind_a_good_status_has_the_same_type() {
    let begun = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"def f\"}}]}\n\n";
    let cases = [
        (
            r#"{"error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            "overloaded None",
        ),
        (r#"{"error":{"code":"server_error","message":"Provider disconnected"}}"#, "overloaded None"),
        (r#"{"error":{"code":429,"message":"Rate limit exceeded"}}"#, "rate-limited None"),
        (
            r#"{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}"#,
            "rate-limited None",
        ),
        (
            r#"{"error":{"message":"This model's maximum context length is 1024 tokens.","type":"BadRequestError","param":null,"code":400}}"#,
            "context-too-long",
        ),
        (r#"{"object":"error","message":"boom","type":"InternalServerError","code":500}"#, "overloaded None"),
        (r#"{"error":"Trying to keep the first 9 tokens when context the overflows."}"#, "context-too-long"),
        (r#"{"error":{"message":"Unknown","code":"1301"}}"#, "other"),
        (r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#, "other"),
        (
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}"#,
            "overloaded None",
        ),
    ];
    for (error, expected) in cases {
        let stream = format!("{begun}event: error\ndata: {error}\n\ndata: [DONE]\n\n");
        assert_eq!(kind(&error_of(200, &[], &stream)), expected, "in a stream: {error}");
        assert_eq!(kind(&error_of(200, &[], error)), expected, "as a body: {error}");
    }
    let older_llama_cpp =
        format!("{begun}error: {{\"code\":500,\"message\":\"boom\",\"type\":\"server_error\"}}\n\n");
    assert_eq!(kind(&error_of(200, &[], &older_llama_cpp)), "overloaded None");
}

#[test]
fn an_error_keeps_the_vendors_words_and_the_log_names_the_page() {
    let too_long = error_of(400, &[], include_str!("fixtures/llama-cpp-python-too-long.json"));
    let said = "HTTP 400: This model's maximum context length is 8192 tokens. However, you requested 9046 \
                tokens (9030 in the messages, 16 in the completion). Please reduce the length of the \
                messages or completion.";
    assert_eq!(too_long, ModelError::ContextTooLong(said.to_owned()));

    let page = b"<html>\n<head><title>502 Bad Gateway</title></head></html>";
    let notes: Vec<String> = read::<OpenAi>(502, &[], page).notes.into_iter().map(|note| note.text).collect();
    assert_eq!(notes, ["HTTP 502: 502 Bad Gateway"]);

    let endless = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(9000));
    let ModelError::InvalidRequest(what) = error_of(400, &[], &endless) else { panic!("another kind") };
    assert!(what.len() < 2100, "{}", what.len());
}
