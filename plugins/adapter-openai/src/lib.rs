//! The chat completions format, as OpenAI, Ollama, llama.cpp, vLLM, LM Studio and OpenRouter speak it.
//!
//! Settings, next to `model` and whatever else the host reads itself:
//!
//! - `max_tokens_field`: `max_tokens` (default) or `max_completion_tokens`, which OpenAI's reasoning
//!   models ask for.
//! - Every other key goes into the request's body, over what the step asked: as JSON where the
//!   text is JSON (`0.9`, `true`, `{"type": "json_object"}`), else as a string. `null` takes a key
//!   out (`stream_options = "null"` for a server that refuses it). `model`, `messages`, `stream` and
//!   `n` can't be set.

/// Requests.
pub mod encode;

/// Answers.
pub mod decode;

use aiagent_wire::draft::Draft;
use aiagent_wire::types::{Description, HttpRequest, ModelError, Note, Request, Settings};
use aiagent_wire::vendor::Vendor;

/// The wire format `openai-chat`.
pub struct OpenAi;

impl Vendor for OpenAi {
    fn describe(settings: &Settings) -> Result<Description, ModelError> {
        encode::describe(settings)
    }

    fn encode(request: &Request, settings: &Settings, _: &mut Vec<Note>) -> Result<HttpRequest, ModelError> {
        encode::encode(request, settings)
    }

    fn read_event(data: &str, draft: &mut Draft) -> Result<(), ModelError> {
        decode::read_event(data, draft)
    }

    fn read_whole(body: &str, draft: &mut Draft) -> Result<(), ModelError> {
        decode::read_whole(body, draft)
    }
}

#[cfg(target_arch = "wasm32")]
type Plugin = aiagent_wire::guest::Adapter<OpenAi>;

#[cfg(target_arch = "wasm32")]
aiagent_wire::guest::export_adapter!(Plugin);
