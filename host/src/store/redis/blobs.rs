//! Bytes under their digest, each blob under a key of its own, so that a cluster spreads them.
//!
//! A blob is noted in one list before it is there, and that note is dropped after it is gone: a crash
//! between leaves a note too many, which the next collection drops.

use bytes::Bytes;
use redis::Value;

use super::Inner;
use super::error::odd;
use super::script;
use crate::store::control::BLOB_FRESH_MILLIS;
use crate::store::{StoreError, pack};
use crate::task::Digest;

impl Inner {
    pub(super) async fn put_blob(&self, bytes: Bytes) -> Result<Digest, StoreError> {
        let digest = Digest::of(&bytes);
        let fresh = script::BLOB_FRESH.on(&self.blob_key(&digest), &self.now()).arg(BLOB_FRESH_MILLIS);
        if self.link.call(&fresh).await? == Value::Int(1) {
            return Ok(digest);
        }
        let noted = self.link.call(&self.on(&script::BLOB_NOTE).arg(digest.as_str())).await?;
        let (_, at): (String, u64) = redis::from_redis_value(noted).map_err(redis::RedisError::from)?;
        let failed = |error| odd(&format!("a blob can't be packed: {error}"));
        let (packed, bytes) = pack::pack(bytes).await.map_err(failed)?;
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
            (Some(_), Some(bytes)) => Ok(Some(unpacked(digest, bytes).await?)),
            _ => Ok(None),
        }
    }
}

async fn unpacked(digest: &Digest, packed: Vec<u8>) -> Result<Bytes, StoreError> {
    let done = tokio::task::spawn_blocking(move || pack::unpack(&packed)).await;
    let failed = |error| odd(&format!("blob {digest} can't be unpacked: {error}"));
    done.map_err(std::io::Error::other).flatten().map_err(failed)
}
