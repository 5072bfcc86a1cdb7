//! What the host calls.

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use aiagent::step::types::{Message, Request, Role};
use aiagent::step::{log, model, workspace};
use exports::aiagent::step::build_step::{Attempt, Built, Guest, StepError, Task};

use crate::answer::code;
use crate::{question, target};

struct Builder;

impl Guest for Builder {
    fn build(task: Task, attempts: Vec<Attempt>) -> Result<Built, StepError> {
        let path = target(&task.goal, &task.settings).map_err(StepError::Settings)?;
        let tests: Vec<_> = task.tests.iter().map(|test| (test.clone(), text(test))).collect();
        let failure = attempts.last().and_then(|attempt| attempt.failure.as_deref());
        log::log(log::Level::Info, &format!("asking for {path}"));
        let content = question(&task.goal, &path, &tests, failure);
        let completion = model::complete(&Request {
            messages: vec![Message { role: Role::User, content }],
            temperature: task.temperature,
            max_tokens: None,
            stop: Vec::new(),
            seed: Some(task.seed),
        })
        .map_err(StepError::Model)?;
        let unusable = |why: String| StepError::UnusableAnswer(why);
        let Some(content) = code(&completion.text) else {
            return Err(unusable("the answer has no whole code block".to_owned()));
        };
        if content == text(&path) {
            return Err(unusable(format!("the answer is {path} as it was")));
        }
        workspace::write(&path, content.as_bytes())
            .map_err(|error| unusable(format!("{path}: {error:?}")))?;
        Ok(Built { summary: format!("wrote {path}") })
    }
}

/// A file's text; empty where there is none.
fn text(path: &str) -> String {
    workspace::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

export!(Builder);
