//! The component's glue.

use crate::judge::{self, Ending, Run};
use crate::places::Places;
use crate::report::Verdict;
use crate::settings;

#[expect(unsafe_code, reason = "wit-bindgen's generated code crosses the component's boundary")]
mod bindings {
    use super::CheckCommand;

    wit_bindgen::generate!({ path: "../../wit", world: "checker" });
    export!(CheckCommand);
}

use bindings::aiagent::step::{exec, types, workspace};

struct CheckCommand;

impl bindings::exports::aiagent::step::check_step::Guest for CheckCommand {
    fn check(task: types::Task) -> Result<types::Report, types::StepError> {
        let settings = settings::parse(&task.settings, &task.tests).map_err(types::StepError::Settings)?;
        let entries = workspace::list("**")
            .map_err(|e| types::StepError::Other(format!("list the workspace: {e:?}")))?;
        let places = Places::new(entries.into_iter().map(|e| e.path), settings.cwd.as_deref());
        let line = settings.argv.join(" ");
        let command = exec::Command {
            argv: settings.argv,
            cwd: settings.cwd,
            env: settings.env,
            stdin: None,
            timeout: settings.timeout,
        };
        let report = match exec::run(&command) {
            Ok(output) => {
                let ending = match output.ending {
                    exec::Ending::Exited(code) => Ending::Exited(code),
                    exec::Ending::Signalled(signal) => Ending::Signalled(signal),
                    exec::Ending::TimedOut => Ending::TimedOut,
                };
                let run = Run {
                    command: &line,
                    ending,
                    stdout: &output.stdout,
                    stderr: &output.stderr,
                    dropped: output.dropped,
                    duration: output.duration,
                };
                judge::judge(&run, &places)
            }
            Err(exec::ExecError::NotFound(text)) => judge::not_found(&text),
            Err(exec::ExecError::Denied(text)) => return Err(types::StepError::Denied(text)),
            Err(exec::ExecError::Invalid(text)) => return Err(types::StepError::Settings(text)),
            Err(exec::ExecError::Other(text)) => return Err(types::StepError::Other(text)),
        };
        Ok(types::Report {
            verdict: match report.verdict {
                Verdict::Passed => types::Verdict::Passed,
                Verdict::Failed => types::Verdict::Failed,
                Verdict::Broken => types::Verdict::Broken,
            },
            counts: types::Counts { passed: report.passed, failed: report.failed, skipped: report.skipped },
            problems: report
                .problems
                .into_iter()
                .map(|p| types::Problem { test: p.test, path: p.path, line: p.line, message: p.message })
                .collect(),
            output: report.output,
        })
    }
}
