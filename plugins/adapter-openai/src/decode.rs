use aiagent_wire::draft::Draft;
use aiagent_wire::failure::Failure;
use aiagent_wire::json::{self, Fields};
use aiagent_wire::quote::quote;
use aiagent_wire::types::{Finish, ModelError, Note, Usage};
use serde_json::Value;

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

/// Reads a chunk of a stream, or a whole answer. Servers leave out or null nearly everything. Returns
/// the number of choices.
fn read(json: &str, draft: &mut Draft) -> Result<usize, ModelError> {
    let malformed = |what: String| ModelError::Malformed(format!("{what} in: {}", quote(json.as_bytes())));
    json::object(json, |chunk| {
        // Older vLLM sends an error's fields without `error` around them.
        let is_bare = chunk.get("choices").is_none() && chunk.get("usage").is_none();
        let error = chunk.get("error").is_some();
        if error || is_bare {
            match Failure::of_json(json) {
                Some(failure) => return Err(failure.into_error()),
                None if !error => {}
                None => {
                    let said = quote(json.as_bytes());
                    return Err(ModelError::Malformed(format!("an error without words: {said}")));
                }
            }
        }
        read_about(chunk, draft).map_err(malformed)?;
        let choices = chunk.list("choices").map_err(malformed)?.unwrap_or_default();
        for choice in choices {
            let choice = Choice::of(choice, draft.has_text()).map_err(malformed)?;
            if choice.index != 0 {
                continue;
            }
            if let Some(piece) = choice.piece {
                read_piece(piece, draft, malformed)?;
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                let finish = finish(reason, draft)?;
                draft.finish(finish);
            }
        }
        Ok(choices.len())
    })
    .map_err(malformed)?
}

fn read_about(chunk: Fields, draft: &mut Draft) -> Result<(), String> {
    if let Some(model) = chunk.text("model")? {
        draft.model(model);
    }
    if let Some(usage) = chunk.fields("usage")? {
        let (input, output) = (usage.number("prompt_tokens")?, usage.number("completion_tokens")?);
        if input.is_some() || output.is_some() {
            let usage = Usage { input_tokens: input.unwrap_or(0), output_tokens: output.unwrap_or(0) };
            draft.usage(usage);
        }
    }
    Ok(())
}

struct Choice<'a> {
    index: u64,
    piece: Option<Fields<'a>>,
    finish_reason: Option<&'a str>,
}

impl<'a> Choice<'a> {
    fn of(choice: &'a Value, has_text: bool) -> Result<Self, String> {
        let choice = Fields::of(choice).ok_or("a choice is no object")?;
        // A last chunk may repeat the whole message: it is read only where there were no pieces.
        let message = choice.fields("message")?.filter(|_| !has_text);
        Ok(Self {
            index: choice.number("index")?.unwrap_or(0),
            piece: choice.fields("delta")?.or(message),
            finish_reason: choice.text("finish_reason")?,
        })
    }
}

fn read_piece(
    piece: Fields,
    draft: &mut Draft,
    malformed: impl Fn(String) -> ModelError,
) -> Result<(), ModelError> {
    // DeepSeek, vLLM, llama.cpp, LM Studio; OpenRouter, Ollama, newer vLLM. Some send two with the same text.
    let thoughts = ["reasoning_content", "reasoning", "thinking"].map(|name| piece.get(name));
    if let Some(thought) = thoughts.into_iter().flatten().map(all_text).find(|text| !text.is_empty()) {
        draft.thinking(&thought);
    }
    match piece.get("content") {
        Some(Value::String(text)) => draft.text(text)?,
        Some(Value::Array(parts)) if parts.iter().all(Value::is_object) => {
            for part in parts.iter().filter_map(Fields::of) {
                // Mistral's reasoning models nest their thinking in the content.
                draft.thinking(&part.get("thinking").map(all_text).unwrap_or_default());
                draft.refusal(part.text("refusal").map_err(&malformed)?.unwrap_or_default());
                draft.text(part.text("text").map_err(&malformed)?.unwrap_or_default())?;
            }
        }
        Some(_) => {
            draft.note(Note::warn("the answer's content is neither text nor a list of parts: left out"));
        }
        None => {}
    }
    draft.refusal(piece.text("refusal").map_err(&malformed)?.unwrap_or_default());
    if piece.list("tool_calls").map_err(&malformed)?.is_some_and(|calls| !calls.is_empty()) {
        draft.note(Note::warn("the model called a tool although none was offered: left out"));
    }
    Ok(())
}

/// Nesting ends where serde_json's recursion limit ends it: 128 levels.
fn all_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let parts = parts.iter().filter_map(Fields::of);
            let texts = parts.flat_map(|part| [part.get("text"), part.get("thinking")]);
            texts.flatten().map(all_text).collect()
        }
        _ => String::new(),
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
