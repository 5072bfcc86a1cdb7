//! A store's file as a whole: a copy of it, and what is in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use super::file;
use crate::store::{StoreError, Stored};
use crate::task::Digest;

pub(super) fn copy(from: &Connection, target: &Path) -> Result<(), StoreError> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        StoreError::Unavailable(format!("can't back up to {}: {what}: {error}", target.display()))
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let partial = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed("create", &error))?;
    let mut to = Connection::open(partial.path())?;
    // All pages in one go: a reader's snapshot, which in WAL holds up no writer.
    if Backup::new(from, &mut to)?.step(-1)? != StepResult::Done {
        return Err(failed("copy", &"the store is busy; try again"));
    }
    to.close().map_err(|(_, error)| failed("close", &error))?;
    partial.as_file().sync_all().map_err(|error| failed("sync", &error))?;
    partial.persist(target).map_err(|error| failed("rename", &error.error))?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| failed("sync the folder", &error))
}

/// A copy beside the file, of the same owner, from before a migration. To be called with the writer's lock,
/// so that nobody migrates meanwhile.
pub(super) fn keep_before(path: &Path, schema: usize) -> Result<(), StoreError> {
    let kept = format!("{}.schema-{schema}", path.display());
    copy(&file::open_reader(path)?, Path::new(&kept))?;
    let owned = std::fs::metadata(path).and_then(|like| {
        let is = std::fs::metadata(&kept)?;
        if (is.uid(), is.gid()) != (like.uid(), like.gid()) {
            std::os::unix::fs::chown(&kept, Some(like.uid()), Some(like.gid()))?;
        }
        Ok(())
    });
    owned.map_err(|error| StoreError::Unavailable(format!("can't keep {kept}: {error}")))?;
    tracing::info!(store.kept = kept, store.schema = schema, "kept a copy of the store before its migration");
    Ok(())
}

pub(super) fn schema(path: &Path) -> Result<usize, StoreError> {
    let conn = look(path)?;
    file::check_owner(&conn, path)
}

pub(super) fn holds_tasks(path: &Path) -> Result<bool, StoreError> {
    let conn = look(path)?;
    file::check_owner(&conn, path)?;
    Ok(conn.query_row("SELECT EXISTS (SELECT 1 FROM tasks)", [], |row| row.get(0))?)
}

pub(super) fn contents(path: &Path) -> Result<BTreeMap<String, Stored>, StoreError> {
    let conn = look(path)?;
    // One moment for all tables.
    let tx = conn.unchecked_transaction()?;
    let tables: Vec<String> = tx
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let stored = |table: &String| Ok((table.clone(), stored(&tx, table)?));
    tables.iter().map(stored).collect()
}

pub(super) fn look(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(conn)
}

fn stored(conn: &Connection, table: &str) -> Result<Stored, StoreError> {
    // By the table's own tree, never by an index: that is the order of the keys.
    let mut query = conn.prepare(&format!("SELECT * FROM \"{table}\" NOT INDEXED"))?;
    let columns = query.column_count();
    let (mut rows, mut hasher) = (0, Sha256::new());
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        rows += 1;
        for column in 0..columns {
            // Kind and length go first, so that no two rows give the same bytes.
            let (kind, bytes): (u8, &[u8]) = match row.get_ref(column)? {
                ValueRef::Null => (0, &[]),
                ValueRef::Integer(number) => (1, &number.to_le_bytes()),
                ValueRef::Real(number) => (2, &number.to_le_bytes()),
                ValueRef::Text(text) => (3, text),
                ValueRef::Blob(bytes) => (4, bytes),
            };
            hasher.update([kind]);
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    }
    Ok(Stored { rows, digest: Digest::from(hasher) })
}
