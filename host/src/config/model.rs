//! A language model, `[models.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The adapter plugin's name.
    pub adapter: String,
    /// Empty: the adapter's default.
    pub base_url: String,
    /// The vendor's name for it.
    pub model: String,
    /// The environment variable that holds the key. Empty: none.
    pub key_env: String,
    /// A file that holds the key. Empty: none.
    pub key_file: PathBuf,
    /// Prompt and answer together, in tokens.
    pub context_window: u32,
    /// Per million tokens; negative: unknown.
    pub price_input: f64,
    pub price_output: f64,
    pub first_byte_timeout_s: u64,
    pub idle_timeout_s: u64,
    pub total_timeout_s: u64,
    pub retries: u32,
    /// Requests under way at once; further ones wait. 0: no limit.
    pub parallel: usize,
    /// Of all workers on the store together; further ones wait. 0: no limit.
    pub requests_per_minute: u64,
    /// Likewise, input and output together.
    pub tokens_per_minute: u64,
    pub stream: bool,
    /// Non-global addresses this model may be reached at, such as `"127.0.0.1"` or `"10.0.0.0/8"`.
    pub allow: Vec<String>,
    /// Further keys for the adapter.
    pub extra: BTreeMap<String, String>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            adapter: "adapter-openai".to_owned(),
            base_url: String::new(),
            model: String::new(),
            key_env: String::new(),
            key_file: PathBuf::new(),
            context_window: 8192,
            price_input: -1.0,
            price_output: -1.0,
            // A local model may read a long prompt for minutes before its first token.
            first_byte_timeout_s: 300,
            idle_timeout_s: 120,
            total_timeout_s: 600,
            retries: 4,
            parallel: 0,
            requests_per_minute: 0,
            tokens_per_minute: 0,
            stream: true,
            allow: Vec::new(),
            extra: BTreeMap::new(),
        }
    }
}
