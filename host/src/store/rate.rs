//! What all workers together may ask of a model in a minute: a bucket of requests and one of tokens, which fill
//! evenly and hold a minute's worth.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Now;

/// What a bucket holds, as time.
pub(super) const MINUTE: u64 = 60_000_000;

/// In a minute. `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub requests: Option<u64>,
    /// Input and output together.
    pub tokens: Option<u64>,
}

/// When each bucket of a model is full again, in µs by the store's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    pub(super) requests: u64,
    pub(super) tokens: u64,
}

impl Rate {
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// How much longer one request with so many tokens keeps the buckets from being full. One that asks for
    /// more than a bucket holds counts as one that asks for all of it.
    pub(super) fn takes(self, tokens: u64) -> Buckets {
        let takes = |amount: u64, limit: Option<u64>| match limit {
            None => 0,
            Some(0) => MINUTE,
            Some(limit) => MINUTE.saturating_mul(amount).div_ceil(limit).min(MINUTE),
        };
        Buckets { requests: takes(1, self.requests), tokens: takes(tokens, self.tokens) }
    }
}

impl Buckets {
    /// Takes as much from both, or says how long to wait and takes nothing. Tokens are lent: whoever waited
    /// for as many as it takes would wait for ever where others take each that comes. So all wait for the same,
    /// that there is no debt, and the next ones wait until it is paid.
    pub(super) fn take(&mut self, much: Buckets, now: Now) -> Option<Duration> {
        let requests = self.requests.max(now.micros) + much.requests;
        let tokens = self.tokens.max(now.micros);
        let missing = requests.max(tokens).saturating_sub(now.micros + MINUTE);
        if missing > 0 {
            return Some(Duration::from_micros(missing));
        }
        *self = Self { requests, tokens: tokens + much.tokens };
        None
    }

    /// Puts back what was not needed, or takes what was needed beyond that.
    pub(super) fn settle(&mut self, reserved: Buckets, used: Buckets) {
        self.tokens = (self.tokens + used.tokens).saturating_sub(reserved.tokens);
    }
}
