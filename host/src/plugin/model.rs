//! `aiagent:step/model`: the pipeline's language model.

use wasmtime::Result;

use super::bindings::model as wit;
use super::bindings::types;
use super::convert;
use super::state::{State, ask};

/// Far more than a step within any budget needs. What is refused costs nothing, so that no budget ends
/// a guest that asks in a loop.
const MAX_CALLS: u32 = 1_000;

impl wit::Host for State {
    fn limits(&mut self) -> Result<wit::ModelLimits> {
        let limits = self.outside()?.limits();
        Ok(wit::ModelLimits {
            model: limits.model,
            context_window: limits.context_window,
            tokens_left: limits.tokens_left,
        })
    }

    async fn complete(
        &mut self,
        request: types::Request,
    ) -> Result<std::result::Result<types::Completion, types::ModelError>> {
        if self.model_calls >= MAX_CALLS {
            let why = format!("the model was asked {MAX_CALLS} times in this step, which is the limit");
            return Ok(Err(types::ModelError::Other(why)));
        }
        self.model_calls += 1;
        let outside = self.outside()?;
        let request = convert::request(request);
        let answer = ask(&self.service, async move { outside.complete(request).await }).await?;
        Ok(answer.map(convert::completion_to_guest).map_err(convert::model_error_to_guest))
    }
}
