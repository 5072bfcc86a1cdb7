use aiagent_wire::body::{decimal, merge_extra, require_model, setting};
use aiagent_wire::types::{Auth, Description, HttpRequest, ModelError, Request, Settings};
use serde_json::{Map, Value, json};

/// The setting that names the field for the most tokens to generate.
const MAX_TOKENS_FIELD: &str = "max_tokens_field";

/// More than one answer (`n`) would be paid for and not read.
const FIXED: &[&str] = &["model", "messages", "stream", "n"];

pub(crate) fn describe(settings: &Settings) -> Result<Description, ModelError> {
    require_model(settings)?;
    max_tokens_field(settings)?;
    merge_extra(&mut Map::new(), settings, &[MAX_TOKENS_FIELD], FIXED)?;
    Ok(Description {
        name: "openai-chat".to_owned(),
        auth: Auth::Bearer,
        default_base_url: Some("https://api.openai.com/v1".to_owned()),
    })
}

pub(crate) fn encode(request: &Request, settings: &Settings) -> Result<HttpRequest, ModelError> {
    require_model(settings)?;
    if request.messages.is_empty() {
        return Err(ModelError::InvalidRequest("the request has no messages".to_owned()));
    }
    let messages: Vec<Value> = request
        .messages
        .iter()
        .map(|message| json!({ "role": message.role.as_str(), "content": message.content }))
        .collect();

    let mut body = Map::new();
    body.insert("model".to_owned(), settings.model.clone().into());
    body.insert("messages".to_owned(), messages.into());
    body.insert("stream".to_owned(), settings.stream.into());
    if settings.stream {
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    if let Some(most) = request.max_tokens {
        body.insert(max_tokens_field(settings)?.to_owned(), most.into());
    }
    if let Some(temperature) = request.temperature {
        body.insert("temperature".to_owned(), decimal(temperature)?.into());
    }
    if !request.stop.is_empty() {
        body.insert("stop".to_owned(), request.stop.clone().into());
    }
    if let Some(seed) = request.seed {
        body.insert("seed".to_owned(), narrow(seed).into());
    }
    merge_extra(&mut body, settings, &[MAX_TOKENS_FIELD], FIXED)?;
    Ok(HttpRequest {
        path: "/chat/completions".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Value::Object(body).to_string().into_bytes(),
    })
}

fn max_tokens_field(settings: &Settings) -> Result<&'static str, ModelError> {
    match setting(settings, MAX_TOKENS_FIELD) {
        None | Some("max_tokens") => Ok("max_tokens"),
        Some("max_completion_tokens") => Ok("max_completion_tokens"),
        Some(other) => Err(ModelError::InvalidRequest(format!(
            "the setting `{MAX_TOKENS_FIELD}` is `{other}`; it can be `max_tokens` or `max_completion_tokens`"
        ))),
    }
}

/// Servers keep the seed in a signed 32-bit number, and some take -1 for "unseeded": 31 bits of it
/// are the same seed everywhere.
fn narrow(seed: u64) -> u64 {
    (seed ^ (seed >> 32)) & 0x7fff_ffff
}
