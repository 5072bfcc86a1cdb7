//! The world outside a step, as a test wants it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiagent_host::exec;
use aiagent_host::model::{Completion, FinishReason, Limits, ModelError, Request, Usage};
use aiagent_host::plugin::{Call, Failure, Interrupt, Outside, StepError};
use aiagent_host::task::{Counts, Level, Report, Verdict};
use aiagent_host::workspace::{Globs, Tree};
use async_trait::async_trait;
use tokio::sync::{Barrier, Notify};
use tokio_util::sync::CancellationToken;

/// How the model answers.
pub(crate) enum Model {
    Says(&'static str),
    Takes(Duration),
    Never,
    /// Only once this many calls wait.
    Together(Barrier),
    Panics,
    Ends(Failure),
}

pub(crate) struct World {
    pub(crate) model: Model,
    /// Told when the model is asked.
    pub(crate) asked: Notify,
    pub(crate) checks: AtomicUsize,
    pub(crate) lines: Mutex<Vec<(Level, String)>>,
}

impl World {
    pub(crate) fn new(model: Model) -> Arc<Self> {
        let world =
            Self { model, asked: Notify::new(), checks: AtomicUsize::new(0), lines: Mutex::default() };
        Arc::new(world)
    }

    /// A call with generous budgets and an empty tree.
    pub(crate) fn call(self: &Arc<Self>) -> Call {
        Call {
            task: "01J9Z3NDEKTSV4RRFFQ69G5FAV".into(),
            goal: "a goal".into(),
            tests: vec!["test_a.py".into()],
            protected: Globs::default(),
            settings: vec![("key".into(), "value".into())],
            temperature: Some(0.5),
            attempt: 1,
            seed: 7,
            tree: Tree::default(),
            attempts: Vec::new(),
            outside: Arc::clone(self) as Arc<dyn Outside>,
            cancel: CancellationToken::new(),
            wall_left: Duration::from_secs(60),
            compute_left: Duration::from_secs(60),
        }
    }
}

#[async_trait]
impl Outside for World {
    fn limits(&self) -> Limits {
        Limits { model: "fake".into(), context_window: 8192, tokens_left: None }
    }

    async fn complete(&self, request: Request) -> Result<Completion, Interrupt<ModelError>> {
        assert_eq!(request.messages[0].content, "hello");
        self.asked.notify_one();
        let text = match &self.model {
            Model::Says(text) => text,
            Model::Takes(time) => {
                tokio::time::sleep(*time).await;
                "slow"
            }
            Model::Never => std::future::pending().await,
            Model::Together(barrier) => {
                barrier.wait().await;
                "together"
            }
            Model::Panics => panic!("the model door is broken"),
            Model::Ends(failure) => return Err(Interrupt::End(failure.clone())),
        };
        Ok(Completion {
            text: (*text).to_owned(),
            finish: FinishReason::Stop,
            usage: Usage::default(),
            model: "fake".into(),
        })
    }

    async fn check(&self, _: Tree) -> Result<Report, Interrupt<StepError>> {
        self.checks.fetch_add(1, SeqCst);
        Ok(Report {
            verdict: Verdict::Passed,
            counts: Counts { passed: 1, ..Counts::default() },
            problems: Vec::new(),
            output: String::new(),
        })
    }

    async fn exec(
        &self,
        _: Tree,
        _: exec::Command,
    ) -> Result<(exec::Output, Option<Tree>), Interrupt<exec::ExecError>> {
        Err(Interrupt::Answer(exec::ExecError::Denied("not in this test".into())))
    }

    fn log(&self, level: Level, message: String) {
        self.lines.lock().expect("no test panics while it logs").push((level, message));
    }
}
