//! Opening the file: settings, schema version, and what is refused.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{Fsync, copy};
use crate::store::StoreError;

/// Schema N is reached from N - 1 by the N-th of these.
pub(super) const MIGRATIONS: [&str; 6] = [
    include_str!("1.sql"),
    include_str!("2.sql"),
    include_str!("3.sql"),
    include_str!("4.sql"),
    include_str!("5.sql"),
    include_str!("6.sql"),
];

/// "AIAG": whose file this is.
const APPLICATION: i32 = 0x4149_4147;

/// Another process on the same file holds the lock for one group of writes, some milliseconds; one
/// that holds it longer than this is stuck.
const BUSY_MILLIS: i32 = 10_000;

/// What the writer keeps of the file in memory. With SQLite's own 2 MB it reads the pages of its indexes anew once
/// some thousand tasks are stored.
const CACHE_KIB: i32 = 16 << 10;

/// How much is written before it goes from the WAL to the file, which costs two syncs: 64 MiB, a moment's reading after
/// a crash. SQLite's own is a sixteenth of that, some dozen tasks that come one by one.
const CHECKPOINT_PAGES: i32 = 16_000;

/// Kept prepared. More than the verbs have; each kind of filter adds some of its own.
const STATEMENTS: usize = 96;

/// Opens or creates the file and brings its schema up to date.
pub(super) fn open_writer(path: &Path, fsync: Fsync) -> Result<Connection, StoreError> {
    let mut conn = Connection::open(path)?;
    settle(&mut conn)?;
    check_owner(&conn, path)?;
    // Before there is a table, or it has no effect.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    use_wal(&conn)?;
    let synchronous = match fsync {
        Fsync::Always => "FULL",
        Fsync::Everysec => "NORMAL",
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    migrate(&mut conn, path)?;
    Ok(conn)
}

pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let mut conn = Connection::open(path)?;
    settle(&mut conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn settle(conn: &mut Connection) -> Result<(), StoreError> {
    // A short, even wait instead of SQLite's growing one: with the other process committing group
    // after group, whoever sleeps 100 ms at a time would hardly ever find the lock free.
    conn.busy_handler(Some(|tries: i32| {
        std::thread::sleep(Duration::from_millis(1));
        tries < BUSY_MILLIS
    }))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // Else a statement on a partial index is prepared anew each time another value is bound to it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The schema. Refuses a file that some other program wrote, and one from a newer version of this program.
pub(super) fn check_owner(conn: &Connection, path: &Path) -> Result<usize, StoreError> {
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let owner: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 && owner != APPLICATION {
        return Err(StoreError::Corrupt(format!(
            "{} is a SQLite file of another program; give `--store` a path of its own",
            path.display()
        )));
    }
    version(conn, path)
}

fn version(conn: &Connection, path: &Path) -> Result<usize, StoreError> {
    let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let (version, known) = (version as usize, MIGRATIONS.len());
    if version > known {
        return Err(StoreError::Corrupt(format!(
            "{} has schema {version}, written by a newer aiagent-host; this one knows schemas up to {known}: \
             run the newer version, or restore a backup from before the upgrade",
            path.display()
        )));
    }
    Ok(version)
}

/// SQLite does not ask the busy handler when two processes turn WAL on at once, so this waits itself.
fn use_wal(conn: &Connection) -> Result<(), StoreError> {
    for _ in 0..BUSY_MILLIS {
        match conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(StoreError::Unavailable(format!(
                    "this file system does not allow SQLite's WAL (journal mode stays {mode}); use a local disk"
                )));
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Unavailable("another process holds the SQLite file".to_owned()))
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read under the lock: another process may have migrated since.
    let have = version(&tx, path)?;
    if (1..MIGRATIONS.len()).contains(&have) {
        copy::keep_before(path, have)?;
    }
    for migration in &MIGRATIONS[have..] {
        tx.execute_batch(migration)?;
    }
    if have < MIGRATIONS.len() {
        tx.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
    }
    Ok(tx.commit()?)
}
