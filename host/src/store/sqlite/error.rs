//! What SQLite says, in the store's words.

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// What helps when the file itself is damaged.
const ADVICE: &str = "stop the service, then restore a backup with `aiagent-host restore`, \
    or save what can be read with `sqlite3 FILE .recover`";

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(format!("the SQLite file is damaged ({error}); {ADVICE}"))
            }
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Unavailable(format!("SQLite: {error}")),
            _ => Self::Corrupt(format!("SQLite: {error}; {ADVICE}")),
        }
    }
}

/// The same error for another caller of the same transaction.
pub(super) fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Corrupt(message) => StoreError::Corrupt(message.clone()),
        StoreError::Unavailable(message) => StoreError::Unavailable(message.clone()),
        StoreError::StaleFence { .. }
        | StoreError::NotFound(_)
        | StoreError::KeyReused { .. }
        | StoreError::Full { .. } => StoreError::Unavailable(error.to_string()),
    }
}

pub(super) fn no_thread(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("no thread for the store: {error}"))
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
