//! From the queue to the collector, in batches.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::{StatusCode, Url};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::encode::{self, Attribute, Request, ResourceOf, ResourceSpans, Scope, ScopeSpans, Span};
use crate::telemetry::{chain, metrics};

/// Spans that wait; further ones are dropped. A few MiB.
const WAITING: usize = 8192;

/// Spans in one request.
const TOGETHER: usize = 512;

/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);

/// A collector that takes longer is away.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The waits before a batch is sent again; after the last one it is dropped.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Who sends.
pub struct Resource {
    pub host: String,
    /// Tells it from others on the same machine.
    pub instance: String,
}

pub(super) struct Exporter {
    pub(super) fine: bool,
    waiting: mpsc::Sender<Waiting>,
}

enum Waiting {
    Span(Box<Span>),
    /// Answered once all before it was sent, or given up.
    Flush(oneshot::Sender<()>),
}

/// Why a batch was not taken.
struct Refused {
    why: String,
    again: bool,
}

impl Exporter {
    pub(super) fn start(endpoint: &str, fine: bool, resource: Resource) -> anyhow::Result<Self> {
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let url: Url = url.parse().with_context(|| format!("telemetry.otlp_endpoint: {url} is no URL"))?;
        let http = crate::model::client(url.scheme()).timeout(ANSWER_WITHIN).build();
        let http = http.context("telemetry.otlp_endpoint: can't make an HTTP client")?;
        let (waiting, mut queue) = mpsc::channel(WAITING);
        // On a runtime of its own, so that it takes no turn of a task's.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("otlp".to_owned()).spawn(move || {
            let mut sender = Sender { http, url, resource, away: false };
            runtime.block_on(async { while sender.next_batch(&mut queue).await {} });
        })?;
        Ok(Self { fine, waiting })
    }

    pub(super) fn send(&self, span: Span) {
        if self.waiting.try_send(Waiting::Span(Box::new(span))).is_err() {
            metrics::spans(0, 1);
        }
    }

    pub(super) async fn flush(&self, within: Duration) {
        let (done, sent) = oneshot::channel();
        let all = async { self.waiting.send(Waiting::Flush(done)).await.is_ok() && sent.await.is_ok() };
        if timeout(within, all).await != Ok(true) {
            tracing::warn!("some spans were not sent before the host stopped");
        }
    }
}

struct Sender {
    http: reqwest::Client,
    url: Url,
    resource: Resource,
    /// The last batch was dropped.
    away: bool,
}

impl Sender {
    /// `false`: there will be no more.
    async fn next_batch(&mut self, queue: &mut mpsc::Receiver<Waiting>) -> bool {
        let (mut spans, mut flush) = (Vec::new(), None);
        let mut until = None;
        while spans.len() < TOGETHER {
            let next = match until {
                None => queue.recv().await,
                Some(until) => match timeout_at(until, queue.recv()).await {
                    Ok(next) => next,
                    Err(_) => break,
                },
            };
            match next {
                Some(Waiting::Span(span)) => spans.push(*span),
                Some(Waiting::Flush(done)) => {
                    flush = Some(done);
                    break;
                }
                None => return false,
            }
            until.get_or_insert_with(|| Instant::now() + GATHER);
        }
        if !spans.is_empty() {
            self.deliver(&spans).await;
        }
        if let Some(done) = flush {
            // Whoever asked may wait no longer.
            let _ = done.send(());
        }
        true
    }

    async fn deliver(&mut self, spans: &[Span]) {
        let request = Request {
            resource_spans: [ResourceSpans {
                resource: ResourceOf { attributes: self.attributes() },
                scope_spans: [ScopeSpans {
                    scope: Scope { name: "aiagent-host", version: env!("CARGO_PKG_VERSION") },
                    spans,
                }],
            }],
        };
        let body = match serde_json::to_vec(&request) {
            Ok(body) => Bytes::from(body),
            Err(error) => {
                metrics::spans(0, spans.len() as u64);
                return tracing::error!(%error, "spans can't be written");
            }
        };
        let mut waits = AGAIN_AFTER.into_iter();
        let refused = loop {
            let Err(refused) = self.post(body.clone()).await else {
                if std::mem::take(&mut self.away) {
                    tracing::info!("the collector takes spans again");
                }
                return metrics::spans(spans.len() as u64, 0);
            };
            match waits.next().filter(|_| refused.again && !self.away) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => break refused,
            }
        };
        metrics::spans(0, spans.len() as u64);
        if !std::mem::replace(&mut self.away, true) {
            let (url, why) = (&self.url, refused.why);
            tracing::warn!("spans can't be sent to {url} (telemetry.otlp_endpoint), and are dropped: {why}");
        }
    }

    async fn post(&self, body: Bytes) -> Result<(), Refused> {
        let request = self.http.post(self.url.clone()).header("content-type", "application/json").body(body);
        let response = request
            .send()
            .await
            .map_err(|error| Refused { why: chain(&error.without_url()), again: true })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let again = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        Err(Refused { why: format!("HTTP {}", status.as_u16()), again })
    }

    /// By the names of <https://opentelemetry.io/docs/specs/semconv/resource/>.
    fn attributes(&self) -> Vec<Attribute> {
        vec![
            encode::attribute("service.name", "aiagent-host".into()),
            encode::attribute("service.version", env!("CARGO_PKG_VERSION").into()),
            encode::attribute("service.instance.id", self.resource.instance.as_str().into()),
            encode::attribute("host.name", self.resource.host.as_str().into()),
        ]
    }
}
