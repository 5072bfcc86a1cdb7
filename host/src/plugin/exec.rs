//! `aiagent:step/exec`: native commands, for plugins the operator names.

use wasmtime::Result;

use super::bindings::exec as wit;
use super::state::{State, ask};
use crate::exec::{Command, Ending, ExecError, Output};

impl wit::Host for State {
    async fn run(
        &mut self,
        command: wit::Command,
    ) -> Result<std::result::Result<wit::Output, wit::ExecError>> {
        // The catalog refuses a plugin without the grant; this holds even if it did not.
        if !self.exec_granted {
            let line = format!(
                "not granted; the operator allows it in aiagent.toml: [plugins.{}] exec = true",
                self.plugin
            );
            return Ok(Err(wit::ExecError::Denied(line)));
        }
        let (outside, tree) = (self.outside()?, self.tree.clone());
        let command = Command {
            argv: command.argv,
            cwd: command.cwd,
            env: command.env,
            stdin: command.stdin,
            timeout_ms: command.timeout,
        };
        match ask(&self.service, async move { outside.exec(tree, command).await }).await? {
            Err(refused) => Ok(Err(error(refused))),
            Ok((output, left)) => {
                if let Some(mut left) = left.filter(|_| self.kind.writes()) {
                    if let Err(why) = left.restore_protected(&self.tree, &self.protected) {
                        return Ok(Err(wit::ExecError::Other(why.to_string())));
                    }
                    self.tree = left;
                }
                Ok(Ok(self::output(output)))
            }
        }
    }
}

fn output(output: Output) -> wit::Output {
    wit::Output {
        ending: match output.ending {
            Ending::Exited(code) => wit::Ending::Exited(code),
            Ending::Signalled(signal) => wit::Ending::Signalled(signal),
            Ending::TimedOut => wit::Ending::TimedOut,
        },
        stdout: output.stdout,
        stderr: output.stderr,
        dropped: output.dropped,
        duration: output.duration_ms,
    }
}

fn error(error: ExecError) -> wit::ExecError {
    match error {
        ExecError::Denied(why) => wit::ExecError::Denied(why),
        ExecError::NotFound(why) => wit::ExecError::NotFound(why),
        ExecError::Invalid(why) => wit::ExecError::Invalid(why),
        ExecError::Other(why) => wit::ExecError::Other(why),
    }
}
