//! What can be said on the command line.

mod ops;
mod steps;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use toml::Value;

use crate::config::{LogFormat, Overrides, Role};
use crate::plugin::Kind;
use crate::scaffold::Language;
use crate::submission::PlaceWish;
use crate::task::Millis;
use steps::StepArgs;

pub(super) use ops::{Backup, Doctor, Migrate, ProductionCheck, Restore, Smoke, Token};

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
#[derive(Debug, Args)]
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
    /// The most builds and fixes together
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
    /// The most tokens, input and output together (0: no limit)
    #[arg(long, value_name = "N")]
    pub tokens: Option<u64>,
    /// The most money, in the currency of the configured prices (0: no limit)
    #[arg(long, value_name = "AMOUNT")]
    pub cost: Option<f64>,
    /// The most minutes
    #[arg(long, value_name = "N")]
    pub minutes: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(super) struct Run {
    #[command(flatten)]
    pub task: TaskArgs,
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

/// How a server is reached.
#[derive(Debug, Args)]
pub(super) struct Server {
    /// The server [AIAGENT_SERVER; default the address it would serve on here]. Its token is taken
    /// from AIAGENT_TOKEN
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Submit {
    #[command(flatten)]
    pub task: TaskArgs,
    #[command(flatten)]
    pub server: Server,
    /// Start from a git repository on the server, within its api.git_dirs; --rev names a revision
    #[arg(long, value_name = "PATH", group = "source")]
    pub git: Option<String>,
    /// Sending the same key twice makes one task
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// The queue it waits in
    #[arg(long, value_name = "NAME")]
    pub queue: Option<String>,
    /// On whose behalf: the tenants of a queue take turns
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// 0 to 9; a higher one comes first [default: 5]
    #[arg(long, value_name = "N")]
    pub priority: Option<u8>,
    /// Not to begin for so many minutes
    #[arg(long, value_name = "MINUTES")]
    pub delay: Option<u64>,
    /// It has to have ended within so many minutes, waiting included
    #[arg(long, value_name = "MINUTES")]
    pub within: Option<u64>,
    /// Follow it to its end; the exit code is then that of `run`
    #[arg(long)]
    pub follow: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Tasks {
    #[command(flatten)]
    pub server: Server,
    /// queued, running or ended
    #[arg(long)]
    pub state: Option<String>,
    #[arg(long)]
    pub pipeline: Option<String>,
    /// A part of the goal or of the id
    #[arg(long)]
    pub text: Option<String>,
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    pub id: String,
    #[command(flatten)]
    pub server: Server,
    /// Print the diff only
    #[arg(long, conflicts_with = "json")]
    pub diff: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Events {
    pub id: String,
    #[command(flatten)]
    pub server: Server,
    /// Begin after this event
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub after: u64,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Cancel {
    pub id: String,
    #[command(flatten)]
    pub server: Server,
}

#[derive(Debug, Args)]
pub(super) struct PluginStatus {
    #[command(flatten)]
    pub server: Server,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// Count tasks by queue, and list the workers
    Stats {
        #[command(flatten)]
        server: Server,
        #[arg(long)]
        json: bool,
    },
    /// Have the workers leave a queue's tasks alone; what runs goes on
    Pause {
        #[arg(default_value = "default")]
        queue: String,
        #[command(flatten)]
        server: Server,
    },
    /// Have them taken again
    Resume {
        #[arg(default_value = "default")]
        queue: String,
        #[command(flatten)]
        server: Server,
    },
    /// List the tasks that ended through no fault of their own, with the reasons
    Dead {
        #[command(flatten)]
        server: Server,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// Put ended tasks back into their queues
    Requeue {
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Look through the whole store for what does not fit together; exit code 1 if there is anything.
    /// Works on the store itself, without a server
    Fsck,
    /// Delete what nobody needs any more, now. Works on the store itself, without a server
    Gc,
}

impl Submit {
    pub(super) fn place(&self) -> PlaceWish {
        PlaceWish {
            queue: self.queue.clone(),
            tenant: self.tenant.clone(),
            priority: self.priority,
            not_before: self.delay.map(in_minutes),
        }
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        self.within.map(in_minutes)
    }
}

fn in_minutes(minutes: u64) -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = now.saturating_add(Duration::from_secs(minutes.saturating_mul(60)));
    u64::try_from(then.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
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
pub(super) struct TestPlugin {
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
pub(super) struct NewPlugin {
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
