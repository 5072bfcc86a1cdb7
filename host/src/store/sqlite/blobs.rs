//! Bytes under their digest.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::writer::{Done, Tx};
use crate::store::{StoreError, pack};
use crate::task::{Digest, Millis};

/// `packed`: they are compressed.
pub(super) fn put(tx: &Tx<'_>, digest: &Digest, packed: bool, bytes: &[u8]) -> Result<Done<()>, StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO blobs (digest, stored_at, packed, bytes) VALUES (?, ?, ?, ?) \
             ON CONFLICT (digest) DO UPDATE SET stored_at = max(stored_at, excluded.stored_at)",
        )?
        .execute(params![digest.as_str(), tx.now.millis().cast_signed(), packed, bytes])?;
    Done::quiet(())
}

pub(super) fn get(conn: &Connection, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
    let mut query = conn.prepare_cached("SELECT packed, bytes FROM blobs WHERE digest = ?")?;
    let found = query.query_row([digest.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(packed, bytes)| whole(digest, packed, bytes)).transpose()
}

/// The bytes as they were given.
pub(super) fn whole(digest: &Digest, packed: bool, bytes: Vec<u8>) -> Result<Bytes, StoreError> {
    if !packed {
        return Ok(bytes.into());
    }
    pack::unpack(&bytes)
        .map_err(|error| StoreError::Corrupt(format!("blob {digest} can't be unpacked: {error}")))
}

pub(super) fn stored_at(conn: &Connection, digest: &Digest) -> Result<Option<Millis>, StoreError> {
    let mut query = conn.prepare_cached("SELECT stored_at FROM blobs WHERE digest = ?")?;
    let at = query.query_row([digest.as_str()], |row| row.get::<_, i64>(0)).optional()?;
    Ok(at.map(i64::cast_unsigned))
}

/// Counts as stored now, if it is there. Says whether it is.
pub(super) fn renew(tx: &Tx<'_>, digest: &Digest) -> Result<Done<bool>, StoreError> {
    let mut update =
        tx.conn.prepare_cached("UPDATE blobs SET stored_at = max(stored_at, ?) WHERE digest = ?")?;
    Done::quiet(update.execute(params![tx.now.millis().cast_signed(), digest.as_str()])? > 0)
}
