//! What a task may spend, and what it has spent.

use serde::{Deserialize, Serialize};

use super::Millis;

/// `None`: no limit. A task always has a limit of rounds and of wall time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Budget {
    /// Builds and fixes together.
    pub rounds: u32,
    /// Input and output tokens together, by the vendor's figures; where it gives none, 3 bytes are a token.
    pub tokens: Option<u64>,
    /// In millionths of the price list's currency.
    pub cost_micros: Option<u64>,
    /// From the first claim to the end, in milliseconds; waiting in the queue does not count.
    pub wall_ms: u64,
    /// Time that guests of this task computed, in milliseconds.
    pub compute_ms: u64,
    /// By when it has to have ended, waiting included, in milliseconds since 1970 by the store's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Millis>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            rounds: 4,
            tokens: Some(200_000),
            cost_micros: None,
            wall_ms: 30 * 60_000,
            compute_ms: 10 * 60_000,
            deadline: None,
        }
    }
}

/// What a task has used up so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Spend {
    pub rounds: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub model_calls: u32,
    /// `None` as soon as one call was made to a model without a price.
    pub cost_micros: Option<u64>,
    /// Since the first claim; counted at the end of each step.
    pub wall_ms: u64,
    pub compute_ms: u64,
}

/// Which part of a budget was reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    Rounds,
    Tokens,
    Cost,
    Wall,
    Compute,
    Deadline,
}

impl Spend {
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The first limit that is reached, rounds excepted: those end a task only when another one is wanted.
    pub fn exhausts(&self, budget: &Budget) -> Option<Limit> {
        let reached = |spent: u64, limit: Option<u64>| limit.is_some_and(|limit| spent >= limit);
        if reached(self.tokens(), budget.tokens) {
            Some(Limit::Tokens)
        } else if reached(self.cost_micros.unwrap_or(0), budget.cost_micros) {
            Some(Limit::Cost)
        } else if self.wall_ms >= budget.wall_ms {
            Some(Limit::Wall)
        } else if self.compute_ms >= budget.compute_ms {
            Some(Limit::Compute)
        } else {
            None
        }
    }
}
