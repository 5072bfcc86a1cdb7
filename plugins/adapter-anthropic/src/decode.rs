use aiagent_wire::draft::Draft;
use aiagent_wire::failure::Failure;
use aiagent_wire::json::{self, Fields};
use aiagent_wire::quote::quote;
use aiagent_wire::types::{Finish, ModelError, Note, Usage};

pub(crate) fn read_whole(body: &str, draft: &mut Draft) -> Result<(), ModelError> {
    read(body, draft)?;
    if !draft.is_finished() {
        return Err(ModelError::Malformed(format!("not a whole message: {}", quote(body.as_bytes()))));
    }
    Ok(())
}

/// Reads an event of a stream, or a whole answer.
pub(crate) fn read(json: &str, draft: &mut Draft) -> Result<(), ModelError> {
    let malformed = |what: String| ModelError::Malformed(format!("{what}: {}", quote(json.as_bytes())));
    json::object(json, |incoming| match incoming.text("type") {
        // A gateway's error in its own shape has no `type`.
        Ok(None) if incoming.get("error").is_some() => Err(failure(json, malformed)),
        Ok(Some("error")) => Err(failure(json, malformed)),
        Ok(Some(kind)) => read_kind(kind, incoming, draft, malformed),
        Ok(None) => Err(malformed("missing field `type`".to_owned())),
        Err(what) => Err(malformed(what)),
    })
    .map_err(malformed)?
}

fn failure(json: &str, malformed: impl Fn(String) -> ModelError) -> ModelError {
    let failure = Failure::of_json(json).map(Failure::into_error);
    failure.unwrap_or_else(|| malformed("an error without words".to_owned()))
}

fn read_kind(
    kind: &str,
    incoming: Fields,
    draft: &mut Draft,
    malformed: impl Fn(String) -> ModelError,
) -> Result<(), ModelError> {
    let inner = |name: &str| {
        let inner =
            incoming.fields(name).and_then(|inner| inner.ok_or_else(|| format!("missing field `{name}`")));
        inner.map_err(&malformed)
    };
    match kind {
        "message_start" => read_message(inner("message")?, draft, &malformed),
        "message" => read_message(incoming, draft, &malformed),
        "content_block_start" => read_block(inner("content_block")?, draft, &malformed),
        "content_block_delta" => read_block(inner("delta")?, draft, &malformed),
        "message_delta" => {
            read_usage(incoming, draft).map_err(&malformed)?;
            read_ending(inner("delta")?.text("stop_reason").map_err(&malformed)?, draft);
            Ok(())
        }
        "message_stop" => {
            draft.close();
            Ok(())
        }
        // `ping`, `content_block_stop`, and what the vendor adds later: it promises that unknown events
        // can be passed over.
        _ => Ok(()),
    }
}

fn read_message(
    message: Fields,
    draft: &mut Draft,
    malformed: &impl Fn(String) -> ModelError,
) -> Result<(), ModelError> {
    if let Some(model) = message.text("model").map_err(malformed)? {
        draft.model(model);
    }
    for block in message.list("content").map_err(malformed)?.unwrap_or_default() {
        let block = Fields::of(block).ok_or_else(|| malformed("a block is no object".to_owned()))?;
        read_block(block, draft, malformed)?;
    }
    read_usage(message, draft).map_err(malformed)?;
    read_ending(message.text("stop_reason").map_err(malformed)?, draft);
    Ok(())
}

/// A block of content, or a piece of one.
fn read_block(
    block: Fields,
    draft: &mut Draft,
    malformed: &impl Fn(String) -> ModelError,
) -> Result<(), ModelError> {
    let text = |name: &str| {
        let text = block.text(name).and_then(|text| text.ok_or_else(|| format!("a block without `{name}`")));
        text.map_err(malformed)
    };
    match text("type")? {
        "text" | "text_delta" => draft.text(text("text")?),
        "thinking" | "thinking_delta" => {
            draft.thinking(text("thinking")?);
            Ok(())
        }
        "tool_use" => {
            draft.note(Note::warn("the model called a tool although none was offered: left out"));
            Ok(())
        }
        // Signatures, redacted thinking, a tool's arguments, citations.
        _ => Ok(()),
    }
}

/// Cumulative: each report holds all tokens so far. `input_tokens` leaves out what went through the
/// prompt cache.
fn read_usage(about: Fields, draft: &mut Draft) -> Result<(), String> {
    let Some(tokens) = about.fields("usage")? else { return Ok(()) };
    let mut input_tokens: u64 = 0;
    for name in ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"] {
        input_tokens = input_tokens.saturating_add(tokens.number(name)?.unwrap_or(0));
    }
    draft.usage(Usage { input_tokens, output_tokens: tokens.number("output_tokens")?.unwrap_or(0) });
    Ok(())
}

fn read_ending(reason: Option<&str>, draft: &mut Draft) {
    let Some(reason) = reason else { return };
    let finish = match reason {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::ContentFilter,
        "tool_use" | "pause_turn" => Finish::Other,
        unknown => {
            draft.note(Note::warn(format!("stop reason `{}`: taken as `other`", quote(unknown.as_bytes()))));
            Finish::Other
        }
    };
    draft.finish(finish);
}
