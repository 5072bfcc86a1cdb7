//! What all workers together may ask of a model in a minute: before a call as much is taken as it may need, and
//! after it the rest is put back.

use std::time::Duration;

use super::drive::Desk;
use super::feed::insist;
use crate::model::{ModelConfig, Request, Usage};
use crate::store::{Rate, StoreError};
use crate::task::{EventBody, Level};

/// Of code, on average: the contract's own rule (`wit/model.wit`).
const BYTES_PER_TOKEN: u64 = 3;

/// Of an answer that may be as long as the model likes: about what it writes to a task of one file.
const ANSWER: u64 = 1000;

/// Others may put back what they took, so that it is worth a look before that.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What was taken.
pub(super) struct Pace {
    model: String,
    rate: Rate,
    reserved: u64,
}

/// Waits until the model may be asked. To give up, drop the future.
pub(super) async fn keep(
    desk: &Desk,
    config: &ModelConfig,
    request: &Request,
    source: &str,
) -> Result<Pace, StoreError> {
    let limit = |limit: u64| (limit > 0).then_some(limit);
    let rate = Rate { requests: limit(config.requests_per_minute), tokens: limit(config.tokens_per_minute) };
    let bytes: u64 = request.messages.iter().map(|message| message.content.len() as u64).sum();
    let reserved = bytes / BYTES_PER_TOKEN + request.max_tokens.map_or(ANSWER, u64::from);
    let pace = Pace { model: config.name.clone(), rate, reserved };
    if rate.is_none() {
        return Ok(pace);
    }
    let store = &desk.shared.equipment.store;
    let mut told = false;
    while let Some(wait) = insist(&desk.halt, || store.reserve(&pace.model, rate, reserved)).await? {
        if !std::mem::replace(&mut told, true) {
            let (name, seconds) = (&config.name, wait.as_secs_f64());
            let message = format!(
                "model {name} has been asked as much as it may be in a minute (models.{name}.requests_per_minute, \
                 tokens_per_minute): waiting about {seconds:.0} s"
            );
            desk.feed.push(EventBody::Log { level: Level::Info, source: source.to_owned(), message });
        }
        tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
    }
    Ok(pace)
}

impl Pace {
    /// A call that failed has used its request, and no tokens that anybody has counted.
    pub(super) async fn settle(self, desk: &Desk, usage: Usage) {
        if self.rate.tokens.is_none() {
            return;
        }
        let used = usage.input_tokens.saturating_add(usage.output_tokens);
        let store = &desk.shared.equipment.store;
        if let Err(error) = store.settle(&self.model, self.rate, self.reserved, used).await {
            // The next minute forgets it.
            tracing::debug!(%error, "what a call took of its model's rate can't be settled");
        }
    }
}
