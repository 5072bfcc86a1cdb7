//! What can be said on the command line.

mod budget;
mod client;
mod ops;
mod plugins;
mod steps;
mod tasks;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use toml::Value;

use crate::config::{LogFormat, Overrides, Role};
use budget::BudgetArgs;
use steps::StepArgs;

pub(super) use client::{Cancel, Events, Queue, Server, Show, Submit};
pub(super) use ops::{Backup, Doctor, Migrate, ProductionCheck, Restore, Smoke, Token};
pub(super) use plugins::{NewPlugin, PluginStatus, Plugins, TestPlugin};
pub(super) use tasks::{Again, Chosen, FilterArgs, TaskCommand, Tasks};

/// Runs AI coding steps as sandboxed WebAssembly components: build, check, fix, until green or out
/// of budget.
///
/// Without a command it serves the API and works on tasks.
#[derive(Debug, Parser)]
#[command(name = "aiagent-host", version = super::VERSION, max_term_width = 100, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  aiagent-host --plugins target/plugins                       serve on 127.0.0.1:8080
  aiagent-host run 'Write slug.py with slugify(text)' --tests test_slug.py
  aiagent-host run 'Make the tests pass' --dir . --check 'cargo test' --apply
  aiagent-host submit 'Write fib.py with fib(n)' --tests test_fib.py --follow

A model is named by AIAGENT_MODEL_URL, AIAGENT_MODEL_NAME and AIAGENT_MODEL_KEY, or by a
[models.NAME] section of aiagent.toml. Every option has a variable AIAGENT_… and a key there;
--print-config shows what applies.";

#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct Common {
    /// Folder of plugins; may be given several times [AIAGENT_PLUGINS]
    #[arg(long, global = true, value_name = "DIR")]
    pub plugins: Vec<PathBuf>,
    /// Configuration file [AIAGENT_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address to serve on [AIAGENT_LISTEN; default 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where tasks are kept: sqlite:PATH, redis://HOST:PORT or memory [AIAGENT_STORE]
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<String>,
    /// What this process does [AIAGENT_ROLE; default all]
    #[arg(long, global = true)]
    pub role: Option<Role>,
    /// Folder for the database and the compile cache [AIAGENT_STATE_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Write every model call to this file [AIAGENT_RECORD]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "replay")]
    pub record: Option<PathBuf>,
    /// Answer model calls from a recording, without any network [AIAGENT_REPLAY]
    #[arg(long, global = true, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// What is logged: error, warn, info, debug, or a filter such as aiagent_host=debug [AIAGENT_LOG]
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// How it is logged [AIAGENT_LOG_FORMAT; default text]
    #[arg(long, global = true)]
    pub log_format: Option<LogFormat>,
    /// Print the configuration that applies, with the origin of each value, and exit
    #[arg(long, global = true)]
    pub print_config: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the API and work on tasks (the default)
    Serve,
    /// Work on one task here and now, without a server
    Run(Box<Run>),
    /// Send a task to a server
    Submit(Box<Submit>),
    /// List a server's tasks, newest first
    Tasks(Tasks),
    /// Count tasks, do the same to many, or take one's files
    Task {
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// Show one task, or its diff
    Show(Show),
    /// Follow what happens to a task, from the beginning
    Events(Events),
    /// End a task
    Cancel(Cancel),
    /// See what waits and runs where, and steer it
    Queue {
        #[command(subcommand)]
        command: Queue,
    },
    /// Look at plugins
    Plugins {
        #[command(subcommand)]
        command: Plugins,
    },
    /// Say who may use a host, and what each may do; a running host knows at once
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// Write the host's state, configuration and plugins into one file, also while it serves
    Backup(Backup),
    /// Put a backup in place, on a host that is stopped
    Restore(Restore),
    /// Bring the store to the schema of this version, as a start would; a copy of it is kept
    Migrate(Migrate),
    /// Look for what keeps a host from working: each thing with what to do about it
    Doctor(Doctor),
    /// Look for what should not be left as it is where others depend on the host
    ProductionCheck(ProductionCheck),
    /// Ask a running host whether it can take and work on tasks; exit code 1 if not
    Healthcheck {
        #[command(flatten)]
        server: Server,
    },
    /// Send a small task to a running host and follow it to green
    Smoke(Smoke),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// What the service starts for each plugin that it has to compile
    #[command(name = crate::plugin::COMPILE, hide = true)]
    Compile {
        #[arg(long)]
        cache: PathBuf,
        #[arg(long)]
        interpreter: bool,
        #[arg(long)]
        seconds: u64,
    },
}

/// What a task is made of; the same for `run` and `submit`.
#[derive(Clone, Debug, Args)]
pub(super) struct TaskArgs {
    /// What is to be done, in words; `-` reads it from standard input
    pub goal: String,
    /// Files to start from: a folder, or an archive (.tar.gz, .tgz, .tar, .zip)
    #[arg(long, value_name = "PATH", group = "source")]
    pub dir: Option<PathBuf>,
    /// Take the files of this revision of the git repository at --dir, in place of its folder
    #[arg(long, value_name = "REV", requires = "source")]
    pub rev: Option<String>,
    /// Tests the result must pass; they can't be changed. Files outside --dir are put beside the others
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub tests: Vec<PathBuf>,
    /// Files that no step may change, such as 'docs/**', besides those the pipeline protects
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub protect: Vec<String>,
    /// The pipeline to use
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    #[command(flatten)]
    pub steps: StepArgs,
    #[command(flatten)]
    pub budget: BudgetArgs,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(super) struct Run {
    #[command(flatten)]
    pub task: TaskArgs,
    /// Start from a git repository that everyone may read: its https:// or http:// URL; --rev names a
    /// branch, a tag, or a commit by its whole id
    #[arg(long, value_name = "URL", group = "source")]
    pub git: Option<String>,
    /// Check with this command in a sandbox (needs bubblewrap) in place of the pipeline's checker
    #[arg(long, value_name = "COMMAND")]
    pub check: Option<String>,
    /// Write the result back into --dir, if it is green
    #[arg(long, requires = "dir", conflicts_with = "rev")]
    pub apply: bool,
    /// Print the task and its diff as JSON
    #[arg(long)]
    pub json: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  aiagent-host run 'Write slug.py with slugify(text)' --tests test_slug.py
  aiagent-host run 'Make the tests pass' --dir project --apply
  aiagent-host run 'Fix the failing test' --dir . --check 'python3 -m unittest'

The diff goes to standard output, progress to standard error.
Exit code: 0 green, 1 ended otherwise, 2 usage or configuration, 3 no model.";

impl Command {
    /// Whether it looks after a service, and so wants to see what the service sees.
    pub(super) fn of_service(&self) -> bool {
        matches!(
            self,
            Self::Backup(_)
                | Self::Restore(_)
                | Self::Migrate(_)
                | Self::Doctor(_)
                | Self::ProductionCheck(_)
                | Self::Smoke(_)
                | Self::Token { .. }
        )
    }
}

impl Common {
    pub(super) fn overrides(&self) -> Overrides {
        let mut values: Vec<(&'static str, Value)> = Vec::new();
        let path = |path: &PathBuf| Value::from(path.display().to_string());
        let mut set = |key, value: Option<Value>| values.extend(value.map(|value| (key, value)));
        set(
            "plugins_dir",
            (!self.plugins.is_empty()).then(|| Value::Array(self.plugins.iter().map(path).collect())),
        );
        set("listen", self.listen.as_deref().map(Value::from));
        set("store", self.store.as_deref().map(Value::from));
        set("role", self.role.map(named));
        set("state_dir", self.state_dir.as_ref().map(path));
        set("record", self.record.as_ref().map(path));
        set("replay", self.replay.as_ref().map(path));
        set("log", self.log.as_deref().map(Value::from));
        set("log_format", self.log_format.map(named));
        Overrides { config: self.config.clone(), values, ..Overrides::default() }
    }
}

impl Run {
    /// `--check` makes a pipeline of its own, and grants its checker what it needs: whoever types
    /// the command grants it.
    pub(super) fn overrides(&self) -> Vec<(&'static str, Value)> {
        let Some(command) = &self.check else { return Vec::new() };
        vec![
            ("plugins.check-command.exec", Value::from(true)),
            ("pipelines.command.checker", Value::from("check-command")),
            ("pipelines.command.checker_settings.command", Value::from(command.as_str())),
            ("pipeline", Value::from("command")),
        ]
    }
}

fn named(value: impl clap::ValueEnum) -> Value {
    let value = value.to_possible_value().map(|value| value.get_name().to_owned());
    Value::from(value.expect("no variant is skipped"))
}
