use aiagent_wire::draft::Draft;
use aiagent_wire::failure::Failure;
use aiagent_wire::quote::quote;
use aiagent_wire::types::{Finish, ModelError, Note, Usage};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A chunk of a stream, or a whole answer. Servers leave out or null nearly everything.
#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Tokens>,
    model: Option<String>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    index: Option<u64>,
    delta: Option<Piece>,
    message: Option<Piece>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Piece {
    content: Option<Content>,
    refusal: Option<String>,
    /// DeepSeek, vLLM, llama.cpp, LM Studio.
    reasoning_content: Option<Content>,
    /// OpenRouter, Ollama, newer vLLM; some send it next to `reasoning_content`, with the same text.
    reasoning: Option<Content>,
    thinking: Option<Content>,
    tool_calls: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
    Unknown(IgnoredAny),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    refusal: Option<String>,
    /// Mistral's reasoning models nest their thinking in the content.
    thinking: Option<Content>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

pub(crate) fn read_event(data: &str, draft: &mut Draft) -> Result<(), ModelError> {
    if data.trim() == "[DONE]" {
        draft.close();
        return Ok(());
    }
    read(data, draft).map(drop)
}

pub(crate) fn read_whole(body: &str, draft: &mut Draft) -> Result<(), ModelError> {
    if read(body, draft)? == 0 {
        return Err(ModelError::Malformed(format!("the answer holds no choice: {}", quote(body.as_bytes()))));
    }
    Ok(())
}

/// Returns the number of choices.
fn read(json: &str, draft: &mut Draft) -> Result<usize, ModelError> {
    let chunk: Chunk = serde_json::from_str(json)
        .map_err(|error| ModelError::Malformed(format!("{error} in: {}", quote(json.as_bytes()))))?;
    // Older vLLM sends an error's fields without `error` around them.
    let is_bare = chunk.choices.is_none() && chunk.usage.is_none();
    if chunk.error.is_some() || is_bare {
        match Failure::of_json(json) {
            Some(failure) => return Err(failure.into_error()),
            None if is_bare && chunk.error.is_none() => {}
            None => {
                let said = quote(json.as_bytes());
                return Err(ModelError::Malformed(format!("an error without words: {said}")));
            }
        }
    }
    if let Some(model) = &chunk.model {
        draft.model(model);
    }
    if let Some(Tokens { prompt_tokens, completion_tokens }) = chunk.usage
        && (prompt_tokens.is_some() || completion_tokens.is_some())
    {
        draft.usage(Usage {
            input_tokens: prompt_tokens.unwrap_or(0),
            output_tokens: completion_tokens.unwrap_or(0),
        });
    }
    let choices = chunk.choices.unwrap_or_default();
    let count = choices.len();
    for choice in choices.into_iter().filter(|choice| choice.index.unwrap_or(0) == 0) {
        // A last chunk may repeat the whole message: it is read only where there were no pieces.
        let repeated = draft.has_text();
        if let Some(piece) = choice.delta.or(choice.message.filter(|_| !repeated)) {
            read_piece(piece, draft)?;
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            let finish = finish(&reason, draft)?;
            draft.finish(finish);
        }
    }
    Ok(count)
}

fn read_piece(piece: Piece, draft: &mut Draft) -> Result<(), ModelError> {
    let thoughts = [piece.reasoning_content, piece.reasoning, piece.thinking];
    if let Some(thought) = thoughts.into_iter().flatten().map(all_text).find(|text| !text.is_empty()) {
        draft.thinking(&thought);
    }
    match piece.content {
        Some(Content::Text(text)) => draft.text(&text)?,
        Some(Content::Parts(parts)) => {
            for part in parts {
                if let Some(thought) = part.thinking {
                    draft.thinking(&all_text(thought));
                }
                draft.refusal(&part.refusal.unwrap_or_default());
                draft.text(&part.text.unwrap_or_default())?;
            }
        }
        Some(Content::Unknown(_)) => {
            draft.note(Note::warn("the answer's content is neither text nor a list of parts: left out"));
        }
        None => {}
    }
    draft.refusal(&piece.refusal.unwrap_or_default());
    if piece.tool_calls.is_some_and(|calls| !calls.is_empty()) {
        draft.note(Note::warn("the model called a tool although none was offered: left out"));
    }
    Ok(())
}

/// Nesting ends where serde_json's recursion limit ends it: 128 levels.
fn all_text(content: Content) -> String {
    match content {
        Content::Text(text) => text,
        Content::Parts(parts) => parts
            .into_iter()
            .map(|part| part.text.unwrap_or_default() + &part.thinking.map(all_text).unwrap_or_default())
            .collect(),
        Content::Unknown(_) => String::new(),
    }
}

fn finish(reason: &str, draft: &mut Draft) -> Result<Finish, ModelError> {
    Ok(match reason {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Finish::Stop,
        "length" | "max_tokens" | "model_length" => Finish::Length,
        "content_filter" | "safety" => Finish::ContentFilter,
        "tool_calls" | "function_call" => Finish::Other,
        // DeepSeek ran out of machines in the middle of the answer.
        "insufficient_system_resource" => return Err(ModelError::Overloaded(None)),
        // OpenRouter: the provider broke off. Its own words, if any, come as `error`.
        "error" => return Err(ModelError::Other("the provider ended the answer with an error".to_owned())),
        unknown => {
            draft
                .note(Note::warn(format!("finish reason `{}`: taken as `other`", quote(unknown.as_bytes()))));
            Finish::Other
        }
    })
}
