//! Anthropic's messages format.
//!
//! Settings, next to `model` and whatever else the host reads itself:
//!
//! - `default_max_tokens`: the vendor requires a number where a step names none. 8192 by default.
//! - `anthropic_version`: the header of that name, `2023-06-01` by default.
//! - `anthropic_beta`: the header of that name, none by default.
//! - Every other key goes into the request's body, over what the step asked: as JSON where the
//!   text is JSON (`thinking = '{"type":"enabled","budget_tokens":2048}'`), else as a string. `null`
//!   takes a key out (`temperature = "null"` for a model that refuses it). `model`, `messages`,
//!   `system` and `stream` can't be set.

/// Requests.
pub mod encode;

/// Answers.
pub mod decode;

use aiagent_wire::draft::Draft;
use aiagent_wire::types::{Description, HttpRequest, ModelError, Note, Request, Settings};
use aiagent_wire::vendor::Vendor;

/// The wire format `anthropic-messages`.
pub struct Anthropic;

impl Vendor for Anthropic {
    fn describe(settings: &Settings) -> Result<Description, ModelError> {
        encode::describe(settings)
    }

    fn encode(
        request: &Request,
        settings: &Settings,
        notes: &mut Vec<Note>,
    ) -> Result<HttpRequest, ModelError> {
        encode::encode(request, settings, notes)
    }

    fn read_event(data: &str, draft: &mut Draft) -> Result<(), ModelError> {
        decode::read(data, draft)
    }

    fn read_whole(body: &str, draft: &mut Draft) -> Result<(), ModelError> {
        decode::read_whole(body, draft)
    }
}

#[cfg(target_arch = "wasm32")]
type Plugin = aiagent_wire::guest::Adapter<Anthropic>;

#[cfg(target_arch = "wasm32")]
aiagent_wire::guest::export_adapter!(Plugin);
