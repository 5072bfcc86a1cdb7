//! Of the commands that look after a host.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Server;
use crate::access::Role;
use crate::upkeep::Part;

#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(in crate::cli) struct Backup {
    /// The file to write, a .tar.gz; one that is there is replaced
    pub file: PathBuf,
    /// Take keys, passwords and the token along: guard the file like them
    #[arg(long)]
    pub with_keys: bool,
    #[arg(long)]
    pub json: bool,
}

const BACKUP_EXAMPLES: &str = "\
Examples:
  sudo aiagent-host backup /var/backups/aiagent-$(date +%F).tar.gz      the installed service
  aiagent-host backup b.tar.gz --state-dir DIR --plugins DIR            another host

A Redis store is read key by key while hosts use it, and is restored into an empty one.";

#[derive(Debug, Args)]
pub(in crate::cli) struct Restore {
    pub file: PathBuf,
    /// Move aside what is there and differs
    #[arg(long)]
    pub replace: bool,
    /// Only this part; may be given several times
    #[arg(long, value_name = "PART")]
    pub only: Vec<Part>,
    /// Only say whether the backup is whole
    #[arg(long, conflicts_with_all = ["replace", "only"])]
    pub check: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Migrate {
    /// Only say what would be done; exit code 1 if something would
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Doctor {
    #[arg(long)]
    pub json: bool,
    /// This is the service's user already, with the service's variables
    #[arg(long, hide = true)]
    pub inside: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ProductionCheck {
    /// Where people reach it, through whatever is in front: https://HOST
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The folder of its backups
    #[arg(long, value_name = "DIR")]
    pub backups: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Smoke {
    #[command(flatten)]
    pub server: Server,
    /// Which of the small tasks in this program
    #[arg(long, value_name = "NAME", default_value = "slug")]
    pub sample: String,
    /// The pipeline to use
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Give up after so many seconds, and cancel the task
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
}

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(in crate::cli) enum Token {
    /// Make a token and print it; of the token itself nothing is kept
    Create {
        /// Who it is for: a person, or a program
        name: String,
        // Not called `role`: that is what a process does.
        #[arg(value_name = "ROLE")]
        may: Role,
        /// It holds for so many days [default: until it is revoked]
        #[arg(long, value_name = "DAYS")]
        expires: Option<u64>,
    },
    /// Say who has one
    List {
        #[arg(long)]
        json: bool,
    },
    /// Let it count no more, with all sessions that were begun with it
    Revoke { name: String },
}

const TOKEN_EXAMPLES: &str = "\
Examples:
  sudo aiagent-host token create ann submitter --expires 90     for the installed service
  AIAGENT_TOKEN=aiagent_... aiagent-host submit 'Write fib.py with fib(n)' --server https://HOST

As soon as there is a tokens file, the host asks everyone for a token, on loopback too.";
