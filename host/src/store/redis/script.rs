//! The scripts: each is one atomic step on the keys of one hash tag.
//!
//! Their text is part of this program and named to the server by its hash, so that two versions of the
//! host can use one server.

use std::sync::LazyLock;

use redis::{Cmd, ToRedisArgs};

pub(super) struct Script(LazyLock<redis::Script>, &'static str);

impl Script {
    pub(super) fn text(&self) -> &'static str {
        self.1
    }

    /// Begins a call. `base` is what the keys begin with, or the one key of a blob.
    pub(super) fn on(&'static self, base: &str, now: &str) -> Call {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(self.0.get_hash()).arg(1).arg(base).arg(now);
        Call { script: self, key: base.to_owned(), cmd }
    }
}

/// A script with its arguments.
pub(super) struct Call {
    pub(super) script: &'static Script,
    pub(super) key: String,
    pub(super) cmd: Cmd,
}

impl Call {
    pub(super) fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        self.cmd.arg(arg);
        self
    }
}

macro_rules! scripts {
    ($($name:ident $file:literal)*) => { $(
        pub(super) static $name: Script = {
            const TEXT: &str = concat!(include_str!("lib.lua"), include_str!($file));
            Script(LazyLock::new(|| redis::Script::new(TEXT)), TEXT)
        };
    )* };
}

scripts! {
    SUBMIT "submit.lua"
    CLAIM "claim.lua"
    HEARTBEAT "heartbeat.lua"
    APPEND "append.lua"
    EMIT "emit.lua"
    COMMIT "commit.lua"
    FINISH "finish.lua"
    RELEASE "release.lua"
    CANCEL "cancel.lua"
    PART "part.lua"
    SET_ASIDE "set_aside.lua"
    OVERDUE "overdue.lua"
    COLLECT "collect.lua"
    STATS "stats.lua"
    REOPEN "reopen.lua"
    QUEUES "queues.lua"
    PAUSE "pause.lua"
    CHECK_IN "check_in.lua"
    CHECK_OUT "check_out.lua"
    WORKERS "workers.lua"
    COPY_TASK "copy_task.lua"
    PUT_TASK "put_task.lua"
    PUT_KEY "put_key.lua"
    TAKE_BACK "take_back.lua"
    BLOB_NOTE "blob_note.lua"
    BLOB_OLD "blob_old.lua"
    BLOB_FORGET "blob_forget.lua"
    BLOB_FRESH "blob_fresh.lua"
    BLOB_PUT "blob_put.lua"
    BLOB_DROP "blob_drop.lua"
}
