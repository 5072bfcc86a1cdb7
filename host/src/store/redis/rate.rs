//! What all workers together may ask of a model.

use std::time::Duration;

use super::{Inner, script};
use crate::store::StoreError;
use crate::store::rate::{MINUTE, Rate};

impl Inner {
    pub(super) async fn reserve(
        &self,
        model: &str,
        rate: Rate,
        tokens: u64,
    ) -> Result<Option<Duration>, StoreError> {
        let much = rate.takes(tokens);
        let call = self.on(&script::RESERVE).arg(model).arg(much.requests).arg(much.tokens).arg(MINUTE);
        let wait: u64 =
            redis::from_redis_value(self.link.call_once(&call).await?).map_err(redis::RedisError::from)?;
        Ok((wait > 0).then(|| Duration::from_micros(wait)))
    }

    pub(super) async fn settle(
        &self,
        model: &str,
        rate: Rate,
        reserved: u64,
        used: u64,
    ) -> Result<(), StoreError> {
        let [reserved, used] = [reserved, used].map(|tokens| rate.takes(tokens).tokens.cast_signed());
        self.link.call_once(&self.on(&script::SETTLE).arg(model).arg(used - reserved)).await?;
        Ok(())
    }
}
