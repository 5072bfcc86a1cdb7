//! Of `plugins`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Server;
use crate::plugin::Kind;
use crate::scaffold::Language;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Plugins {
    /// Load the plugins folders here and now, and say what was loaded and what was refused
    List {
        #[arg(long)]
        json: bool,
    },
    /// What a running service serves, refuses, holds back and has withdrawn, and how each plugin does
    Status(PluginStatus),
    /// Let a service on this state folder take a file that asks for more than the one before it
    ///
    /// Counts for the file as it is now. A service that runs takes it up within seconds; one that
    /// is started later finds it too. Native commands are granted in aiagent.toml only.
    Allow { file: PathBuf },
    /// Say what a file is, what it asks for, and what it would lack, without running it
    Inspect {
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// Load and compile a file as the host would; exit code 1 if it would be refused
    Check { file: PathBuf },
    /// Write a new plugin's project: it builds, passes its own test and can be served as it is
    New(NewPlugin),
    /// Run a plugin against the contract, with a scripted model; exit code 1 if it does not conform
    Test(TestPlugin),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PluginStatus {
    #[command(flatten)]
    pub server: Server,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TestPlugin {
    pub file: PathBuf,
    /// A setting that the plugin needs; for an adapter a key of [models.NAME.extra]
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// What the scripted model says; several in turn [default: a Markdown code block]
    #[arg(long, value_name = "FILE")]
    pub answer: Vec<PathBuf>,
    /// A vendor's recorded response, which an adapter must understand wherever it is cut
    #[arg(long, value_name = "FILE")]
    pub response: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| "write KEY=VALUE".to_owned())
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewPlugin {
    /// The plugin's name: lower-case letters, digits, - and _
    pub name: String,
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Language,
    #[arg(long)]
    pub kind: Kind,
    /// Where to put it; must be empty or not exist [default: ./NAME]
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}
