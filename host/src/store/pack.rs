//! Large blobs, compressed where they are kept.

use std::io;

use bytes::Bytes;

/// Shorter ones hardly shrink.
const FROM: usize = 64 << 10;

/// The fastest: a blob is written and read once or twice.
const LEVEL: i32 = 1;

/// A snapshot is far shorter; more would be an attack on our memory.
const LONGEST: usize = 4 << 30;

/// What is kept, and whether it is compressed: what is short or does not shrink is not.
pub(super) async fn pack(bytes: Bytes) -> io::Result<(bool, Bytes)> {
    if bytes.len() < FROM {
        return Ok((false, bytes));
    }
    // Computes for as long as the disk writes: not for an async thread.
    let compress = move || -> io::Result<_> {
        let packed = zstd::bulk::compress(&bytes, LEVEL)?;
        let shrinks = packed.len() < bytes.len();
        Ok(if shrinks { (true, packed.into()) } else { (false, bytes) })
    };
    tokio::task::spawn_blocking(compress).await.map_err(io::Error::other).flatten()
}

pub(super) fn unpack(packed: &[u8]) -> io::Result<Bytes> {
    let length = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::Error::other(format!("it would be {length} bytes long")));
    }
    Ok(zstd::bulk::decompress(packed, length)?.into())
}
