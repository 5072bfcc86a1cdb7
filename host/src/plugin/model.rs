//! `aiagent:step/model`: the pipeline's language model.

use wasmtime::Result;

use super::bindings::model as wit;
use super::bindings::types;
use super::convert;
use super::state::{State, ask};

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
        let outside = self.outside()?;
        let request = convert::request(request);
        let answer = ask(async move { outside.complete(request).await }).await?;
        Ok(answer.map(convert::completion_to_guest).map_err(convert::model_error_to_guest))
    }
}
