//! One request over the network.

use std::io::{Error as IoError, ErrorKind};
use std::time::Duration;

use http::{HeaderMap, header};
use reqwest::{Client, ClientBuilder, Url};

use crate::task::Digest;
use crate::telemetry::{causes, chain};

use super::egress::{Egress, Lookup, Refused};
use super::{HttpRequest, KeySource, ModelConfig, ModelError};

/// A server that has not accepted a connection by then is down, however slow its model is.
const CONNECT: Duration = Duration::from_secs(10);

/// Shorter than the keep-alive of the servers in use, so that a pooled connection is seldom a dead one.
const POOLED: Duration = Duration::from_secs(30);

/// A failed attempt: what to say, and whether another may succeed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: ModelError,
    pub(super) again: bool,
}

impl From<ModelError> for Failed {
    fn from(error: ModelError) -> Self {
        Self { again: error.is_retryable(), error }
    }
}

impl Failed {
    pub(super) fn for_good(error: ModelError) -> Self {
        Self { error, again: false }
    }
}

/// One model's connections.
pub(super) struct Line {
    client: Client,
    egress: Egress,
}

/// What all clients for a URL of this scheme begin with: they go where they are told and nowhere else.
pub fn client(scheme: &str) -> ClientBuilder {
    install_tls();
    let client = Client::builder()
        .user_agent(concat!("aiagent-host/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    // Where no certificate is ever looked at, a machine without any will do.
    if scheme == "http" { client.tls_certs_only([]) } else { client }
}

/// Chooses the cryptography for every TLS connection of this process. Safe to call again.
pub fn install_tls() {
    // An error means that it is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

impl Line {
    /// `scheme` is the base URL's. Errors where the machine has no CA certificates and they are needed.
    pub(super) fn new(config: &ModelConfig, scheme: &str, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let egress = Egress {
            model: config.name.clone(),
            allow: config.allow.clone(),
            bare_key: scheme == "http" && config.key != KeySource::None,
            lookup,
        };
        let client = client(scheme)
            .http1_only()
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(POOLED)
            .tcp_keepalive(POOLED)
            .dns_resolver(egress.clone());
        Ok(Self { client: client.build()?, egress })
    }

    /// Asks the server for its base URL, without a key. Any answer will do: its status and its `date`.
    pub(super) async fn reach(&self, base: &Url) -> Result<(u16, Option<String>), ModelError> {
        let host = base.host_str().unwrap_or_default();
        self.egress.check_literal(host).map_err(|refused| ModelError::Unreachable(refused.to_string()))?;
        let answer = self.client.get(base.clone()).timeout(CONNECT).send().await;
        let answer = answer.map_err(|error| failed(error, base).error)?;
        let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
        Ok((answer.status().as_u16(), date))
    }

    /// Returns when the response's head is there.
    pub(super) async fn send(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<reqwest::Response, Failed> {
        let host = url.host_str().unwrap_or_default();
        self.egress
            .check_literal(host)
            .map_err(|refused| Failed::for_good(ModelError::Unreachable(refused.to_string())))?;
        let sending = self.client.post(url.clone()).headers(headers).body(body).send();
        sending.await.map_err(|error| failed(error, url))
    }
}

fn failed(error: reqwest::Error, url: &Url) -> Failed {
    if let Some(refused) = causes(&error).find_map(|cause| cause.downcast_ref::<Refused>()) {
        return Failed::for_good(ModelError::Unreachable(refused.to_string()));
    }
    let origin = url.origin().ascii_serialization();
    if hung_up(&error) {
        let text = format!("{origin}: the connection was closed before an answer came");
        return ModelError::Unreachable(text).into();
    }
    let connecting = error.is_connect();
    let text = format!("{origin}: {}", chain(&error.without_url()));
    let error = if connecting { ModelError::Unreachable(text) } else { ModelError::Malformed(text) };
    error.into()
}

/// Whether the server took the request and ended the connection without the head of an answer.
fn hung_up(error: &reqwest::Error) -> bool {
    let cut = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
    causes(error).any(|cause| {
        cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
            || cause.downcast_ref::<IoError>().is_some_and(|error| cut.contains(&error.kind()))
    })
}

/// What is sent, fixed before the first attempt.
pub(super) struct Sealed {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) request: HttpRequest,
    /// See `recording::Exchange`.
    pub(super) digest: Digest,
}
