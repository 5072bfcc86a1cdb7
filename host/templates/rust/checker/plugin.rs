//! What the host calls.

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use aiagent::step::types::{Counts, Problem, Verdict};
use aiagent::step::workspace;
use exports::aiagent::step::check_step::{Guest, Report, StepError, Task};

use crate::problems;

struct Checker;

impl Guest for Checker {
    fn check(task: Task) -> Result<Report, StepError> {
        if let Some((key, _)) = task.settings.first() {
            return Err(StepError::Settings(format!("unknown setting {key}: there are none")));
        }
        let other = |error| StepError::Other(format!("{error:?}"));
        let (mut passed, mut failed, mut found) = (0, 0, Vec::new());
        for file in workspace::list("**").map_err(other)?.into_iter().filter(|file| file.text) {
            let bytes = workspace::read(&file.path).map_err(other)?;
            let text = String::from_utf8_lossy(&bytes);
            let problems = problems(&text);
            if problems.is_empty() {
                passed += 1
            } else {
                failed += 1
            }
            found.extend(problems.into_iter().map(|(line, message)| Problem {
                test: None,
                path: Some(file.path.clone()),
                line: Some(line),
                message: message.to_owned(),
            }));
        }
        let verdict = match (passed, failed) {
            // Nothing was checked, so nothing has passed.
            (0, 0) => {
                let message = "there is no text file to check".to_owned();
                found.push(Problem { test: None, path: None, line: None, message });
                Verdict::Broken
            }
            (_, 0) => Verdict::Passed,
            _ => Verdict::Failed,
        };
        let output = format!("{passed} files are clean, {failed} are not\n");
        Ok(Report { verdict, counts: Counts { passed, failed, skipped: 0 }, problems: found, output })
    }
}

export!(Checker);
