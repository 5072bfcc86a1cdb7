//! What Redis and its client say, in the store's words.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::StoreError;

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Parse
            | ErrorKind::UnexpectedReturnType
            | ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::CrossSlot) => {
                Self::Corrupt(format!("Redis: {error}"))
            }
            _ if error.code() == Some("WRONGTYPE") => Self::Corrupt(format!(
                "Redis: {error}; another program uses keys of this name: choose another redis.prefix"
            )),
            _ => Self::Unavailable(format!("Redis: {error}{}", advice(&error))),
        }
    }
}

fn advice(error: &RedisError) -> &'static str {
    if error.is_connection_refusal() {
        return "; does it run at this address?";
    }
    match error.code() {
        Some("NOAUTH" | "WRONGPASS") => "; set redis.username and redis.password",
        Some("NOPERM") => {
            "; its ACL must allow this user the commands and keys that docs/DEPLOYMENT.md lists"
        }
        Some("OOM") => "; raise its maxmemory, or keep tasks for fewer days",
        Some("MISCONF") => "; it can't write to its disk",
        Some("READONLY") => "; this is a replica: name the master, or use redis+sentinel://",
        Some("NOREPLICAS") => "; it wants more replicas than are connected (min-replicas-to-write)",
        _ => "",
    }
}

/// Whether the same command may do better on another try, at once or on a new connection.
pub(super) fn is_passing(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.is_cluster_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ReadOnly
                    | ServerErrorKind::TryAgain
            ) | ErrorKind::MasterNameNotFoundBySentinel
        )
}

pub(super) fn odd(what: &str) -> StoreError {
    StoreError::Corrupt(format!("Redis: {what}"))
}
