//! What is asked of a server before it is used, and what is said of what it may lose.

use std::collections::HashMap;

use super::{Inner, script};
use crate::store::StoreError;

/// The oldest that runs the scripts: it replicates what they did rather than their text.
const OLDEST: (u32, u32) = (7, 0);

/// Of the keys that base.lua lists. Another one for every change that a host of the version before can't
/// live with.
const LAYOUT: &str = "2";

/// What a power cut of a server could lose.
pub struct Risk {
    pub version: String,
    /// Whether that is more than some seconds.
    pub grave: bool,
    pub what: &'static str,
}

impl Inner {
    /// Refuses a server that would forget tasks under memory pressure; warns of one that would forget
    /// them in a power cut.
    pub(super) async fn check_server(&self) -> Result<(), StoreError> {
        for Risk { version, grave, what } in self.risks().await? {
            match grave {
                true => tracing::warn!(redis.version = version, "a power cut of the Redis server {what}"),
                false => tracing::info!(redis.version = version, "a power cut of the Redis server {what}"),
            }
        }
        Ok(())
    }

    /// Refuses what a host of another version has laid out otherwise: neither would understand the other.
    pub(super) async fn check_layout(&self) -> Result<(), StoreError> {
        let reply = self.link.call(&self.on(&script::LAYOUT).arg(LAYOUT)).await?;
        let layout: String = redis::from_redis_value(reply).map_err(redis::RedisError::from)?;
        if layout == LAYOUT {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "this Redis holds tasks as another version of aiagent-host keeps them (layout {layout}; this one \
             knows {LAYOUT}): name another redis.prefix for this version, and let hosts of that one end their \
             tasks there"
        )))
    }

    /// Of each master.
    pub(super) async fn risks(&self) -> Result<Vec<Risk>, StoreError> {
        let mut risks = Vec::new();
        for text in self.link.info().await? {
            let info = parse(&text);
            refuse(&info)?;
            let (grave, what) = at_risk(&info, self.appendfsync().await.as_deref());
            let version = info.get("redis_version").copied().unwrap_or("unknown").to_owned();
            risks.push(Risk { version, grave, what });
        }
        Ok(risks)
    }

    /// `None` where we may not ask: many services forbid CONFIG.
    async fn appendfsync(&self) -> Option<String> {
        let reply = self.link.once(redis::cmd("CONFIG").arg("GET").arg("appendfsync")).await.ok()?;
        redis::from_redis_value::<HashMap<String, String>>(reply).ok()?.remove("appendfsync")
    }
}

fn parse(text: &str) -> HashMap<&str, &str> {
    text.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn refuse(info: &HashMap<&str, &str>) -> Result<(), StoreError> {
    let text = info.get("redis_version").copied().unwrap_or("");
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version < OLDEST {
        let (major, minor) = OLDEST;
        return Err(StoreError::Unavailable(format!(
            "this Redis is version {text}; version {major}.{minor} or newer is needed"
        )));
    }
    let policy = info.get("maxmemory_policy").copied().unwrap_or("");
    if policy != "noeviction" {
        return Err(StoreError::Unavailable(format!(
            "this Redis has maxmemory-policy {policy}: short of memory it would delete tasks; \
             set maxmemory-policy noeviction"
        )));
    }
    Ok(())
}

/// Whether that is worth a warning, and what a power cut could lose.
fn at_risk(info: &HashMap<&str, &str>, appendfsync: Option<&str>) -> (bool, &'static str) {
    let is = |name: &str, value: &str| info.get(name) == Some(&value);
    match (is("aof_enabled", "1"), appendfsync) {
        (true, Some("always")) => (false, "loses nothing that was acknowledged (appendfsync always)"),
        (true, Some("everysec")) => {
            (false, "may lose the last second or two (appendfsync everysec; always loses nothing)")
        }
        (true, Some("no")) => (true, "may lose half a minute (appendfsync no; set everysec or always)"),
        (true, _) => (false, "may lose what its append-only file did not yet hold"),
        (false, _) if info.get("rdb_last_save_time").is_some() && !is("rdb_last_bgsave_status", "err") => (
            true,
            "or its crash loses everything since its last snapshot, or all where it makes none: set appendonly yes",
        ),
        (false, _) => (true, "or its crash loses everything: set appendonly yes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_would_lose_tasks() {
        let good = "# Server\r\nredis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
        assert!(refuse(&parse(good)).is_ok());
        for (changed, to, said) in [
            ("7.0.15", "6.2.14", "this Redis is version 6.2.14; version 7.0 or newer is needed"),
            ("noeviction", "allkeys-lru", "set maxmemory-policy noeviction"),
        ] {
            let text = good.replace(changed, to);
            let error = refuse(&parse(&text)).expect_err("is refused").to_string();
            assert!(error.contains(said), "{error}");
        }
        for (aof, fsync, grave, said) in [
            ("1", Some("always"), false, "loses nothing"),
            ("1", Some("everysec"), false, "the last second or two"),
            ("1", Some("no"), true, "half a minute"),
            ("1", None, false, "did not yet hold"),
            ("0", Some("everysec"), true, "set appendonly yes"),
        ] {
            let text = good.replace("aof_enabled:1", &format!("aof_enabled:{aof}"));
            let (is_grave, what) = at_risk(&parse(&text), fsync);
            assert_eq!((is_grave, what.contains(said)), (grave, true), "{what}");
        }
    }
}
