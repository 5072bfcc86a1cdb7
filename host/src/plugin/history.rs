//! What became of the plugins' files, as the log, the API and the ledger tell it.

use serde::{Deserialize, Serialize};

use crate::task::{Digest, Millis};

/// One change of what a host serves, or one file that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// By the host's clock.
    pub at: Millis,
    /// The generation that came of it.
    pub generation: u64,
    pub plugin: String,
    pub what: What,
    /// What served before.
    pub from: Option<Digest>,
    /// What serves now; where that is still `from`, what was turned away.
    pub to: Option<Digest>,
    /// Of a refusal: the reason, and what to do.
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Added,
    Replaced,
    Removed,
    Refused,
    HeldBack,
    Withdrawn,
}

impl Change {
    pub(super) fn log(&self) {
        let digest = |digest: &Option<Digest>| digest.as_ref().map(|digest| digest.short().to_owned());
        let (plugin, generation) = (&self.plugin, self.generation);
        let (from, to) = (digest(&self.from), digest(&self.to));
        let why = self.why.as_deref().unwrap_or_default();
        match self.what {
            What::Added => tracing::info!(generation, %plugin, to, "plugin added"),
            What::Replaced => tracing::info!(generation, %plugin, from, to, "plugin replaced"),
            What::Removed => tracing::info!(generation, %plugin, from, "plugin removed"),
            What::Refused => {
                tracing::warn!(generation, %plugin, serving = from, refused = to, "plugin refused: {why}");
            }
            What::HeldBack => {
                tracing::warn!(generation, %plugin, serving = from, held = to, "plugin held back: {why}");
            }
            What::Withdrawn => {
                tracing::warn!(generation, %plugin, withdrawn = from, restored = to, "plugin withdrawn: {why}");
            }
        }
    }
}
