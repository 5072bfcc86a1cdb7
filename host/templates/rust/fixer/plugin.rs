//! What the host calls.

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use aiagent::step::types::{Message, Request, Role};
use aiagent::step::{log, model, workspace};
use exports::aiagent::step::fix_step::{Attempt, Decision, Guest, StepError, Task};

use crate::answer::code;
use crate::{question, suspect};

/// More than any model takes.
const MOST_BYTES: u64 = 256 * 1024;

struct Fixer;

impl Guest for Fixer {
    fn fix(task: Task, attempts: Vec<Attempt>) -> Result<Decision, StepError> {
        if let Some((key, _)) = task.settings.first() {
            return Err(StepError::Settings(format!("unknown setting {key}: there are none")));
        }
        let current = attempts.iter().rev().find(|attempt| attempt.current);
        let report = current.and_then(|attempt| attempt.report.as_ref());
        let Some(problem) = report.and_then(|report| report.problems.first()) else {
            return Ok(Decision::Rebuild("no check says what is wrong".to_owned()));
        };
        let files = workspace::list("**").map_err(|error| StepError::Other(format!("{error:?}")))?;
        let ours = files.iter().filter(|file| file.text && !file.protected && file.size <= MOST_BYTES);
        let ours: Vec<_> = ours.map(|file| file.path.as_str()).collect();
        let Some(path) = suspect(problem.path.as_deref(), &problem.message, &ours) else {
            return Ok(Decision::Stop(
                "there is no text file of a fitting size that may be changed".to_owned(),
            ));
        };
        let bytes = workspace::read(path).map_err(|error| StepError::Other(format!("{path}: {error:?}")))?;
        let before = String::from_utf8_lossy(&bytes);
        log::log(log::Level::Info, &format!("asking about {path}"));
        let content = question(&task.goal, path, &before, &problem.message);
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
        if content == before {
            return Err(unusable(format!("the answer is {path} as it was")));
        }
        workspace::write(path, content.as_bytes()).map_err(|error| unusable(format!("{path}: {error:?}")))?;
        Ok(Decision::Proposed(format!("rewrote {path}")))
    }
}

export!(Fixer);
