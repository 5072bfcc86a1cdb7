//! What a step is given: a task, a tree, and an outside that answers by script and writes down what it is asked.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::exec::{self, ExecError};
use crate::model::{Completion, FinishReason, Limits, ModelError, Request, Usage};
use crate::plugin::{Failure, Interrupt, Outside, StepError};
use crate::task::{Attempt, Counts, Level, Problem, Report, Verdict};
use crate::workspace::Tree;

/// What one call is made with.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) goal: String,
    pub(super) tests: Vec<String>,
    pub(super) protected: Vec<String>,
    pub(super) settings: Vec<(String, String)>,
    pub(super) tree: Tree,
    pub(super) attempts: Vec<Attempt>,
    pub(super) model: Model,
    pub(super) command: Result<exec::Output, ExecError>,
    /// The call ends, as if the host had crashed, when it asks for more than this many answers.
    pub(super) answers: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Model {
    /// In turn; the last one again and again.
    Says(Vec<String>),
    /// Cut at the most tokens.
    Cut(String),
    Fails(ModelError),
}

/// What a call asked and logged, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) asked: Vec<String>,
    pub(super) logged: Vec<String>,
}

pub(super) struct Script {
    model: Model,
    command: Result<exec::Output, ExecError>,
    answers: usize,
    heard: Mutex<Heard>,
}

impl Script {
    pub(super) fn new(scene: &Scene) -> Arc<Self> {
        Arc::new(Self {
            model: scene.model.clone(),
            command: scene.command.clone(),
            answers: scene.answers,
            heard: Mutex::default(),
        })
    }

    pub(super) fn heard(&self) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes a question down as the journal would; its number, from 0.
    fn ask<E>(&self, kind: &str, question: &impl serde::Serialize) -> Result<usize, Interrupt<E>> {
        let question = serde_json::to_string(question)
            .map_err(|error| Interrupt::End(Failure::Host(error.to_string())))?;
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.asked.push(format!("{kind} {question}"));
        match heard.asked.len() > self.answers {
            true => Err(Interrupt::End(Failure::LeaseLost)),
            false => Ok(heard.asked.len() - 1),
        }
    }
}

#[async_trait]
impl Outside for Script {
    fn limits(&self) -> Limits {
        Limits { model: "scripted".to_owned(), context_window: 32_768, tokens_left: Some(1_000_000) }
    }

    async fn complete(&self, request: Request) -> Result<Completion, Interrupt<ModelError>> {
        let number = self.ask("model", &request)?;
        let (text, finish) = match &self.model {
            Model::Fails(error) => return Err(Interrupt::Answer(error.clone())),
            Model::Cut(text) => (text.clone(), FinishReason::Length),
            Model::Says(texts) => {
                let text = texts.get(number).or(texts.last()).cloned().unwrap_or_default();
                (text, FinishReason::Stop)
            }
        };
        let usage = Usage { input_tokens: 100, output_tokens: 50 };
        Ok(Completion { text, finish, usage, model: "scripted".to_owned() })
    }

    /// Fails at first and passes then, so that a plugin that looks before it hands in comes to an end.
    async fn check(&self, tree: Tree) -> Result<Report, Interrupt<StepError>> {
        let number = self.ask("check", &tree.digest())?;
        Ok(if number > 1 { green() } else { red() })
    }

    async fn exec(
        &self,
        tree: Tree,
        command: exec::Command,
    ) -> Result<(exec::Output, Option<Tree>), Interrupt<ExecError>> {
        self.ask("exec", &(tree.digest(), command))?;
        let output = self.command.clone().map_err(Interrupt::Answer)?;
        Ok((output, None))
    }

    fn log(&self, level: Level, message: String) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.logged.push(format!("{level:?} {message}"));
    }
}

/// The report of the test that the samples' slug.py fails.
pub(super) fn red() -> Report {
    let problem = Problem {
        test: Some("test_slug.py::test_words".to_owned()),
        path: Some("slug.py".to_owned()),
        line: Some(2),
        message: "AssertionError: assert slugify('Two Words') == 'two-words'; it is 'Two Words'".to_owned(),
    };
    Report {
        verdict: Verdict::Failed,
        counts: Counts { passed: 0, failed: 1, skipped: 0 },
        problems: vec![problem],
        output: "0 passed, 1 failed, 0 skipped\n".to_owned(),
    }
}

fn green() -> Report {
    Report {
        verdict: Verdict::Passed,
        counts: Counts { passed: 1, failed: 0, skipped: 0 },
        problems: Vec::new(),
        output: "1 passed, 0 failed, 0 skipped\n".to_owned(),
    }
}
