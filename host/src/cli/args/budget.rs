//! What a task may use up.

use clap::Args;

use crate::submission::BudgetWish;

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct BudgetArgs {
    /// The most builds and fixes together
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
    /// The most tokens, input and output together (0: no limit)
    #[arg(long, value_name = "N")]
    tokens: Option<u64>,
    /// The most money, in the currency of the configured prices (0: no limit)
    #[arg(long, value_name = "AMOUNT")]
    cost: Option<f64>,
    /// The most minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
}

impl BudgetArgs {
    pub(in crate::cli) fn wish(&self) -> BudgetWish {
        BudgetWish {
            rounds: self.rounds,
            tokens: self.tokens,
            cost: self.cost,
            wall_s: self.minutes.map(|minutes| minutes.saturating_mul(60)),
            ..BudgetWish::default()
        }
    }
}
