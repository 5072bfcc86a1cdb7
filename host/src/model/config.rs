//! How one model is reached, what it costs, and how patient we are with it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::egress::Allow;

/// One `[models.NAME]` table. Every text that names a setting uses these fields' names.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    pub name: String,
    /// The plugin that speaks the vendor's wire format.
    pub adapter: String,
    /// `http://` or `https://`, without query or user. `None`: the adapter's default, which must be a known vendor's.
    pub base_url: Option<String>,
    /// The vendor's name for the model.
    pub model: String,
    pub key: KeySource,
    /// Prompt and answer together, in tokens; not 0.
    pub context_window: u32,
    /// The most tokens the vendor lets one answer have, where that is less than the window.
    pub max_output: Option<u32>,
    /// Per million tokens. Without both prices a call has no cost.
    pub price_input: Option<Price>,
    pub price_output: Option<Price>,
    /// From the request to the first byte of the answer. Without `stream` only `total_timeout` counts:
    /// nothing arrives before the whole answer does.
    pub first_byte_timeout: Duration,
    /// Between two pieces of an answer.
    pub idle_timeout: Duration,
    /// For a whole call: every attempt, and the waits between them.
    pub total_timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// Calls under way at once; further ones wait, and their clocks start when they go. 0: no limit.
    pub parallel: usize,
    /// Of all workers together, which whoever asks keeps to; 0: no limit.
    pub requests_per_minute: u64,
    /// Likewise, input and output together.
    pub tokens_per_minute: u64,
    /// The wait before the first retry is drawn from 0 to this; it doubles with each further one.
    pub retry_wait: Duration,
    pub max_response_bytes: u64,
    /// Addresses that aren't global and may be connected to all the same.
    pub allow: Vec<Allow>,
    pub stream: bool,
    /// Further settings, for the adapter.
    pub extra: BTreeMap<String, String>,
}

impl ModelConfig {
    /// A model with every default.
    pub fn new(name: impl Into<String>, adapter: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            adapter: adapter.into(),
            base_url: None,
            model: model.into(),
            key: KeySource::None,
            // Small enough that no model in use has less.
            context_window: 8192,
            max_output: None,
            price_input: None,
            price_output: None,
            // A model on a CPU reads about 50 tokens of prompt a second.
            first_byte_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(600),
            retries: 4,
            parallel: 0,
            requests_per_minute: 0,
            tokens_per_minute: 0,
            retry_wait: Duration::from_millis(500),
            max_response_bytes: 16 << 20,
            allow: Vec::new(),
            stream: true,
            extra: BTreeMap::new(),
        }
    }
}

/// Where a key is read from, at each call, so that a rotated key needs no restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    None,
    Env(String),
    File(PathBuf),
}

/// Millionths of a currency per million tokens: a price of 0.15 is 150,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(u64);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no price: write it as 3 or 0.15, with at most six decimals")]
pub struct PriceError(String);

impl Price {
    pub fn per_million_tokens(micros: u64) -> Self {
        Self(micros)
    }

    pub fn micros(self) -> u64 {
        self.0
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let bad = || PriceError(text.to_owned());
        let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
            return Err(bad());
        }
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let decimals: u64 = format!("{decimals:0<6}").parse().map_err(|_| bad())?;
        whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(decimals)).map(Self).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_decimals() {
        for (text, micros) in [("3", 3_000_000), ("0.15", 150_000), (" 1.000001 ", 1_000_001), ("0", 0)] {
            assert_eq!(text.parse(), Ok(Price(micros)), "{text}");
        }
        for text in
            ["", ".5", "5.", "-1", "1e3", "0.0000001", "1,5", "99999999999999999999", "18446744073709"]
        {
            let parsed = text.parse::<Price>();
            assert_eq!(parsed.is_ok(), text == "18446744073709", "{text}: {parsed:?}");
        }
    }
}
