//! Where a Redis is, how it is reached, and what `--store` calls it.

use redis::{ConnectionInfo, IntoConnectionInfo as _};

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// See [`Address::parse`].
    pub url: String,
    /// What the names of all keys begin with, so that a server can be shared.
    pub prefix: String,
    /// Empty: the URL's.
    pub username: String,
    pub password: String,
    /// Of the sentinels themselves, where they ask for one.
    pub sentinel_password: String,
    /// The certificates that a server's own is checked against, as PEM. `None`: the system's.
    pub ca: Option<Vec<u8>>,
    /// How many replicas must have a change before it counts as done. 0: none.
    pub wait_replicas: u32,
    pub timeout: std::time::Duration,
}

/// What a URL names.
#[derive(Clone, Debug)]
pub(super) enum Address {
    Single(ConnectionInfo),
    Cluster(Vec<ConnectionInfo>),
    /// The sentinels, and the master as they call it.
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        service: String,
        tls: bool,
        db: i64,
    },
}

/// What a URL may look like.
const FORMS: &str = "redis://HOST:PORT/DB, rediss:// with TLS, redis+unix:///SOCKET, \
    redis+cluster://HOST:PORT,HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/MASTER";

impl Address {
    /// Reads `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `redis+unix:///SOCKET`,
    /// `redis+cluster://HOST:PORT,…` and `redis+sentinel://HOST:PORT,…/MASTER[/DB]`; with `rediss` in
    /// place of `redis` over TLS.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("{} is no address of a Redis: {why}; use {FORMS}", shown(url));
        let info = |url: String| url.into_connection_info().map_err(|error| bad(&error.to_string()));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("there is no ://"))?;
        let (tls, kind) = match scheme.split_once('+').unwrap_or((scheme, "")) {
            ("redis", kind) => (false, kind),
            ("rediss", kind) => (true, kind),
            _ => return Err(bad("the scheme is unknown")),
        };
        let plain = if tls { "rediss" } else { "redis" };
        let (user, rest) =
            rest.rsplit_once('@').map_or((String::new(), rest), |(user, rest)| (format!("{user}@"), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let each = |default_port: u16| -> Result<Vec<ConnectionInfo>, String> {
            let hosts = hosts.split(',').filter(|host| !host.is_empty());
            let with_port = hosts.map(|host| match host.rsplit_once(':') {
                Some((_, port)) if !port.ends_with(']') => host.to_owned(),
                _ => format!("{host}:{default_port}"),
            });
            with_port.map(|host| info(format!("{plain}://{user}{host}"))).collect()
        };
        match kind {
            "" | "unix" => Ok(Self::Single(info(url.to_owned())?)),
            "cluster" if !path.is_empty() => Err(bad("a cluster has no databases by number")),
            "cluster" => match each(6379)? {
                nodes if nodes.is_empty() => Err(bad("no node is named")),
                nodes => Ok(Self::Cluster(nodes)),
            },
            "sentinel" => {
                let (service, db) = path.split_once('/').unwrap_or((path, "0"));
                let db = db.parse().map_err(|_| bad("the database is no number"))?;
                let sentinels = each(26379)?;
                match (sentinels.is_empty(), service) {
                    (true, _) => Err(bad("no sentinel is named")),
                    (_, "") => Err(bad("the master's name is missing")),
                    (false, service) => {
                        Ok(Self::Sentinel { sentinels, service: service.to_owned(), tls, db })
                    }
                }
            }
            _ => Err(bad("the scheme is unknown")),
        }
    }
}

/// The address without its password.
pub fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        _ => url.to_owned(),
    }
}

impl RedisConfig {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "aiagent".to_owned(),
            username: String::new(),
            password: String::new(),
            sentinel_password: String::new(),
            ca: None,
            wait_replicas: 0,
            timeout: std::time::Duration::from_secs(10),
        }
    }

    /// Whether this is a store of ours, and whether it can be read. Says what is wrong.
    pub fn check_url(url: &str) -> Option<Result<(), String>> {
        let ours = url.starts_with("redis");
        ours.then(|| Address::parse(url).map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_what_is_wrong_with_others() {
        for (url, what) in [
            ("redis://localhost", "Single"),
            ("redis://:secret@localhost:6380/3", "Single"),
            ("rediss://user:secret@redis.example:6380", "Single"),
            ("redis+unix:///run/redis.sock", "Single"),
            ("redis+cluster://a:1,b:2,[::1]:3,d", "Cluster"),
            ("rediss+cluster://user:secret@a:1", "Cluster"),
            ("redis+sentinel://a,b:2/main", "Sentinel"),
            ("rediss+sentinel://a/main/2", "Sentinel"),
        ] {
            let address = Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert!(format!("{address:?}").starts_with(what), "{url}: {address:?}");
        }
        for (url, why) in [
            ("redis:localhost", "there is no ://"),
            ("redis+other://a", "the scheme is unknown"),
            ("redis+cluster://", "no node is named"),
            ("redis+cluster://a/1", "a cluster has no databases by number"),
            ("redis+sentinel://a", "the master's name is missing"),
            ("redis+sentinel:///main", "no sentinel is named"),
            ("redis+sentinel://a/main/x", "the database is no number"),
            ("redis://localhost/x", "Invalid database number"),
        ] {
            let error = Address::parse(url).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(error.contains(why), "{url}: {error}");
        }
        let error = Address::parse("redis+other://user:secret@a").expect_err("is refused");
        assert!(
            error.starts_with("redis+other://***@a is no address") && !error.contains("secret"),
            "{error}"
        );
    }
}
