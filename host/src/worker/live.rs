//! What a step reaches outside its sandbox: the model, the checker, commands; through the journal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::answers::{CheckAnswer, ExecAnswer, ExecRequest, ModelAnswer};
use super::away;
use super::broken::Break;
use super::drive::Desk;
use super::journal::Journal;
use super::pace;
use super::step;
use crate::exec::{self, ExecError, ExecLimits};
use crate::model::{self, Completing, DoorEvent, ModelError, Usage};
use crate::plugin::{Failure, Generation, Interrupt, Outside, StepError};
use crate::task::{Digest, EventBody, Level, Next, Report, Spend, Task, Trace};
use crate::telemetry::spans::{self, Noted as _};
use crate::workspace::Tree;

pub(super) struct Live {
    desk: Arc<Desk>,
    task: Arc<Task>,
    round: u32,
    /// The plugin that is running, for its log lines.
    source: String,
    /// What the step runs on: its checks and its adapter are of the same generation.
    generation: Generation,
    /// `None` for a check inside a step: its report is journaled as a whole by that step.
    journal: Option<tokio::sync::Mutex<Journal>>,
    tally: Mutex<Tally>,
    /// The step's span.
    trace: Option<Trace>,
}

#[derive(Default)]
struct Tally {
    /// Its `wall_ms` is that of replayed answers only; the rest is measured around the step.
    spent: Spend,
    /// How long the answers took that this run of the step has added to the journal.
    waited: Duration,
    /// A model has answered anew.
    answered: bool,
    broken: Option<Break>,
}

impl Live {
    pub(super) fn new(
        desk: &Arc<Desk>,
        task: &Arc<Task>,
        source: &str,
        generation: Generation,
        journal: Option<Journal>,
        trace: Option<Trace>,
    ) -> Self {
        Self {
            desk: Arc::clone(desk),
            task: Arc::clone(task),
            round: step::round_number(task),
            source: source.to_owned(),
            generation,
            journal: journal.map(tokio::sync::Mutex::new),
            tally: Mutex::default(),
            trace,
        }
    }

    /// What this step has spent outside, replayed answers included: they were not yet committed.
    pub(super) fn spent(&self) -> Spend {
        self.tally().spent.clone()
    }

    /// How much of this run's time went into answers that the journal now holds.
    pub(super) fn waited(&self) -> Duration {
        self.tally().waited
    }

    /// Counts answers that the journal holds and the step did not ask for again: they were paid for.
    pub(super) async fn count_the_rest(&self) {
        let Some(journal) = &self.journal else { return };
        for entry in journal.lock().await.take_rest() {
            let known = match entry.kind.as_str() {
                "model" => serde_json::from_str(&entry.answer).map(|answer| self.count_model(&answer, true)),
                "check" => serde_json::from_str(&entry.answer).map(|answer| self.count_check(&answer, true)),
                _ => serde_json::from_str(&entry.answer).map(|answer| self.count_exec(&answer, true)),
            };
            if let Err(error) = known {
                tracing::warn!(task = %self.task.id, %error, "what an answer cost can't be read");
            }
        }
    }

    /// Why the whole step is void, if it is.
    pub(super) async fn broken(&self) -> Option<Break> {
        if let Some(journal) = &self.journal
            && let Some(error) = journal.lock().await.take_error()
        {
            return Some(Break::from(error));
        }
        self.tally().broken.take()
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where the store does: an answer would be journaled.
    async fn ask_model(&self, request: &model::Request, index: u32) -> Result<ModelAnswer, Failure> {
        let began = Instant::now();
        let failed = |error| ModelAnswer {
            result: Err(error),
            cost_micros: Some(0),
            wall_ms: began.elapsed().as_millis() as u64,
        };
        let Some(name) = &self.task.spec.pipeline.model else {
            let pipeline = &self.task.spec.pipeline.name;
            return Ok(failed(ModelError::Unreachable(format!(
                "pipeline {pipeline} has no model: set pipelines.{pipeline}.model"
            ))));
        };
        let equipment = &self.desk.shared.equipment;
        let Some(config) = equipment.door.config(name) else {
            return Ok(failed(ModelError::Unreachable(format!(
                "no model {name} is configured: set AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME, or a \
                 [models.{name}] section in aiagent.toml"
            ))));
        };
        let spent = self.spent();
        let call = self.task.spend.model_calls + spent.model_calls + 1;
        let budget = &self.task.spec.budget;
        let cost_left = budget.cost_micros.map(|limit| {
            let gone = self.task.spend.cost_micros.unwrap_or(0) + spent.cost_micros.unwrap_or(0);
            limit.saturating_sub(gone)
        });
        let key = Digest::of(format!("{}/{}/{index}", self.task.id, self.task.step).as_bytes());
        let pace = pace::keep(&self.desk, config, request, &self.source).await;
        let pace = pace.map_err(|error| self.break_off(error))?;
        self.desk.feed.push(EventBody::ModelStarted { round: self.round, model: name.clone(), call });
        let mut away = false;
        let mut events = |event| match event {
            DoorEvent::Text(text) => self.desk.feed.push(EventBody::Tokens { call, text }),
            DoorEvent::Thinking(_) => {}
            DoorEvent::Away => away = true,
            DoorEvent::Retrying { error, wait } => self.desk.feed.push(EventBody::ModelRetried {
                call,
                error: error.to_string(),
                wait_ms: wait.as_millis() as u64,
            }),
        };
        let mut span = spans::begin("model", spans::Kind::Client, self.trace.as_ref());
        span.note("gen_ai.request.model", config.model.as_str());
        span.note("model.name", name.as_str());
        span.note("model.call", u64::from(call));
        let trace = span.as_ref().map(|span| span.context.clone()).or_else(|| self.trace.clone());
        let adapter = config.adapter.as_str();
        let mut generation = self.generation.clone();
        let answered = loop {
            let wire = match generation.adapter(adapter) {
                Ok(wire) => wire,
                Err(failure) => break Err(ModelError::Unreachable(format!("adapter {adapter}: {failure}"))),
            };
            let answered = equipment
                .door
                .complete(Completing {
                    model: name,
                    request: request.clone(),
                    wire: &wire,
                    idempotency_key: key.as_str(),
                    trace: trace.as_ref(),
                    tokens_left: self.limits().tokens_left,
                    cost_left,
                    events: &mut events,
                })
                .await;
            step::tell_withdrawn(&self.desk, &generation);
            let (Err(error), Some(fallback)) = (&answered, wire.take_fallback()) else { break answered };
            self.log(Level::Warn, step::in_words(adapter, &error.to_string(), &fallback));
            generation = fallback.generation;
        };
        let (usage, estimated, error) = match &answered {
            Ok(answered) => (answered.completion.usage, answered.estimated, None),
            Err(error) => (Usage::default(), false, Some(error.to_string())),
        };
        span.note("gen_ai.usage.input_tokens", usage.input_tokens);
        span.note("gen_ai.usage.output_tokens", usage.output_tokens);
        if let Some(error) = &error {
            span.failed(error.as_str());
        }
        drop(span);
        pace.settle(&self.desk, usage).await;
        self.desk.feed.push(EventBody::ModelEnded {
            call,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            estimated,
            wall_ms: began.elapsed().as_millis() as u64,
            error,
        });
        let before = self.task.postponed.as_ref().filter(|_| !self.tally().answered);
        if away
            && let Err(error) = &answered
            && let Some(put_off) = away::put_off(&self.desk, before, name, error)
        {
            return Err(self.break_off(put_off));
        }
        self.tally().answered = true;
        Ok(match answered {
            Ok(answered) => ModelAnswer {
                cost_micros: answered.cost_micros,
                result: Ok(answered.completion),
                wall_ms: began.elapsed().as_millis() as u64,
            },
            Err(error) => failed(error),
        })
    }

    /// Ends the step, and voids it.
    fn break_off(&self, error: impl std::fmt::Display + Into<Break>) -> Failure {
        let failure = Failure::Host(error.to_string());
        self.tally().broken = Some(error.into());
        failure
    }

    fn count_model(&self, answer: &ModelAnswer, replayed: bool) {
        self.count_wall(answer.wall_ms, replayed);
        let mut tally = self.tally();
        let known = if tally.spent.model_calls == 0 { Some(0) } else { tally.spent.cost_micros };
        tally.spent.model_calls += 1;
        tally.spent.cost_micros = known.zip(answer.cost_micros).map(|(a, b)| a.saturating_add(b));
        if let Ok(completion) = &answer.result {
            let Usage { input_tokens, output_tokens } = completion.usage;
            tally.spent.input_tokens = tally.spent.input_tokens.saturating_add(input_tokens);
            tally.spent.output_tokens = tally.spent.output_tokens.saturating_add(output_tokens);
        }
    }

    fn count_check(&self, answer: &CheckAnswer, replayed: bool) {
        self.count_wall(answer.wall_ms, replayed);
        let mut tally = self.tally();
        tally.spent.compute_ms = tally.spent.compute_ms.saturating_add(answer.compute_ms);
    }

    fn count_exec(&self, answer: &ExecAnswer, replayed: bool) {
        self.count_wall(answer.wall_ms, replayed);
    }

    fn count_wall(&self, wall_ms: u64, replayed: bool) {
        let mut tally = self.tally();
        if replayed {
            tally.spent.wall_ms = tally.spent.wall_ms.saturating_add(wall_ms);
        } else {
            tally.waited = tally.waited.saturating_add(Duration::from_millis(wall_ms));
        }
    }

    async fn run_command(&self, tree: &Tree, command: &exec::Command) -> Result<ExecAnswer, Failure> {
        let equipment = &self.desk.shared.equipment;
        // What a checker's command leaves behind is nobody's.
        let read_back = self.journal.is_some() && !matches!(self.task.next, Next::Check);
        let limits = ExecLimits { read_back, ..equipment.exec_limits.clone() };
        let began = Instant::now();
        let mut span = spans::begin("exec", spans::Kind::Internal, self.trace.as_ref());
        span.note("process.executable.name", command.argv.first().map_or("", String::as_str));
        let ran = equipment.sandbox.run(tree, command, &limits, &self.desk.halt.token).await;
        if let Err(error) = &ran {
            span.failed(error.to_string());
        }
        drop(span);
        let (output, changed) = match ran {
            Ok(ran) => ran,
            Err(_) if self.desk.halt.token.is_cancelled() => return Err(Failure::Cancelled),
            Err(error) => {
                let wall_ms = began.elapsed().as_millis() as u64;
                return Ok(ExecAnswer { result: Err(error), wall_ms });
            }
        };
        let changed = match changed {
            None => None,
            Some(tree) => {
                let saved = self.desk.shared.snapshots.save(&tree).await;
                Some(saved.map_err(|error| self.break_off(error))?)
            }
        };
        Ok(ExecAnswer { result: Ok((output, changed)), wall_ms: began.elapsed().as_millis() as u64 })
    }
}

#[async_trait]
impl Outside for Live {
    fn limits(&self) -> model::Limits {
        let spent = self.task.spend.tokens() + self.spent().tokens();
        let tokens_left = self.task.spec.budget.tokens.map(|limit| limit.saturating_sub(spent));
        let name = self.task.spec.pipeline.model.as_deref().unwrap_or("");
        let config = self.desk.shared.equipment.door.config(name);
        // Without a model nothing fits; the first call then says what is missing.
        let context_window = config.map_or(0, |config| config.context_window);
        model::Limits { model: name.to_owned(), context_window, tokens_left }
    }

    async fn complete(&self, request: model::Request) -> Result<model::Completion, Interrupt<ModelError>> {
        let Some(journal) = &self.journal else {
            return Err(Interrupt::Answer(ModelError::Other("a checker has no model".to_owned())));
        };
        let mut journal = journal.lock().await;
        let mut place = journal.ask::<ModelAnswer>("model", &request).map_err(Interrupt::End)?;
        let known = place.known.take();
        let replayed = known.is_some();
        let answer = match known {
            Some(known) => known,
            None => {
                let answer = self.ask_model(&request, place.index).await.map_err(Interrupt::End)?;
                journal.keep("model", place, &answer).await.map_err(Interrupt::End)?;
                answer
            }
        };
        self.count_model(&answer, replayed);
        answer.result.map_err(Interrupt::Answer)
    }

    async fn check(&self, tree: Tree) -> Result<Report, Interrupt<StepError>> {
        let Some(journal) = &self.journal else {
            return Err(Interrupt::Answer(StepError::Other("a checker can't run checks".to_owned())));
        };
        let mut journal = journal.lock().await;
        let mut place = journal.ask::<CheckAnswer>("check", &tree.digest()).map_err(Interrupt::End)?;
        let known = place.known.take();
        let replayed = known.is_some();
        let answer = match known {
            Some(known) => known,
            None => {
                let (began, spent, budget) = (Instant::now(), self.spent(), &self.task.spec.budget);
                if self.task.spend.compute_ms.saturating_add(spent.compute_ms) >= budget.compute_ms {
                    let whole = Duration::from_millis(budget.compute_ms);
                    return Err(Interrupt::End(Failure::Compute(whole)));
                }
                let ended = step::check_inside(&self.desk, &self.task, &self.generation, &spent, tree).await;
                let result = match ended.result {
                    Ok(report) => Ok(report),
                    Err(Failure::Step(error)) => Err(error),
                    Err(failure @ (Failure::Cancelled | Failure::LeaseLost | Failure::Host(_))) => {
                        return Err(Interrupt::End(failure));
                    }
                    Err(failure) => Err(StepError::Other(format!("the checker {failure}"))),
                };
                let answer = CheckAnswer {
                    result,
                    compute_ms: ended.usage.compute.as_millis() as u64,
                    wall_ms: began.elapsed().as_millis() as u64,
                };
                journal.keep("check", place, &answer).await.map_err(Interrupt::End)?;
                answer
            }
        };
        self.count_check(&answer, replayed);
        answer.result.map_err(Interrupt::Answer)
    }

    async fn exec(
        &self,
        tree: Tree,
        command: exec::Command,
    ) -> Result<(exec::Output, Option<Tree>), Interrupt<ExecError>> {
        let answer = match &self.journal {
            None => self.run_command(&tree, &command).await.map_err(Interrupt::End)?,
            Some(journal) => {
                let mut journal = journal.lock().await;
                let request = ExecRequest { command: &command, tree: tree.digest() };
                let mut place = journal.ask::<ExecAnswer>("exec", &request).map_err(Interrupt::End)?;
                let known = place.known.take();
                let replayed = known.is_some();
                let answer = match known {
                    Some(known) => known,
                    None => {
                        let answer = self.run_command(&tree, &command).await.map_err(Interrupt::End)?;
                        journal.keep("exec", place, &answer).await.map_err(Interrupt::End)?;
                        answer
                    }
                };
                self.count_exec(&answer, replayed);
                answer
            }
        };
        let (output, changed) = answer.result.map_err(Interrupt::Answer)?;
        let changed = match changed {
            None => None,
            Some(digest) => Some(self.desk.shared.snapshots.load(&digest).await.map_err(|error| {
                Interrupt::End(Failure::Diverged(format!("the tree a command left is gone: {error}")))
            })?),
        };
        Ok((output, changed))
    }

    fn log(&self, level: Level, message: String) {
        self.desk.feed.push(EventBody::Log { level, source: self.source.clone(), message });
    }
}
