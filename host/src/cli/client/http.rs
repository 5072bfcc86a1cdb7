//! Requests to a server, with its errors as ours, and its event stream.

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use super::super::{Failed, exit};
use crate::cli::args::Server;
use crate::config::Settings;
use crate::task::Event;

pub(in crate::cli) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// Whether trying again may help.
pub(super) enum StreamError {
    Final(Failed),
    Passing(anyhow::Error),
}

impl Client {
    pub(in crate::cli) fn new(server: &Server, settings: &Settings) -> anyhow::Result<Self> {
        let base = match server.server.as_ref().unwrap_or(&settings.server).trim_end_matches('/') {
            "" => format!("http://{}", settings.listen.0),
            url => url.to_owned(),
        };
        crate::model::install_tls();
        let http = reqwest::Client::builder().no_proxy().build().context("can't make an HTTP client")?;
        Ok(Self { http, base, token: settings.token.clone() })
    }

    pub(in crate::cli) fn get(&self, path: &str) -> RequestBuilder {
        self.with_token(self.http.get(format!("{}{path}", self.base)))
    }

    pub(in crate::cli) fn post(&self, path: &str) -> RequestBuilder {
        self.with_token(self.http.post(format!("{}{path}", self.base)))
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    pub(in crate::cli) async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Failed> {
        let text = self.text(request).await?;
        Ok(serde_json::from_str(&text).with_context(|| format!("the answer of {} is not ours", self.base))?)
    }

    pub(in crate::cli) async fn text(&self, request: RequestBuilder) -> Result<String, Failed> {
        let response = self.answer(request).await?;
        Ok(response.text().await.context("the answer broke off")?)
    }

    pub(in crate::cli) async fn bytes(&self, request: RequestBuilder) -> Result<Bytes, Failed> {
        let response = self.answer(request).await?;
        Ok(response.bytes().await.context("the answer broke off")?)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failed> {
        let response = request.send().await.with_context(|| {
            format!(
                "can't reach {}: is the server running? name it with --server or AIAGENT_SERVER",
                self.base
            )
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_else(|error| error.to_string());
        let problem: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or(text.trim());
        let error = anyhow::anyhow!("{detail} (HTTP {})", status.as_u16());
        Err(Failed { code: if status.is_client_error() { exit::USAGE } else { exit::OTHERWISE }, error })
    }

    /// `None`: the task has ended, and nothing comes after that event.
    pub(super) async fn events(&self, id: &str, after: u64) -> Result<Option<EventStream>, StreamError> {
        let request = self.get(&format!("/api/v1/tasks/{id}/events")).header("last-event-id", after);
        let response = self.answer(request).await.map_err(|failed| {
            if failed.code == exit::USAGE {
                StreamError::Final(failed)
            } else {
                StreamError::Passing(failed.error)
            }
        })?;
        let over = response.status() == StatusCode::NO_CONTENT;
        Ok((!over).then(|| EventStream { response, buffer: Vec::new() }))
    }
}

/// Server-sent events, of which only the `data` lines matter here: the event is in them whole.
pub(super) struct EventStream {
    response: Response,
    buffer: Vec<u8>,
}

impl EventStream {
    /// The next event; `None` when the connection has ended.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let event = line.strip_prefix(b"data: ").map(serde_json::from_slice::<Event>);
                match event {
                    Some(Ok(event)) => return Some(event),
                    // An event of a newer server: nothing we could show.
                    Some(Err(error)) => tracing::debug!(%error, "an unknown event"),
                    None => {}
                }
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.buffer.extend_from_slice(&bytes),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}
