//! `aiagent:step/check`: the pipeline's checker, for a look before handing in.

use wasmtime::Result;

use super::StepError;
use super::bindings::check::Host;
use super::bindings::types;
use super::convert;
use super::state::{State, ask};

/// `wit/check.wit` promises this number.
const MAX_CHECKS: u32 = 32;

impl Host for State {
    async fn run(&mut self) -> Result<std::result::Result<types::Report, types::StepError>> {
        if self.checks >= MAX_CHECKS {
            let why = format!("check.run was called {MAX_CHECKS} times in this step, which is the limit");
            return Ok(Err(convert::step_error_to_guest(StepError::Denied(why))));
        }
        self.checks += 1;
        let (outside, tree) = (self.outside()?, self.tree.clone());
        let answer = ask(&self.service, async move { outside.check(tree).await }).await?;
        Ok(answer.map(convert::report_to_guest).map_err(convert::step_error_to_guest))
    }
}
