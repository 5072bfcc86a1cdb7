//! What the door needs of an adapter. `plugin::Adapter` implements it over a component.

use async_trait::async_trait;

use super::{Completion, ModelError, Request};

/// One vendor's wire format: the functions of `wit/adapter.wit`.
#[async_trait]
pub trait Wire: Send + Sync {
    async fn describe(&self, settings: &WireSettings) -> Result<Description, ModelError>;
    async fn encode(&self, request: &Request, settings: &WireSettings) -> Result<HttpRequest, ModelError>;
    /// A decoder for one response whose status and (lower-case) headers are known.
    async fn open(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        settings: &WireSettings,
    ) -> Result<Box<dyn Decoder>, ModelError>;
}

#[async_trait]
pub trait Decoder: Send {
    async fn push(&mut self, bytes: &[u8]) -> Result<Vec<WireEvent>, ModelError>;
    async fn finish(&mut self) -> Result<Completion, ModelError>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireSettings {
    pub model: String,
    pub stream: bool,
    pub extra: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    None,
    Bearer,
    Header(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub auth: Auth,
    pub default_base_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireEvent {
    Text(String),
    Thinking(String),
}
