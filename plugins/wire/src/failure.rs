use std::fmt;

use serde_json::Value;

use crate::json::Fields;
use crate::types::{Header, ModelError};
use crate::{date, quote};

/// What an error's body, or an error inside a stream, says; of any of the known vendors, because
/// gateways pass one vendor's errors on in another's format.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Failure {
    status: u16,
    /// The vendor's words for the kind of error (`type`, `code`), in lower case.
    words: Vec<String>,
    message: String,
    /// The server's wish, in milliseconds.
    retry_after: Option<u64>,
    /// The body is one of the known JSON shapes.
    known: bool,
}

/// What an error says of itself.
#[derive(Default)]
struct Details<'a> {
    message: Option<&'a Value>,
    /// Kind, code and status.
    words: [Option<&'a Value>; 3],
    /// OpenRouter's: the provider's own words, and why its moderation refused.
    metadata: Option<Fields<'a>>,
}

impl<'a> Details<'a> {
    fn of(fields: Fields<'a>) -> Self {
        Self {
            message: fields.get("message"),
            words: ["type", "code", "status"].map(|name| fields.get(name)),
            metadata: fields.get("metadata").and_then(Fields::of),
        }
    }

    /// `{"error": {…}}` of nearly all, `{"error": "…"}` of Ollama and LM Studio, `{"detail": …}` of
    /// FastAPI servers, `{"message": …}` of older vLLM and of gateways.
    fn find(envelope: Fields<'a>) -> Self {
        let flat = Self::of(envelope);
        match (envelope.get("error"), envelope.get("detail")) {
            (Some(error), _) if error.is_object() => Fields::of(error).map(Self::of).unwrap_or_default(),
            (Some(text @ Value::String(_)), _) => Self { message: Some(text), ..flat },
            (Some(other), _) | (None, Some(other)) => Self { message: Some(other), ..Self::default() },
            (None, None) => flat,
        }
    }
}

impl Failure {
    /// Reads the body of a response with an error status.
    pub fn read(status: u16, headers: &[Header], body: &[u8]) -> Self {
        let mut failure = str::from_utf8(body)
            .ok()
            .and_then(Self::of_json)
            .unwrap_or_else(|| Self { message: quote::first_line(body), ..Self::default() });
        failure.status = status;
        failure.retry_after = retry_after(headers);
        if (300..400).contains(&status) {
            let to = header(headers, "location").unwrap_or("nowhere");
            failure.message = format!("redirected to {}; redirects are not followed", quote::message(to));
        }
        failure
    }

    /// Reads an error that came with a good status: a JSON body, or an event of a stream. The
    /// status is then the one its `code` names, if any. `None` where the text is no error.
    pub fn of_json(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix("data:").unwrap_or(text).trim();
        let value: Value = serde_json::from_str(text).ok()?;
        // Google's compatible endpoint puts its error into a list.
        let envelope = value.as_array().map_or(Some(&value), |list| list.first())?;
        let details = Details::find(Fields::of(envelope)?);
        let mut message = details.message.map(plain).unwrap_or_default();
        let mut words: Vec<String> = details.words.into_iter().flatten().map(plain).collect();
        if let Some(metadata) = details.metadata {
            if metadata.get("reasons").is_some() {
                words.push("moderation".to_owned());
            }
            if let Some(raw) = metadata.get("raw") {
                message = format!("{message}: {}", plain(raw));
            }
        }
        if message.is_empty() && words.is_empty() {
            return None;
        }
        words.iter_mut().for_each(|word| word.make_ascii_lowercase());
        let status = words
            .iter()
            .find_map(|word| word.parse().ok())
            .filter(|code| (300..600).contains(code))
            .unwrap_or(0);
        Some(Self { status, words, message: quote::message(&message), retry_after: None, known: true })
    }

    /// The typed error. The vendor's words go before the status, which gateways change.
    ///
    /// A spent quota or a missing payment is `Auth`, although it comes as 429: waiting does not
    /// help, and the operator has to act on the account.
    pub fn into_error(self) -> ModelError {
        let said = self.to_string();
        if !matches!(self.status, 401 | 403) && self.is_context_too_long() {
            return ModelError::ContextTooLong(said);
        }
        if self.has(&["content_filter", "content_policy_violation", "moderation", "moderation_error"])
            || self.contains(&["blocked by content filtering"])
        {
            return ModelError::ContentFilter(said);
        }
        let no_credit = self.status == 402 || self.contains(&["credit balance is too low"]);
        if no_credit || self.has(&["insufficient_quota", "billing_error", "billing_hard_limit_reached"]) {
            return ModelError::Auth(said);
        }
        // Pydantic's words: llama-cpp-python answers 500 to a request that will never be right.
        if self.contains(&["validation error"]) && self.contains(&["'loc'"]) {
            return ModelError::InvalidRequest(said);
        }
        if !self.known && self.status < 300 {
            return ModelError::Malformed(said);
        }
        match self.status {
            401 | 403 => ModelError::Auth(said),
            408 => ModelError::Timeout(said),
            413 => ModelError::ContextTooLong(said),
            429 => ModelError::RateLimited(self.retry_after),
            500..=599 => ModelError::Overloaded(self.retry_after),
            300..=499 => ModelError::InvalidRequest(said),
            _ => self.by_words(said),
        }
    }

    /// For errors without a status of their own: those inside a stream.
    fn by_words(self, said: String) -> ModelError {
        let table: [(&[&str], ModelError); 5] = [
            (
                &["rate_limit_error", "rate_limit_exceeded", "too_many_requests"],
                ModelError::RateLimited(self.retry_after),
            ),
            (
                &[
                    "overloaded_error",
                    "api_error",
                    "server_error",
                    "internal_server_error",
                    "internalservererror",
                    "service_unavailable",
                    "unavailable_error",
                ],
                ModelError::Overloaded(self.retry_after),
            ),
            (
                &["authentication_error", "permission_error", "invalid_api_key"],
                ModelError::Auth(said.clone()),
            ),
            (
                &["invalid_request_error", "not_found_error", "badrequesterror", "model_not_found"],
                ModelError::InvalidRequest(said.clone()),
            ),
            (&["timeout_error"], ModelError::Timeout(said.clone())),
        ];
        let found = table.into_iter().find(|(words, _)| self.has(words));
        found.map_or(ModelError::Other(said), |(_, error)| error)
    }

    fn has(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    fn contains(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    fn is_context_too_long(&self) -> bool {
        self.has(&["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"])
            || self.contains(CONTEXT_TOO_LONG)
    }
}

/// In lower case. Where no vendor is named, several use the words.
const CONTEXT_TOO_LONG: &[&str] = &[
    "maximum context length",               // OpenAI, vLLM, OpenRouter, llama-cpp-python
    "exceeds the context window",           // OpenAI
    "request too large for",                // OpenAI, Groq: more tokens than a whole minute allows
    "available context size",               // llama.cpp: exceeds the …
    "context size has been exceeded",       // llama.cpp, while generating
    "exceed context window",                // llama-cpp-python
    "longer than the maximum model length", // vLLM
    "exceeds the context length",           // Ollama
    "exceeded max context length",          // Ollama
    "model's context length is only",       // vLLM from 0.16
    "max_tokens must be at least 1, got -", // vLLM before 0.6: what the prompt leaves
    "exceed n_ctx",                         // llama-box
    "greater than the context length",      // LM Studio: tokens to keep …
    "when context the overflows",           // LM Studio, in its own spelling
    "loaded with context length of only",   // LM Studio
    "prompt is too long",                   // Anthropic
    "exceed context limit",                 // Anthropic: input length and `max_tokens` …
    "maximum prompt length",                // xAI
    "exceeds the maximum number of tokens allowed", // Google
    "longer than the model's context length", // SGLang
    "tokens + `max_new_tokens` must be",    // TGI, Together
    "input is too long for requested model", // Bedrock
    "too many tokens: ",                    // Cohere
];

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.status != 0 {
            write!(f, "HTTP {}: ", self.status)?;
        }
        match (self.message.as_str(), self.words.first()) {
            ("", None) => f.write_str("the body is empty"),
            ("", Some(word)) => f.write_str(word),
            (message, _) => f.write_str(message),
        }
    }
}

/// A string as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// A header's value; `name` is in lower case, as the headers are.
pub fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
}

/// The server's wish in milliseconds, from `retry-after-ms` or `retry-after`: seconds, or a date, which is
/// measured by the server's own `date`, as an adapter has no clock.
pub fn retry_after(headers: &[Header]) -> Option<u64> {
    let number = |name: &str, unit: f64| {
        let value: f64 = header(headers, name)?.parse().ok()?;
        // Rounded up: coming back too early counts as one more request.
        (value.is_finite() && value >= 0.0).then(|| (value * unit).ceil() as u64)
    };
    let until = || {
        let seconds = |name| date::seconds(header(headers, name)?);
        Some(1000 * u64::try_from(seconds("retry-after")? - seconds("date")?).unwrap_or(0))
    };
    number("retry-after-ms", 1.0).or_else(|| number("retry-after", 1000.0)).or_else(until)
}
