//! `aiagent:step/exec`: native commands, for plugins the operator names.

use wasmtime::Result;

use super::bindings::exec as wit;
use super::state::{State, ask};
use crate::exec::{Command, Ending, ExecError, Output};
use crate::workspace::{Globs, Tree, TreeError};

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
        match ask(async move { outside.exec(tree, command).await }).await? {
            Err(refused) => Ok(Err(error(refused))),
            Ok((output, left)) => {
                if let Some(left) = left.filter(|_| self.kind.writes()) {
                    match keeping_protected(&self.tree, left, &self.protected) {
                        Ok(tree) => self.tree = tree,
                        Err(why) => return Ok(Err(wit::ExecError::Other(why.to_string()))),
                    }
                }
                Ok(Ok(self::output(output)))
            }
        }
    }
}

/// What a command left, with the protected files as they were before.
fn keeping_protected(
    before: &Tree,
    mut after: Tree,
    protected: &Globs,
) -> std::result::Result<Tree, TreeError> {
    let is_protected = |path: &str| protected.matching(path).is_some();
    let added: Vec<_> = after
        .iter()
        .map(|(path, _)| path.clone())
        .filter(|path| is_protected(path.as_str()) && before.get(path.as_str()).is_none())
        .collect();
    for path in added {
        after.remove(path.as_str())?;
    }
    for (path, file) in before.iter().filter(|(path, _)| is_protected(path.as_str())) {
        if after.get(path.as_str()) != Some(file) {
            after.put(path.clone(), file.blob.clone(), Some(file.mode))?;
        }
    }
    Ok(after)
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
