//! Spans of tasks, sent to a collector by OTLP where one is configured.
//!
//! They are begun by name and with their parent, and not by what the current thread is in: a task goes from the
//! API through the queue to a worker, and on from there to another one.
//! Invariant: what is to be sent waits in a queue of a fixed length, on a thread of its own. A collector that is slow
//! or away costs spans, and no task any time.

mod encode;
mod export;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::task::Trace;

use export::Exporter;
pub use export::Resource;

/// One for the process, as the counters are.
static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// What a span does, as <https://opentelemetry.io/docs/specs/otel/trace/api/#spankind> has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Internal,
    /// Answers a request.
    Server,
    /// Asks another service.
    Client,
    /// Works on what was queued.
    Consumer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Ends when it is dropped, also where the work was cut off.
#[derive(Debug)]
pub struct Span {
    pub context: Trace,
    parent: Option<String>,
    name: &'static str,
    kind: Kind,
    began: SystemTime,
    ended: SystemTime,
    attributes: Vec<(&'static str, Value)>,
    error: Option<String>,
}

/// Begins to send spans to a collector, for the life of the process. `fine`: also those of single calls to the store.
pub fn start(endpoint: &str, fine: bool, resource: Resource) -> anyhow::Result<()> {
    if EXPORTER.get().is_none() {
        let exporter = Exporter::start(endpoint, fine, resource)?;
        // An error means that another host in this process (a test) was quicker: its exporter serves both.
        let _ = EXPORTER.set(exporter);
    }
    Ok(())
}

/// `None` where no spans are sent, there is no parent, or the caller keeps none of this trace.
pub fn begin(name: &'static str, kind: Kind, parent: Option<&Trace>) -> Option<Span> {
    EXPORTER.get()?;
    let parent = parent.filter(|parent| parent.is_sampled())?;
    Some(Span::new(name, kind, parent.child(), Some(parent.span_id().to_owned())))
}

/// Likewise, but without a parent a trace begins.
pub fn begin_trace(name: &'static str, kind: Kind, parent: Option<&Trace>) -> Option<Span> {
    match parent {
        Some(_) => begin(name, kind, parent),
        None => EXPORTER.get().map(|_| Span::new(name, kind, Trace::fresh(), None)),
    }
}

/// A call to the store, in a span where those are sent too.
pub async fn of_store<T, E: std::fmt::Display>(
    verb: &'static str,
    parent: Option<&Trace>,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let fine = EXPORTER.get().is_some_and(|exporter| exporter.fine);
    let mut span = if fine { begin(verb, Kind::Client, parent) } else { None };
    let reply = call.await;
    if let Err(error) = &reply {
        span.failed(error.to_string());
    }
    reply
}

/// Sends what waits, for as long as this.
pub async fn flush(within: Duration) {
    if let Some(exporter) = EXPORTER.get() {
        exporter.flush(within).await;
    }
}

impl Span {
    fn new(name: &'static str, kind: Kind, context: Trace, parent: Option<String>) -> Self {
        let now = SystemTime::now();
        let attributes = Vec::new();
        Self { context, parent, name, kind, began: now, ended: now, attributes, error: None }
    }

    pub fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        self.attributes.push((name, value.into()));
    }

    /// What it was to do has not been done.
    pub fn failed(&mut self, why: impl Into<String>) {
        self.error = Some(why.into());
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(exporter) = EXPORTER.get() else { return };
        self.ended = SystemTime::now();
        exporter.send(encode::Span::of(self));
    }
}

/// Where there may be none.
pub trait Noted {
    fn note(&mut self, name: &'static str, value: impl Into<Value>);
    fn failed(&mut self, why: impl Into<String>);
}

impl Noted for Option<Span> {
    fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = self {
            span.note(name, value);
        }
    }

    fn failed(&mut self, why: impl Into<String>) {
        if let Some(span) = self {
            span.failed(why);
        }
    }
}
