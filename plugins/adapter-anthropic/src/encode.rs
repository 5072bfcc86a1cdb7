use aiagent_wire::body::{decimal, merge_extra, require_model, setting};
use aiagent_wire::types::{Auth, Description, HttpRequest, ModelError, Note, Request, Role, Settings};
use serde_json::{Map, Value, json};

const DEFAULT_MAX_TOKENS: &str = "default_max_tokens";
const VERSION: &str = "anthropic_version";
const BETA: &str = "anthropic_beta";
const OWN: &[&str] = &[DEFAULT_MAX_TOKENS, VERSION, BETA];
const FIXED: &[&str] = &["model", "messages", "system", "stream"];

/// Enough for a module of code, and within what every model since Claude 3.5 can write.
const MAX_TOKENS: u32 = 8192;

/// Other vendors take up to 2; this one refuses what is above 1.
const MAX_TEMPERATURE: f32 = 1.0;

/// The only version of the API since it left beta.
const CURRENT_VERSION: &str = "2023-06-01";

pub(crate) fn describe(settings: &Settings) -> Result<Description, ModelError> {
    require_model(settings)?;
    default_max_tokens(settings)?;
    merge_extra(&mut Map::new(), settings, OWN, FIXED)?;
    Ok(Description {
        name: "anthropic-messages".to_owned(),
        auth: Auth::Header("x-api-key".to_owned()),
        default_base_url: Some("https://api.anthropic.com".to_owned()),
    })
}

pub(crate) fn encode(
    request: &Request,
    settings: &Settings,
    notes: &mut Vec<Note>,
) -> Result<HttpRequest, ModelError> {
    require_model(settings)?;
    // The format has no system role: all that is said so stands above the conversation.
    let (system, talk): (Vec<_>, Vec<_>) =
        request.messages.iter().partition(|message| message.role == Role::System);
    if talk.is_empty() {
        return Err(ModelError::InvalidRequest("the request has no user message".to_owned()));
    }
    let messages: Vec<Value> = talk
        .iter()
        .map(|message| json!({ "role": message.role.as_str(), "content": message.content }))
        .collect();

    let mut body = Map::new();
    body.insert("model".to_owned(), settings.model.clone().into());
    body.insert("messages".to_owned(), messages.into());
    body.insert("stream".to_owned(), settings.stream.into());
    let most = match request.max_tokens {
        Some(most) => most,
        None => default_max_tokens(settings)?,
    };
    body.insert("max_tokens".to_owned(), most.into());
    if !system.is_empty() {
        let system: Vec<&str> = system.iter().map(|message| message.content.as_str()).collect();
        body.insert("system".to_owned(), system.join("\n\n").into());
    }
    if let Some(asked) = request.temperature {
        let hot = asked > MAX_TEMPERATURE;
        if hot {
            notes.push(Note::warn(format!("temperature {asked} is above this vendor's 1: sent as 1")));
        }
        let sent = decimal(if hot { MAX_TEMPERATURE } else { asked })?;
        body.insert("temperature".to_owned(), sent.into());
    }
    if let Some(blank) = request.stop.iter().find(|stop| stop.trim().is_empty()) {
        return Err(ModelError::InvalidRequest(format!(
            "the stop text {blank:?} is blank, which this vendor refuses"
        )));
    }
    if !request.stop.is_empty() {
        body.insert("stop_sequences".to_owned(), request.stop.clone().into());
    }
    merge_extra(&mut body, settings, OWN, FIXED)?;

    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("anthropic-version".to_owned(), setting(settings, VERSION).unwrap_or(CURRENT_VERSION).to_owned()),
    ];
    if let Some(beta) = setting(settings, BETA) {
        headers.push(("anthropic-beta".to_owned(), beta.to_owned()));
    }
    Ok(HttpRequest {
        path: "/v1/messages".to_owned(),
        headers,
        body: Value::Object(body).to_string().into_bytes(),
    })
}

fn default_max_tokens(settings: &Settings) -> Result<u32, ModelError> {
    let Some(text) = setting(settings, DEFAULT_MAX_TOKENS) else { return Ok(MAX_TOKENS) };
    text.trim().parse().ok().filter(|most| *most > 0).ok_or_else(|| {
        ModelError::InvalidRequest(format!(
            "the setting `{DEFAULT_MAX_TOKENS}` is `{text}`; it must be a number of tokens from 1"
        ))
    })
}
