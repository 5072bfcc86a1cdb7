//! The one reader of the environment and of `aiagent.toml`.
//!
//! Four layers, each over the one before: defaults, the file, the environment, the command line.
//! Invariant: nothing else in this crate reads an environment variable, except for a model's key at
//! the moment it is used, whose variable is named here.

mod api;
mod check;
mod environment;
mod layers;
mod model;
mod oidc;
mod paths;
mod pipeline;
mod print;
mod settings;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use api::ApiSettings;
pub use environment::Environment;
pub use layers::{Origin, Overrides, is_secret};
pub use model::Model;
pub use oidc::Oidc;
pub use paths::Paths;
pub use pipeline::PipelineSettings;
pub use settings::{
    BudgetSettings, Exec, Listen, LogFormat, Queue, Redis, Role, Settings, Telemetry, WatchSettings, Worker,
    Workspace,
};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("can't read {}: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    /// Says where in the file, what is wrong, and the nearest known key if one is unknown.
    #[error("{origin}: {message}")]
    Bad { origin: String, message: String },
}

/// What applies, and where each value came from.
#[derive(Debug)]
pub struct Config {
    pub settings: Settings,
    /// What is not wrong, but hardly meant.
    pub warnings: Vec<String>,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// The variables that were read.
    pub environment: Environment,
    origins: std::collections::BTreeMap<String, Origin>,
    merged: toml::Table,
}

impl Config {
    /// Reads the file (`--config`, else the first that exists of the user's and the system's) and
    /// the environment, and puts the command line's values on top.
    pub fn load(environment: &Environment, overrides: Overrides) -> Result<Self, ConfigError> {
        layers::load(environment, overrides)
    }

    /// Every value with its origin, as a TOML file that would give the same configuration.
    /// Secrets are shown as `"***"`.
    pub fn print(&self) -> String {
        print::print(&self.merged, &self.origins)
    }
}
