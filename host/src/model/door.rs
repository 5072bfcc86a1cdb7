//! A call from its request to its answer: attempts, waits, the clock and the ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::{Attempt, Source};
use super::egress::{self, Lookup};
use super::head;
use super::http::{Failed, Line, Sealed};
use super::key::Key;
use super::recording::{self, Player, Recorder, RecordingError, Replay};
use super::{Completion, Limits, ModelConfig, ModelError, Request, Wire, WireSettings, ledger};
use crate::task::Trace;
use crate::telemetry::chain;

/// A day. What takes longer is no call any more.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where an adapter may lead without the operator's word. Anyone may have written it, and what it names
/// would be sent the key and the code.
const VENDORS: [&str; 2] = ["https://api.anthropic.com", "https://api.openai.com"];

/// Where answers come from.
#[derive(Clone, Debug)]
pub enum Mode {
    Live,
    /// Live, and every exchange is appended to this file.
    Record(PathBuf),
    /// From recordings: no network, and no key is read.
    Replay(Replay),
}

/// Why there is no door: a mistake in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("two models are called {0}")]
    Twice(String),
    #[error("[models.{model}] {setting}: {reason}")]
    Setting { model: String, setting: &'static str, reason: String },
    #[error("[models.{model}] can't be reached over TLS: {reason}")]
    Tls { model: String, reason: String },
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// All models of one configuration. One door serves every task.
pub struct Door {
    models: BTreeMap<String, Model>,
    recorder: Option<Recorder>,
    player: Option<Player>,
}

struct Model {
    config: ModelConfig,
    base: Option<Url>,
    /// `None` in a replay.
    line: Option<Line>,
    /// `None`: any number of calls at once.
    places: Option<tokio::sync::Semaphore>,
}

/// One call.
pub struct Completing<'a> {
    /// A configured name.
    pub model: &'a str,
    pub request: Request,
    pub wire: &'a dyn Wire,
    /// The same for every attempt and every re-run of this call; a header's value.
    pub idempotency_key: &'a str,
    /// The span that asks.
    pub trace: Option<&'a Trace>,
    /// `None`: no limit.
    pub tokens_left: Option<u64>,
    /// In millionths of the price list's currency. `None`: no limit.
    pub cost_left: Option<u64>,
    pub events: &'a mut (dyn FnMut(DoorEvent) + Send),
}

/// What whoever watches sees of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorEvent {
    Text(String),
    Thinking(String),
    /// The attempt failed: what came since the last `Retrying` is void.
    Retrying {
        error: ModelError,
        wait: Duration,
    },
    /// No attempt is left, and the same call may succeed later.
    Away,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub completion: Completion,
    /// Whether the vendor left tokens uncounted, so that they are counted by their bytes.
    pub estimated: bool,
    /// `None` where the model has no price. Failed attempts are not in it: no vendor says what they cost.
    pub cost_micros: Option<u64>,
    pub attempts: u32,
    pub wall: Duration,
}

impl Door {
    pub fn new(configs: Vec<ModelConfig>, mode: Mode) -> Result<Self, DoorError> {
        Self::with_lookup(configs, mode, egress::system())
    }

    pub(super) fn with_lookup(
        configs: Vec<ModelConfig>,
        mode: Mode,
        lookup: Lookup,
    ) -> Result<Self, DoorError> {
        let (recorder, player) = match mode {
            Mode::Live => (None, None),
            Mode::Record(path) => (Some(Recorder::open(&path)?), None),
            Mode::Replay(replay) => (None, Some(Player::open(&replay)?)),
        };
        let mut models = BTreeMap::new();
        for config in configs {
            let model = Model::new(config, player.is_none(), &lookup)?;
            if let Some(twin) = models.insert(model.config.name.clone(), model) {
                return Err(DoorError::Twice(twin.config.name));
            }
        }
        Ok(Self { models, recorder, player })
    }

    /// The configuration of a model; `None` where there is no such model.
    pub fn config(&self, model: &str) -> Option<&ModelConfig> {
        self.models.get(model).map(|model| &model.config)
    }

    /// Whether a model's key can be read and its server be reached: the server's status and its `date`. No
    /// model is asked anything. `None`: there is no address to try, in a replay or without a base URL.
    ///
    /// # Errors
    /// `Auth` for a key that can't be read, else what keeps the server from being reached.
    pub async fn reach(&self, model: &str) -> Result<Option<(u16, Option<String>)>, ModelError> {
        let model = self.model(model)?;
        if self.player.is_none() {
            Key::read(&model.config.key, &model.config.name)?;
        }
        match (&model.line, &model.base) {
            (Some(line), Some(base)) => line.reach(base).await.map(Some),
            _ => Ok(None),
        }
    }

    pub fn limits(&self, model: &str, tokens_left: Option<u64>) -> Result<Limits, ModelError> {
        let config = &self.model(model)?.config;
        Ok(Limits { model: config.name.clone(), context_window: config.context_window, tokens_left })
    }

    /// One completion, with its retries. To cancel, drop the future: the connection closes with it.
    pub async fn complete(&self, call: Completing<'_>) -> Result<Answered, ModelError> {
        let model = self.model(call.model)?;
        let _place = match &model.places {
            Some(places) => Some(places.acquire().await.expect("the semaphore is never closed")),
            None => None,
        };
        let started = Instant::now();
        let total = model.config.total_timeout;
        let deadline = started + total;
        let answered = match timeout_at(deadline, self.attempts(model, call, deadline)).await {
            Ok(result) => result,
            Err(_) => Err(ModelError::Timeout(format!(
                "no whole answer within {} s ([models.{}] total_timeout_s)",
                total.as_secs_f64(),
                model.config.name
            ))),
        };
        let wall = started.elapsed();
        match answered {
            Ok((completion, estimated, attempts)) => {
                let usage = completion.usage;
                tracing::debug!(
                    model.name = model.config.name,
                    model.attempts = attempts,
                    model.input_tokens = usage.input_tokens,
                    model.output_tokens = usage.output_tokens,
                    model.estimated = estimated,
                    model.wall_ms = wall.as_millis() as u64,
                    "the model answered"
                );
                let cost_micros = ledger::cost(&model.config, usage);
                Ok(Answered { completion, estimated, cost_micros, attempts, wall })
            }
            Err(error) => Err(error),
        }
    }

    fn model(&self, name: &str) -> Result<&Model, ModelError> {
        self.models.get(name).ok_or_else(|| {
            let known: Vec<_> = self.models.keys().map(String::as_str).collect();
            ModelError::InvalidRequest(format!(
                "no model is called `{name}`; there are: {}",
                known.join(", ")
            ))
        })
    }

    async fn attempts(
        &self,
        model: &Model,
        call: Completing<'_>,
        deadline: Instant,
    ) -> Result<(Completion, bool, u32), ModelError> {
        let config = &model.config;
        let asked = recording::asked(&config.name, &call.request);
        let request_bytes = ledger::bytes(&call.request);
        let request = ledger::fit(config, call.request, call.tokens_left, call.cost_left)?;
        let settings = WireSettings {
            model: config.model.clone(),
            stream: config.stream,
            extra: config.extra.clone().into_iter().collect(),
        };
        let key = match &self.player {
            Some(_) => Key::default(),
            None => Key::read(&config.key, &config.name)?,
        };
        let prepared = self.prepare(model, &request, call.wire, &settings, &key, call.idempotency_key);
        let (mut sealed, source) = prepared.await.map_err(|error| key.strike_error(error))?;
        if let Some(value) = call.trace.and_then(|trace| HeaderValue::try_from(trace.as_str()).ok()) {
            sealed.headers.insert("traceparent", value);
        }
        let attempt = Attempt {
            config,
            sealed: &sealed,
            asked: &asked,
            wire: call.wire,
            settings: &settings,
            key: &key,
            source,
            recorder: self.recorder.as_ref(),
        };

        let (mut number, mut malformed) = (0, 0);
        loop {
            number += 1;
            let mut thought = 0;
            let mut heard = |event| {
                if let DoorEvent::Thinking(text) = &event {
                    thought += text.len() as u64;
                }
                (call.events)(event);
            };
            let Failed { error, again } = match attempt.run(&mut heard).await {
                Ok(mut completion) => {
                    let estimated = ledger::estimate(request_bytes, thought, &mut completion);
                    return Ok((completion, estimated, number));
                }
                Err(failed) => failed,
            };
            let error = key.strike_error(error);
            malformed += u32::from(matches!(error, ModelError::Malformed(_)));
            let wait = match &self.player {
                Some(player) => backoff(config, number, &error).mul_f64(player.pace),
                None => backoff(config, number, &error),
            };
            // A wait past the deadline could only end as a timeout, which says less than the error does.
            let hopeless = wait >= deadline.saturating_duration_since(Instant::now());
            if !again || malformed > 1 || number > config.retries || hopeless {
                if again && error.is_away() {
                    (call.events)(DoorEvent::Away);
                }
                return Err(error);
            }
            tracing::warn!(
                model.name = config.name,
                model.attempt = number,
                model.wait_ms = wait.as_millis() as u64,
                error = %error,
                "a model's attempt failed and is repeated"
            );
            (call.events)(DoorEvent::Retrying { error, wait });
            sleep(wait).await;
        }
    }

    /// What is sent, from the adapter; and where to.
    async fn prepare<'a>(
        &'a self,
        model: &'a Model,
        request: &Request,
        wire: &dyn Wire,
        settings: &WireSettings,
        key: &Key,
        idempotency_key: &str,
    ) -> Result<(Sealed, Source<'a>), ModelError> {
        let config = &model.config;
        let description = wire.describe(settings).await?;
        let base = match (&model.base, description.default_base_url) {
            (Some(base), _) => base.clone(),
            // Nothing is sent, but the path is held to the same rules.
            (None, _) if self.player.is_some() => Url::parse("https://replay.invalid").expect("a URL"),
            (None, Some(text)) => {
                let base = head::base_url(&text).map_err(ModelError::InvalidRequest)?;
                if !VENDORS.contains(&base.origin().ascii_serialization().as_str()) {
                    return Err(ModelError::InvalidRequest(format!(
                        "the adapter's own {:?} is no vendor's that this host knows: set [models.{}] base_url",
                        head::clip(&text),
                        config.name
                    )));
                }
                base
            }
            (None, None) => {
                return Err(ModelError::InvalidRequest(format!(
                    "[models.{}] base_url is missing",
                    config.name
                )));
            }
        };
        let encoded = wire.encode(request, settings).await?;
        let sealed = Sealed {
            url: head::join(&base, &encoded.path)?,
            headers: head::headers(&encoded.headers, &description.auth, key, idempotency_key)?,
            digest: recording::digest(&encoded),
            request: encoded,
        };
        let source = match (&self.player, &model.line) {
            (Some(player), _) => Source::Replay(player),
            (None, Some(line)) => Source::Live(line),
            (None, None) => unreachable!("only a replay has no line"),
        };
        Ok((sealed, source))
    }
}

impl Model {
    fn new(config: ModelConfig, live: bool, lookup: &Lookup) -> Result<Self, DoorError> {
        let wrong =
            |setting, reason: String| DoorError::Setting { model: config.name.clone(), setting, reason };
        if config.context_window == 0 {
            return Err(wrong("context_window", "0 takes no prompt at all".to_owned()));
        }
        for (setting, timeout) in [
            ("first_byte_timeout", config.first_byte_timeout),
            ("idle_timeout", config.idle_timeout),
            ("total_timeout", config.total_timeout),
        ] {
            // So that no deadline is past, and none overflows.
            if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
                return Err(wrong(setting, format!("{timeout:?} is not between 0 and {LONGEST_TIMEOUT:?}")));
            }
        }
        let base = config.base_url.as_deref().map(head::base_url).transpose();
        let base = base.map_err(|reason| wrong("base_url", reason))?;
        let scheme = base.as_ref().map_or("https", Url::scheme);
        let line = live.then(|| Line::new(&config, scheme, Arc::clone(lookup))).transpose();
        let line = line.map_err(|error| DoorError::Tls {
            model: config.name.clone(),
            reason: chain(&error.without_url()),
        })?;
        let places = (config.parallel > 0).then(|| tokio::sync::Semaphore::new(config.parallel));
        Ok(Self { base, line, places, config })
    }
}

fn backoff(config: &ModelConfig, attempt: u32, error: &ModelError) -> Duration {
    /// Longer waits are for the vendor to ask for.
    const LONGEST: Duration = Duration::from_secs(20);
    let ceiling = config.retry_wait.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST);
    error.wait(ceiling)
}
