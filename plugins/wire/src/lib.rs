//! What the model adapters share. An adapter adds one vendor's words: how a request is written and
//! how one JSON message of an answer is read. Everything here is without input or output, and
//! natively tested; only `guest` knows that it runs as a plugin.

/// The contract's nouns, as plain types.
pub mod types;

/// What a vendor implements.
pub mod vendor;

/// The request's JSON body and the operator's own keys in it.
pub mod body;

/// What a JSON message holds.
pub mod json;

/// Server-sent events, from bytes cut anywhere.
pub mod sse;

/// The answer as far as it has been read.
pub mod draft;

/// One response, from its first byte to a completion or a typed error.
pub mod decoder;

/// Vendors' error bodies, and the typed errors they amount to.
pub mod failure;

/// HTTP dates, for `retry-after`.
mod date;

/// Short, safe excerpts of what a server sent.
pub mod quote;

/// The plugin's exports, over any vendor.
#[cfg(target_arch = "wasm32")]
pub mod guest;

/// Feeds a decoder in every way a network could.
#[cfg(feature = "testing")]
pub mod testing;
