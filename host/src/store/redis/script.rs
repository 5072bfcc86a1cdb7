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
    ($($name:ident $($part:literal)*;)*) => { $(
        pub(super) static $name: Script = {
            const TEXT: &str = concat!(include_str!("base.lua"), $(include_str!($part)),*);
            Script(LazyLock::new(|| redis::Script::new(TEXT)), TEXT)
        };
    )* };
}

// Each has of the common parts what it needs, since a server builds them anew for every call.
scripts! {
    SUBMIT "time.lua" "wake.lua" "line.lua" "wait_for.lua" "submit.lua";
    CLAIM "time.lua" "wake.lua" "events.lua" "line.lua" "record.lua" "claim.lua";
    HEARTBEAT "time.lua" "line.lua" "heartbeat.lua";
    APPEND "append.lua";
    EMIT "time.lua" "wake.lua" "events.lua" "emit.lua";
    COMMIT "time.lua" "wake.lua" "events.lua" "commit.lua";
    FINISH "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "finish.lua";
    RELEASE "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "release.lua";
    POSTPONE "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "wait_for.lua" "postpone.lua";
    CANCEL "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "cancel.lua";
    PART "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "part.lua";
    SET_ASIDE "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "set_aside.lua";
    DELETE "wake.lua" "forget.lua" "delete.lua";
    REOPEN "time.lua" "wake.lua" "events.lua" "line.lua" "reopen.lua";
    OVERDUE "time.lua" "overdue.lua";
    LATE "time.lua" "late.lua";
    EXPIRE "time.lua" "wake.lua" "events.lua" "line.lua" "part_with.lua" "expire.lua";
    COLLECT "time.lua" "wake.lua" "forget.lua" "collect.lua";
    STATS "stats.lua";
    QUEUES "time.lua" "queues.lua";
    PAUSE "wake.lua" "pause.lua";
    LIVING "living.lua";
    OF_STATE "of_state.lua";
    CHECK_IN "time.lua" "check_in.lua";
    CHECK_OUT "check_out.lua";
    WORKERS "time.lua" "workers.lua";
    PLACES "line.lua" "record.lua" "places.lua";
    COPY_TASK "line.lua" "copy_task.lua";
    PUT_TASK "wake.lua" "line.lua" "put_task.lua";
    PUT_KEY "put_key.lua";
    TAKE_BACK "time.lua" "wake.lua" "line.lua" "part_with.lua" "forget.lua" "take_back.lua";
    RESERVE "time.lua" "reserve.lua";
    SETTLE "settle.lua";
    ASK "ask.lua";
    LAYOUT "layout.lua";
    BLOB_NOTE "time.lua" "blob_note.lua";
    BLOB_OLD "time.lua" "blob_old.lua";
    BLOB_FORGET "blob_forget.lua";
    BLOB_FRESH "time.lua" "blob_fresh.lua";
    BLOB_PUT "blob_put.lua";
    BLOB_DROP "blob_drop.lua";
}
