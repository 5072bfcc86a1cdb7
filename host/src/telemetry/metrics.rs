//! What this process has counted, and what its store holds, in Prometheus' text format.
//!
//! One set for the process, since a process is what is scraped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::store::{Store, StoreError};
use crate::task::{EventBody, Millis, Outcome, Reason, Spend};

/// In seconds: a check in the sandbox takes milliseconds, a model minutes.
const STEP_BOUNDS: [f64; 9] = [0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1200.0];

/// In seconds: a store on this machine takes microseconds; one that takes seconds loses leases.
const STORE_BOUNDS: [f64; 7] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.0, 10.0];

static COUNTED: Mutex<Counted> = Mutex::new(Counted::new());

struct Counted {
    steps: BTreeMap<String, Histogram<9>>,
    failed_steps: BTreeMap<String, u64>,
    ended: BTreeMap<&'static str, u64>,
    store: Histogram<7>,
    model_calls: u64,
    model_retries: u64,
    postponed: u64,
    spans_sent: u64,
    spans_dropped: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_micros: u64,
}

struct Histogram<const N: usize> {
    bounds: [f64; N],
    counts: [u64; N],
    sum: f64,
    all: u64,
}

impl<const N: usize> Histogram<N> {
    const fn new(bounds: [f64; N]) -> Self {
        Self { bounds, counts: [0; N], sum: 0.0, all: 0 }
    }

    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        for (bound, count) in self.bounds.iter().zip(&mut self.counts) {
            *count += u64::from(seconds <= *bound);
        }
        self.sum += seconds;
        self.all += 1;
    }

    fn print(&self, name: &str, label: &str, out: &mut Text) {
        let and = if label.is_empty() { String::new() } else { format!("{label},") };
        for (bound, count) in self.bounds.iter().zip(self.counts) {
            out.line(&format!("{name}_bucket"), &format!("{and}le=\"{bound}\""), count);
        }
        out.line(&format!("{name}_bucket"), &format!("{and}le=\"+Inf\""), self.all);
        out.line(&format!("{name}_sum"), label, self.sum);
        out.line(&format!("{name}_count"), label, self.all);
    }
}

impl Counted {
    const fn new() -> Self {
        Self {
            steps: BTreeMap::new(),
            failed_steps: BTreeMap::new(),
            ended: BTreeMap::new(),
            store: Histogram::new(STORE_BOUNDS),
            model_calls: 0,
            model_retries: 0,
            postponed: 0,
            spans_sent: 0,
            spans_dropped: 0,
            input_tokens: 0,
            output_tokens: 0,
            cost_micros: 0,
        }
    }
}

fn count(change: impl FnOnce(&mut Counted)) {
    change(&mut COUNTED.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Counts what a worker here has just done.
pub fn saw(event: &EventBody) {
    match event {
        EventBody::StepEnded { kind, error, wall_ms, .. } => count(|counted| {
            let steps = counted.steps.entry(kind.clone()).or_insert_with(|| Histogram::new(STEP_BOUNDS));
            steps.add(Duration::from_millis(*wall_ms));
            if error.is_some() {
                *counted.failed_steps.entry(kind.clone()).or_default() += 1;
            }
        }),
        EventBody::ModelRetried { .. } => count(|counted| counted.model_retries += 1),
        EventBody::ModelEnded { input_tokens, output_tokens, .. } => count(|counted| {
            counted.model_calls += 1;
            counted.input_tokens = counted.input_tokens.saturating_add(*input_tokens);
            counted.output_tokens = counted.output_tokens.saturating_add(*output_tokens);
        }),
        _ => {}
    }
}

/// Counts the end of a task that a worker here has brought about.
pub fn ended(outcome: &Outcome, spend: &Spend) {
    count(|counted| {
        *counted.ended.entry(kind(&outcome.reason)).or_default() += 1;
        counted.cost_micros = counted.cost_micros.saturating_add(spend.cost_micros.unwrap_or(0));
    });
}

/// Counts a task that a worker here has given back, since its model could not be used.
pub fn postponed() {
    count(|counted| counted.postponed += 1);
}

/// Counts spans that a collector has taken, and those it has not.
pub fn spans(sent: u64, dropped: u64) {
    count(|counted| {
        counted.spans_sent += sent;
        counted.spans_dropped += dropped;
    });
}

/// Counts one round trip to the store.
pub fn asked_store(took: Duration) {
    count(|counted| counted.store.add(took));
}

fn kind(reason: &Reason) -> &'static str {
    match reason {
        Reason::Green => "green",
        Reason::Budget { .. } => "budget",
        Reason::Stuck { .. } => "stuck",
        Reason::Stopped { .. } => "stopped",
        Reason::ChecksBroken { .. } => "checks-broken",
        Reason::StepFailed { .. } => "step-failed",
        Reason::ModelFailed { .. } => "model-failed",
        Reason::Cancelled => "cancelled",
        Reason::Crashed { .. } => "crashed",
    }
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("a string takes all");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        writeln!(self.0, "{name}{labels} {value}").expect("a string takes all");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.line(name, "", value);
    }
}

/// What is to be scraped. `plugins` are counts by status, `now` is for the age of what waits.
pub async fn text(store: &dyn Store, plugins: [(&str, usize); 4], now: Millis) -> Result<String, StoreError> {
    let (stats, queues, workers) = (store.stats().await?, store.queues().await?, store.workers().await?);
    let mut out = Text(String::new());
    out.head("aiagent_tasks", "gauge", "Tasks in the store, by state.");
    for (state, tasks) in [("queued", stats.queued), ("running", stats.running), ("ended", stats.ended)] {
        out.line("aiagent_tasks", &format!("state=\"{state}\""), tasks);
    }
    let age = stats.oldest_queued_at.map_or(0, |since| now.saturating_sub(since)) as f64 / 1000.0;
    out.one("aiagent_oldest_queued_seconds", "gauge", "How long a task has waited that could begin.", age);
    out.head("aiagent_queue_tasks", "gauge", "Tasks that have not ended, by queue.");
    for queue in &queues {
        let states = [("waiting", queue.waiting), ("delayed", queue.delayed), ("running", queue.running)];
        for (state, tasks) in states {
            out.line("aiagent_queue_tasks", &format!("queue=\"{}\",state=\"{state}\"", queue.name), tasks);
        }
    }
    out.head("aiagent_queue_paused", "gauge", "1 where workers leave a queue alone.");
    for queue in &queues {
        out.line("aiagent_queue_paused", &format!("queue=\"{}\"", queue.name), u8::from(queue.paused));
    }
    out.one("aiagent_workers", "gauge", "Workers heard of within a minute.", workers.len());
    let capacity: u64 = workers.iter().map(|worker| worker.capacity).sum();
    out.one("aiagent_worker_capacity_tasks", "gauge", "Tasks that all workers may hold.", capacity);
    out.head("aiagent_plugins", "gauge", "Files in the plugins folders of this host, by status.");
    for (status, files) in plugins {
        out.line("aiagent_plugins", &format!("status=\"{status}\""), files);
    }
    count(|counted| counted.print(&mut out));
    Ok(out.0)
}

impl Counted {
    fn print(&self, out: &mut Text) {
        out.head("aiagent_step_seconds", "histogram", "How long plugin calls took, by kind.");
        for (kind, steps) in &self.steps {
            steps.print("aiagent_step_seconds", &format!("kind=\"{kind}\""), out);
        }
        out.head(
            "aiagent_steps_failed_total",
            "counter",
            "Plugin calls that did not do their work: traps, limits, errors.",
        );
        for (kind, failed) in &self.failed_steps {
            out.line("aiagent_steps_failed_total", &format!("kind=\"{kind}\""), failed);
        }
        out.head("aiagent_tasks_ended_total", "counter", "Tasks that ended on this worker, by reason.");
        for (reason, ended) in &self.ended {
            out.line("aiagent_tasks_ended_total", &format!("reason=\"{reason}\""), ended);
        }
        out.one("aiagent_model_calls_total", "counter", "Calls to models.", self.model_calls);
        out.one(
            "aiagent_model_retries_total",
            "counter",
            "Requests to models that were made again.",
            self.model_retries,
        );
        out.one(
            "aiagent_tasks_postponed_total",
            "counter",
            "Tasks given back since their model could not be used.",
            self.postponed,
        );
        out.one(
            "aiagent_spans_sent_total",
            "counter",
            "Spans that the collector has taken.",
            self.spans_sent,
        );
        out.one(
            "aiagent_spans_dropped_total",
            "counter",
            "Spans that the collector has not taken in time.",
            self.spans_dropped,
        );
        out.head("aiagent_model_tokens_total", "counter", "Tokens, by direction.");
        out.line("aiagent_model_tokens_total", "direction=\"input\"", self.input_tokens);
        out.line("aiagent_model_tokens_total", "direction=\"output\"", self.output_tokens);
        let cost = self.cost_micros as f64 / 1e6;
        out.one(
            "aiagent_cost_total",
            "counter",
            "What ended tasks cost, in the currency of the prices.",
            cost,
        );
        out.head("aiagent_store_seconds", "histogram", "Round trips of heartbeats to the store.");
        self.store.print("aiagent_store_seconds", "", out);
    }
}
