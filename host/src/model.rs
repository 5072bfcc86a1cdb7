//! The one door to language models: HTTP, keys, egress rules, retry, ledger, recording.
//!
//! Invariant: a key never leaves this room except in a request to its model's own base URL.

mod wire;
/// How one model is reached, what it costs, and how patient we are with it.
mod config;
/// A call from its request to its answer: attempts, waits, the clock.
mod door;
/// One attempt.
mod attempt;
/// The head of a request: what an adapter may put into it.
mod head;
/// One request over the network.
mod http;
/// Which addresses a request may go to.
mod egress;
/// Reading a key, and keeping it out of everything but the one header.
mod key;
/// What a call may use, and what it cost.
mod ledger;
/// Requests and raw answers in a file, and answers from it.
mod recording;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use config::{KeySource, ModelConfig, Price, PriceError};
pub use door::{Answered, Completing, Door, DoorError, DoorEvent, Mode};
pub use egress::{Allow, AllowError};
pub use head::vet;
pub use http::{client, install_tls};
pub use recording::{RecordingError, Replay};
pub use wire::{Auth, Decoder, Description, HttpRequest, Wire, WireEvent, WireSettings};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

/// What a step asks of a model. The words of `request` in `wit/types.wit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub messages: Vec<Message>,
    pub temperature: Option<f32>,
    pub max_tokens: Option<u32>,
    pub stop: Vec<String>,
    pub seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinishReason {
    Stop,
    Length,
    ContentFilter,
    Other,
}

/// The vendor's own figures; from an adapter, 0 stands for those the vendor does not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    pub text: String,
    pub finish: FinishReason,
    pub usage: Usage,
    pub model: String,
}

/// What fits: `limits` in `wit/model.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub model: String,
    pub context_window: u32,
    pub tokens_left: Option<u64>,
}

/// Why a model gave no completion. The words of `model-error` in `wit/types.wit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "detail", rename_all = "kebab-case")]
pub enum ModelError {
    #[error("rate limited{}", wish(.0))]
    RateLimited(Option<u64>),
    #[error("the prompt is longer than the model's context: {0}")]
    ContextTooLong(String),
    #[error("the key was not accepted: {0}")]
    Auth(String),
    #[error("refused for its content: {0}")]
    ContentFilter(String),
    #[error("the model's server is overloaded or down{}", wish(.0))]
    Overloaded(Option<u64>),
    #[error("the model's answer can't be understood: {0}")]
    Malformed(String),
    #[error("the model's server refused the request: {0}")]
    InvalidRequest(String),
    #[error("no answer in time: {0}")]
    Timeout(String),
    #[error("the model can't be reached: {0}")]
    Unreachable(String),
    #[error("over budget: {0}")]
    Budget(String),
    #[error("{0}")]
    Other(String),
}

fn wish(wait_ms: &Option<u64>) -> String {
    wait_ms.map(|ms| format!("; it asks to wait {:.1} s", ms as f64 / 1000.0)).unwrap_or_default()
}

impl ModelError {
    /// Whether it is the model's server that can't serve now, whatever the request.
    pub fn is_away(&self) -> bool {
        self.is_retryable() && !matches!(self, Self::Malformed(_))
    }

    /// What the vendor itself asks to wait.
    pub fn wish(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wish) | Self::Overloaded(wish) => wish.map(Duration::from_millis),
            _ => None,
        }
    }

    /// How long to wait before the same request is sent again: up to `ceiling` at random (full jitter), as many
    /// callers come back at once otherwise, and never before the vendor's own wish.
    pub fn wait(&self, ceiling: Duration) -> Duration {
        // The hasher's keys are random, which is all the randomness that jitter needs.
        let random = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
        self.wish().unwrap_or_default().saturating_add(ceiling.mul_f64(random))
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited(_) | Self::Overloaded(_) | Self::Timeout(_) | Self::Unreachable(_) => true,
            // A cut or garbled answer is often a hiccup of a proxy.
            Self::Malformed(_) => true,
            Self::ContextTooLong(_)
            | Self::Auth(_)
            | Self::ContentFilter(_)
            | Self::InvalidRequest(_)
            | Self::Budget(_)
            | Self::Other(_) => false,
        }
    }
}
