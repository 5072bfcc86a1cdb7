//! Wakes whoever watches: one task waits, on a connection of its own, for the marker that the next change
//! leaves once somebody has asked for it. A busy store leaves few.

use std::convert::Infallible;
use std::time::Duration;

use redis::{RedisResult, Value};
use tokio::sync::watch;

use super::link::{Dial, Link, Waiting};
use super::script::Call;

/// How long one wait lasts. A connection that went silent is noticed after it.
pub(super) const WAIT: Duration = Duration::from_secs(20);

/// Changes that follow one another wake once: a busy store would do nothing else.
const GATHER: Duration = Duration::from_millis(5);

/// Between two tries to connect.
const RECONNECT: Duration = Duration::from_millis(500);

/// What a listener needs: `ask` is the call that asks for the marker of the next change.
pub(super) struct Marker {
    pub(super) dial: Dial,
    pub(super) link: Link,
    pub(super) key: String,
    pub(super) ask: Call,
}

/// Goes on until it is dropped.
pub(super) async fn listen(marker: Marker, changes: watch::Sender<u64>) {
    let mut last = None;
    let mut told = false;
    loop {
        match marker.dial.waiting(WAIT * 2).await {
            Ok(connection) => {
                told = false;
                let Err(error) = follow(&marker, connection, &changes, &mut last).await;
                tracing::debug!(%error, "the connection for wake-ups ended");
            }
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "no wake-ups from Redis for now: looking once a second instead");
                }
            }
        }
        // There may have been changes that nobody heard of.
        changes.send_modify(|count| *count += 1);
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn follow(
    marker: &Marker,
    mut connection: Waiting,
    changes: &watch::Sender<u64>,
    last: &mut Option<String>,
) -> RedisResult<Infallible> {
    if last.is_none() {
        *last = Some(newest(&mut connection, &marker.key).await?);
        changes.send_modify(|count| *count += 1);
    }
    loop {
        // Changes between two waits leave no marker: one is left for those who wait, and only once.
        if marker.link.call(&marker.ask).await? != Value::Int(1) {
            changes.send_modify(|count| *count += 1);
        }
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(1).arg("BLOCK").arg(WAIT.as_millis() as u64);
        read.arg("STREAMS").arg(&marker.key).arg(last.as_deref());
        if let Some(id) = entry(connection.send(&read).await?) {
            *last = Some(id);
            changes.send_modify(|count| *count += 1);
            tokio::time::sleep(GATHER).await;
        }
    }
}

async fn newest(connection: &mut Waiting, key: &str) -> RedisResult<String> {
    let mut look = redis::cmd("XREVRANGE");
    look.arg(key).arg("+").arg("-").arg("COUNT").arg(1);
    Ok(first_id(connection.send(&look).await?).unwrap_or_else(|| "0-0".to_owned()))
}

/// The id in an answer of XREAD: stream, entries, entry, id.
fn entry(reply: Value) -> Option<String> {
    let streams = match reply {
        Value::Array(streams) => streams,
        Value::Map(streams) => return first_id(streams.into_iter().next()?.1),
        _ => return None,
    };
    match streams.into_iter().next()? {
        Value::Array(stream) => first_id(stream.into_iter().nth(1)?),
        _ => None,
    }
}

fn first_id(entries: Value) -> Option<String> {
    let Value::Array(entries) = entries else { return None };
    match entries.into_iter().next()? {
        Value::Array(entry) => redis::from_redis_value(entry.into_iter().next()?).ok(),
        _ => None,
    }
}
