use aiagent_wire::draft::Draft;
use aiagent_wire::failure::Failure;
use aiagent_wire::quote::quote;
use aiagent_wire::types::{Finish, ModelError, Note, Usage};
use serde::Deserialize;

/// An event of a stream, or a whole answer.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    MessageStart {
        message: Message,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Block,
    },
    MessageDelta {
        delta: Ending,
        usage: Option<Tokens>,
    },
    MessageStop,
    /// The whole answer in one piece.
    Message(Message),
    Error,
    /// `ping`, `content_block_stop`, and what the vendor adds later: it promises that unknown
    /// events can be passed over.
    #[serde(other)]
    Unread,
}

#[derive(Deserialize)]
struct Message {
    model: Option<String>,
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    usage: Option<Tokens>,
}

/// A block of content, or a piece of one.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    #[serde(alias = "text_delta")]
    Text {
        text: String,
    },
    #[serde(alias = "thinking_delta")]
    Thinking {
        thinking: String,
    },
    ToolUse,
    /// Signatures, redacted thinking, a tool's arguments, citations.
    #[serde(other)]
    Unread,
}

#[derive(Deserialize)]
struct Ending {
    stop_reason: Option<String>,
}

/// Cumulative: each report holds all tokens so far. `input_tokens` leaves out what went through
/// the prompt cache.
#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

pub(crate) fn read_whole(body: &str, draft: &mut Draft) -> Result<(), ModelError> {
    read(body, draft)?;
    if !draft.is_finished() {
        return Err(ModelError::Malformed(format!("not a whole message: {}", quote(body.as_bytes()))));
    }
    Ok(())
}

pub(crate) fn read(json: &str, draft: &mut Draft) -> Result<(), ModelError> {
    let malformed = |what: &str| ModelError::Malformed(format!("{what}: {}", quote(json.as_bytes())));
    let incoming: Incoming = match serde_json::from_str(json) {
        Ok(incoming) => incoming,
        // A gateway's error in its own shape has no `type`.
        Err(error) => return Err(gateway_error(json).unwrap_or_else(|| malformed(&error.to_string()))),
    };
    match incoming {
        Incoming::MessageStart { message } | Incoming::Message(message) => {
            if let Some(model) = &message.model {
                draft.model(model);
            }
            for block in message.content.unwrap_or_default() {
                read_block(block, draft)?;
            }
            read_usage(message.usage, draft);
            read_ending(message.stop_reason, draft);
        }
        Incoming::ContentBlockStart { content_block: block }
        | Incoming::ContentBlockDelta { delta: block } => read_block(block, draft)?,
        Incoming::MessageDelta { delta, usage } => {
            read_usage(usage, draft);
            read_ending(delta.stop_reason, draft);
        }
        Incoming::MessageStop => draft.close(),
        Incoming::Error => {
            let failure = Failure::of_json(json).map(Failure::into_error);
            return Err(failure.unwrap_or_else(|| malformed("an error without words")));
        }
        Incoming::Unread => {}
    }
    Ok(())
}

fn gateway_error(json: &str) -> Option<ModelError> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    value.get("error")?;
    Failure::of_json(json).map(Failure::into_error)
}

fn read_block(block: Block, draft: &mut Draft) -> Result<(), ModelError> {
    match block {
        Block::Text { text } => draft.text(&text)?,
        Block::Thinking { thinking } => draft.thinking(&thinking),
        Block::ToolUse => {
            draft.note(Note::warn("the model called a tool although none was offered: left out"));
        }
        Block::Unread => {}
    }
    Ok(())
}

fn read_usage(tokens: Option<Tokens>, draft: &mut Draft) {
    let Some(tokens) = tokens else { return };
    let input = [tokens.input_tokens, tokens.cache_creation_input_tokens, tokens.cache_read_input_tokens];
    draft.usage(Usage {
        input_tokens: input.into_iter().flatten().fold(0, u64::saturating_add),
        output_tokens: tokens.output_tokens.unwrap_or(0),
    });
}

fn read_ending(reason: Option<String>, draft: &mut Draft) {
    let Some(reason) = reason else { return };
    let finish = match reason.as_str() {
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
