//! Of the commands that look for tasks, or do the same to many.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::Server;
use super::budget::BudgetArgs;
use super::steps::StepArgs;
use crate::task::{Millis, now};

/// Which tasks: all of what is given must hold.
#[derive(Debug, Args)]
#[group(id = "filter", multiple = true)]
pub(in crate::cli) struct FilterArgs {
    /// queued, running or ended
    #[arg(long)]
    pub state: Option<String>,
    #[arg(long)]
    pub pipeline: Option<String>,
    /// A part of the goal or of the id
    #[arg(long)]
    pub text: Option<String>,
    /// How it ended: green, not-green, cancelled, …
    #[arg(long, value_name = "REASON")]
    pub outcome: Option<String>,
    /// Ended through no fault of its own: lost workers, a model or a step that failed
    #[arg(long)]
    pub dead: bool,
    /// A model that its pipeline names
    #[arg(long, value_name = "NAME")]
    pub of_model: Option<String>,
    /// A plugin that its pipeline names
    #[arg(long, value_name = "NAME")]
    pub plugin: Option<String>,
    /// The task that it runs again
    #[arg(long, value_name = "ID")]
    pub parent: Option<String>,
    /// Submitted longer ago than that, such as 30d, 12h or 15m
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<Millis>,
    /// Submitted since then
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub newer_than: Option<Millis>,
}

impl FilterArgs {
    /// As the API takes it.
    pub(in crate::cli) fn wanted(&self) -> Map<String, Value> {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let time = |age: Option<Millis>| age.map(|age| Value::from(now().saturating_sub(age)));
        let all = [
            ("state", text(&self.state)),
            ("pipeline", text(&self.pipeline)),
            ("text", text(&self.text)),
            ("outcome", text(&self.outcome)),
            ("dead", self.dead.then(|| Value::from(true))),
            ("model", text(&self.of_model)),
            ("plugin", text(&self.plugin)),
            ("parent", text(&self.parent)),
            ("until", time(self.older_than)),
            ("since", time(self.newer_than)),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// A length of time in milliseconds.
fn age(text: &str) -> Result<Millis, String> {
    let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60)];
    let found = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    found
        .and_then(|(number, seconds)| number.parse::<Millis>().ok()?.checked_mul(seconds * 1000))
        .ok_or_else(|| "say it in days, hours or minutes, such as 30d, 12h or 15m".to_owned())
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Tasks {
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    /// Go on after the task with this id, which the page before ended with
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
    #[arg(long)]
    pub json: bool,
}

/// Tasks by their ids, or all that a filter finds.
#[derive(Debug, Args)]
pub(in crate::cli) struct Chosen {
    #[arg(conflicts_with_all = ["filter", "all"])]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Every task there is
    #[arg(long, conflicts_with = "filter")]
    pub all: bool,
    /// Do it to all that the filter finds; without it they are only counted
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub server: Server,
    #[arg(long)]
    pub json: bool,
}

/// What is to be different when a task is run again, by its id.
#[derive(Debug, Args)]
pub(in crate::cli) struct Again {
    #[command(flatten)]
    pub chosen: Chosen,
    /// Another goal
    #[arg(long)]
    pub goal: Option<String>,
    /// With this pipeline
    #[arg(long, value_name = "NAME")]
    pub with_pipeline: Option<String>,
    /// Begin with what this round left, in place of the files as they were submitted
    #[arg(long, value_name = "N")]
    pub round: Option<usize>,
    #[command(flatten)]
    pub steps: StepArgs,
    /// Files that no step may change, in place of those of the first task
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub protect: Vec<String>,
    #[command(flatten)]
    pub budget: BudgetArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TaskCommand {
    /// End tasks
    Cancel(Chosen),
    /// Put ended tasks back into their queues
    Requeue(Chosen),
    /// Run tasks again, as new ones; one that is named may be changed
    Again(Box<Again>),
    /// Delete tasks that have ended, with their events and logs
    Delete(Chosen),
    /// Count tasks
    Count {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        server: Server,
        #[arg(long)]
        json: bool,
    },
    /// Print what changed between two trees, of one task or of two
    Diff {
        id: String,
        /// The tree that this round left [default: the outcome's, or the best so far]
        #[arg(long, value_name = "N")]
        round: Option<usize>,
        /// Compared with the tree that this round left [default: as it was submitted]
        #[arg(long, value_name = "N")]
        from: Option<usize>,
        /// Compared with another task: with what --from says of that one [default: its result]
        #[arg(long, value_name = "ID")]
        with: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Write a tree of a task into a .tar.gz
    Archive {
        id: String,
        /// The file to write, which must not be there; `-` is standard output [default: ID.tar.gz]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// The tree that this round left; 0: as it was submitted [default: the outcome's, or the best so far]
        #[arg(long, value_name = "N")]
        round: Option<usize>,
        #[command(flatten)]
        server: Server,
    },
    /// Print what a task's steps asked and were answered, one step a line, as JSON
    Journal {
        id: String,
        /// The first step to print
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: u32,
        #[command(flatten)]
        server: Server,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        assert_eq!(age("30d"), Ok(30 * 86_400_000));
        assert_eq!((age("12h"), age("15m")), (Ok(12 * 3_600_000), Ok(900_000)));
        for bad in ["", "d", "30", "-1d", "1.5h", "30 d", "999999999999999999d", "1w"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }
}
