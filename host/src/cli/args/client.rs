//! Of the commands that talk to a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TaskArgs;
use crate::submission::PlaceWish;
use crate::task::{Millis, now};

/// How a server is reached.
#[derive(Debug, Args)]
pub(in crate::cli) struct Server {
    /// The server [AIAGENT_SERVER; default the address it would serve on here]. Its token is taken
    /// from AIAGENT_TOKEN
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Submit {
    #[command(flatten)]
    pub task: TaskArgs,
    #[command(flatten)]
    pub server: Server,
    /// Start from a git repository: its path on the server, within its api.git_dirs, or its URL, within
    /// its api.git_urls; --rev names a revision
    #[arg(long, value_name = "PATH|URL", group = "source")]
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
pub(in crate::cli) struct Show {
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
pub(in crate::cli) struct Events {
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
pub(in crate::cli) struct Cancel {
    pub id: String,
    #[command(flatten)]
    pub server: Server,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Queue {
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
    /// Send many tasks: a file of one JSON object a line, each as POST /api/v1/tasks/batch takes it, that is
    /// {"task": {…}, "idempotency_key": "…"}; `-` is standard input. Prints their ids; exit code 1 if one was refused
    Add {
        file: PathBuf,
        #[command(flatten)]
        server: Server,
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
    pub(in crate::cli) fn place(&self) -> PlaceWish {
        PlaceWish {
            queue: self.queue.clone(),
            tenant: self.tenant.clone(),
            priority: self.priority,
            not_before: self.delay.map(in_minutes),
        }
    }

    pub(in crate::cli) fn deadline(&self) -> Option<Millis> {
        self.within.map(in_minutes)
    }
}

fn in_minutes(minutes: u64) -> Millis {
    now().saturating_add(minutes.saturating_mul(60_000))
}
