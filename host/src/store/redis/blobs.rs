//! Bytes under their digest, each blob under a key of its own, so that a cluster spreads them.
//!
//! A blob is noted in one list before it is there, and that note is dropped after it is gone: a crash
//! between leaves a note too many, which the next collection drops.

use bytes::Bytes;
use redis::Value;

use super::Inner;
use super::error::odd;
use super::script;
use crate::store::StoreError;
use crate::store::control::BLOB_FRESH_MILLIS;
use crate::task::Digest;

/// Shorter ones hardly shrink.
const PACK_FROM: usize = 64 << 10;

/// The fastest: a blob is written and read once or twice.
const LEVEL: i32 = 1;

/// A snapshot is far shorter; more would be an attack on our memory.
const LONGEST: usize = 4 << 30;

impl Inner {
    pub(super) async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::of(&bytes);
        let fresh = script::BLOB_FRESH.on(&self.blob_key(&digest), &self.now()).arg(BLOB_FRESH_MILLIS);
        if self.link.call(&fresh).await? == Value::Int(1) {
            return Ok(digest);
        }
        let noted = self.link.call(&self.on(&script::BLOB_NOTE).arg(digest.as_str())).await?;
        let (_, at): (String, u64) = redis::from_redis_value(noted).map_err(redis::RedisError::from)?;
        let (packed, bytes) = pack(bytes).await?;
        let put = script::BLOB_PUT.on(&self.blob_key(&digest), &self.now());
        let put = put.arg(at).arg(u8::from(packed)).arg(&bytes[..]);
        self.link.call(&put).await?;
        self.replicated(&put).await?;
        Ok(digest)
    }

    pub(super) async fn get_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        let mut read = redis::cmd("HMGET");
        read.arg(self.blob_key(digest)).arg("packed").arg("bytes");
        let (packed, bytes): (Option<u8>, Option<Vec<u8>>) =
            redis::from_redis_value(self.link.send(&read).await?).map_err(redis::RedisError::from)?;
        match (packed, bytes) {
            (Some(0), Some(bytes)) => Ok(Some(bytes.into())),
            (Some(_), Some(bytes)) => Ok(Some(unpack(digest, bytes).await?)),
            _ => Ok(None),
        }
    }
}

async fn pack(bytes: Bytes) -> Result<(bool, Bytes), StoreError> {
    if bytes.len() < PACK_FROM {
        return Ok((false, bytes));
    }
    let pack = move || -> std::io::Result<(bool, Bytes)> {
        let packed = zstd::bulk::compress(&bytes, LEVEL)?;
        let shrinks = packed.len() < bytes.len();
        Ok(if shrinks { (true, packed.into()) } else { (false, bytes) })
    };
    let done = tokio::task::spawn_blocking(pack).await;
    done.map_err(std::io::Error::other)
        .flatten()
        .map_err(|error| odd(&format!("a blob can't be packed: {error}")))
}

async fn unpack(digest: &Digest, packed: Vec<u8>) -> Result<Bytes, StoreError> {
    let unpack = move || -> std::io::Result<Bytes> {
        let length = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten().unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(std::io::Error::other(format!("it would be {length} bytes long")));
        }
        Ok(zstd::bulk::decompress(&packed, length)?.into())
    };
    let done = tokio::task::spawn_blocking(unpack).await;
    let failed = |error| odd(&format!("blob {digest} can't be unpacked: {error}"));
    done.map_err(std::io::Error::other).flatten().map_err(failed)
}
