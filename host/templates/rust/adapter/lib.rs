//! Ollama's own wire format, <https://github.com/ollama/ollama/blob/main/docs/api.md>: one JSON object
//! a line while it streams, one object otherwise. What is here needs no sandbox, and is tested without one.

#[cfg(target_arch = "wasm32")]
mod plugin;

use serde_json::{Map, Value, json};

/// A `model-error` of the contract, as far as this adapter has cause for one.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    RateLimited(Option<u64>),
    Auth(String),
    Overloaded(Option<u64>),
    Malformed(String),
    InvalidRequest(String),
}

/// The body of a request. `messages`: pairs of role and content; options that are `null` are left out.
///
/// # Errors
/// `InvalidRequest` for a setting that is not JSON.
pub fn body(
    model: &str,
    messages: &[(&str, &str)],
    stream: bool,
    options: Value,
    extra: &[(String, String)],
) -> Result<Vec<u8>, Failure> {
    let mut options = match options {
        Value::Object(options) => options,
        _ => Map::new(),
    };
    options.retain(|_, value| !value.is_null());
    for (key, value) in extra {
        let parsed = serde_json::from_str(value)
            .map_err(|_| Failure::InvalidRequest(format!("extra.{key} = {value}: not JSON")))?;
        options.insert(key.clone(), parsed);
    }
    let messages: Vec<_> =
        messages.iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
    let body = json!({ "model": model, "messages": messages, "stream": stream, "options": options });
    Ok(body.to_string().into_bytes())
}

/// Reads one response, cut anywhere.
pub struct Answer {
    status: u16,
    retry_after: Option<u64>,
    rest: Vec<u8>,
    text: String,
    last: Option<Value>,
    bad: Option<String>,
}

/// A whole answer.
#[derive(Debug, PartialEq)]
pub struct Finished {
    pub text: String,
    /// Ollama's word: `stop`, `length` or another.
    pub reason: String,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub model: Option<String>,
}

impl Answer {
    pub fn new(status: u16, headers: &[(String, String)]) -> Self {
        let seconds = headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value);
        let retry_after = seconds.and_then(|seconds| seconds.parse::<u32>().ok());
        let retry_after = retry_after.map(|seconds| u64::from(seconds) * 1000);
        Self { status, retry_after, rest: Vec::new(), text: String::new(), last: None, bad: None }
    }

    /// Takes bytes and returns the texts that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut texts = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            // An error is one body, whatever its lines.
            if self.status == 200 && piece.ends_with(b"\n") {
                texts.push(self.read());
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    }

    /// # Errors
    /// What the answer amounts to, where it is not a whole one.
    pub fn finish(&mut self) -> Result<Finished, Failure> {
        if self.status != 200 {
            return Err(self.failure());
        }
        self.read();
        if let Some(bad) = &self.bad {
            return Err(Failure::Malformed(format!("not a message: {bad}")));
        }
        let Some(last) = &self.last else {
            return Err(Failure::Malformed("the answer ends before its last message".to_owned()));
        };
        let count = |key: &str| last[key].as_u64().unwrap_or(0);
        Ok(Finished {
            text: std::mem::take(&mut self.text),
            reason: last["done_reason"].as_str().unwrap_or_default().to_owned(),
            input_tokens: count("prompt_eval_count"),
            output_tokens: count("eval_count"),
            model: last["model"].as_str().map(str::to_owned),
        })
    }

    /// The text of the line in `rest`.
    fn read(&mut self) -> String {
        let line = std::mem::take(&mut self.rest);
        if self.bad.is_some() || line.trim_ascii().is_empty() {
            return String::new();
        }
        let Some(message) = serde_json::from_slice(&line).ok().filter(is_message) else {
            let start = &line[..line.len().min(200)];
            self.bad = Some(String::from_utf8_lossy(start).trim_end().to_owned());
            return String::new();
        };
        let text = message["message"]["content"].as_str().unwrap_or_default().to_owned();
        self.text.push_str(&text);
        if message["done"] == true {
            self.last = Some(message);
        }
        text
    }

    fn failure(&self) -> Failure {
        let said = serde_json::from_slice::<Value>(&self.rest).ok();
        let said = said.and_then(|body| Some(body["error"].as_str()?.to_owned()));
        // Not Ollama's own words: a proxy's page, most likely.
        let page = || String::from_utf8_lossy(&self.rest[..self.rest.len().min(1000)]).into_owned();
        let said = format!("{}: {}", self.status, said.unwrap_or_else(page));
        match self.status {
            429 => Failure::RateLimited(self.retry_after),
            500.. => Failure::Overloaded(self.retry_after),
            401 | 403 => Failure::Auth(said),
            _ => Failure::InvalidRequest(said),
        }
    }
}

fn is_message(value: &Value) -> bool {
    value.is_object() && value.get("error").is_none()
}
