//! Connections: one that all commands share, and one of its own for whoever waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, Pipeline, RedisError, RedisResult,
    ServerErrorKind, TlsCertificates, TlsMode, Value,
};
use tokio::sync::Mutex;

use super::address::{Address, RedisConfig};
use super::error::is_passing;
use super::script::Call;

/// A server that takes longer to take a connection is taken for gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Between the tries of a command that may be repeated: a connection that broke, a cluster that moves
/// a slot. Longer outages are the caller's.
const TRY_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(200), Duration::from_secs(1)];

/// After a server was not reached, commands fail at once for so long, in place of each waiting for a
/// connection of its own.
const GIVE_UP_FOR: Duration = Duration::from_millis(100);

/// The connection that all commands share. It heals itself.
#[derive(Clone)]
pub(super) enum Link {
    One(Healing),
    Cluster(ClusterConnection),
}

/// A connection for commands that block.
pub(super) enum Waiting {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// A connection to one server. After an error that may be the connection's, also after a silence, the
/// next command gets another one, to whichever server is then the master.
#[derive(Clone)]
pub(super) struct Healing(Arc<Mutex<Found>>);

pub(super) struct Found {
    server: Server,
    config: AsyncConnectionConfig,
    connection: Option<MultiplexedConnection>,
    failed: Option<(Instant, RedisError)>,
    /// Counts connections, so that a late error takes only its own with it.
    number: u64,
}

enum Server {
    Known(Client),
    NamedBy(SentinelClient),
}

/// Opens connections.
pub(super) struct Dial {
    address: Address,
    config: RedisConfig,
}

impl Dial {
    pub(super) fn new(config: RedisConfig) -> Result<Self, String> {
        Ok(Self { address: Address::parse(&config.url)?, config })
    }

    pub(super) async fn link(&self) -> RedisResult<Link> {
        let server = match &self.address {
            Address::Single(info) => Server::Known(self.client(info)?),
            Address::Sentinel { .. } => Server::NamedBy(self.sentinels()?),
            Address::Cluster(nodes) => {
                let client = self.cluster(nodes, self.config.timeout)?;
                return Ok(Link::Cluster(client.get_async_connection().await?));
            }
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(self.config.timeout));
        let found = Found { server, config, connection: None, failed: None, number: 0 };
        let healing = Healing(Arc::new(Mutex::new(found)));
        healing.get().await?;
        Ok(Link::One(healing))
    }

    /// A connection whose commands may take up to `longest`.
    pub(super) async fn waiting(&self, longest: Duration) -> RedisResult<Waiting> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(longest));
        Ok(match &self.address {
            Address::Single(info) => Waiting::Single(
                self.client(info)?.get_multiplexed_async_connection_with_config(&config).await?,
            ),
            Address::Cluster(nodes) => {
                Waiting::Cluster(self.cluster(nodes, longest)?.get_async_connection().await?)
            }
            Address::Sentinel { .. } => {
                Waiting::Single(self.sentinels()?.get_async_connection_with_config(&config).await?)
            }
        })
    }

    fn client(&self, info: &ConnectionInfo) -> RedisResult<Client> {
        let mut settings = info.redis_settings().clone();
        if !self.config.username.is_empty() {
            settings = settings.set_username(&self.config.username);
        }
        if !self.config.password.is_empty() {
            settings = settings.set_password(&self.config.password);
        }
        let info = info.clone().set_redis_settings(settings);
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        }
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        self.config.ca.as_ref().map(|ca| TlsCertificates { client_tls: None, root_cert: Some(ca.clone()) })
    }

    fn cluster(&self, nodes: &[ConnectionInfo], timeout: Duration) -> RedisResult<ClusterClient> {
        let mut builder = ClusterClientBuilder::new(nodes.iter().cloned())
            .connection_timeout(CONNECT_WITHIN)
            .response_timeout(timeout);
        if !self.config.username.is_empty() {
            builder = builder.username(&self.config.username);
        }
        if !self.config.password.is_empty() {
            builder = builder.password(&self.config.password);
        }
        if let Some(certificates) = self.certificates() {
            builder = builder.certs(certificates);
        }
        builder.build()
    }

    fn sentinels(&self) -> RedisResult<SentinelClient> {
        let Address::Sentinel { sentinels, service, tls, db } = &self.address else {
            return Err((ErrorKind::InvalidClientConfig, "not an address of sentinels").into());
        };
        let hosts = sentinels.iter().map(|info| info.addr().clone());
        let mut builder = SentinelClientBuilder::new(hosts, service, SentinelServerType::Master)?
            .set_client_to_redis_db(*db);
        let given = sentinels.first().map(ConnectionInfo::redis_settings);
        let pick = |ours: &str, url: Option<&str>| match ours {
            "" => url.map(str::to_owned),
            ours => Some(ours.to_owned()),
        };
        if let Some(name) = pick(&self.config.username, given.and_then(|given| given.username())) {
            builder = builder.set_client_to_redis_username(name);
        }
        if let Some(password) = pick(&self.config.password, given.and_then(|given| given.password())) {
            builder = builder.set_client_to_redis_password(password);
        }
        if !self.config.sentinel_password.is_empty() {
            builder = builder.set_client_to_sentinel_password(&self.config.sentinel_password);
        }
        if *tls {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_sentinel_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = self.certificates() {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
        builder.build()
    }
}

impl Healing {
    async fn get(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        let mut found = self.0.lock().await;
        if let Some(connection) = &found.connection {
            return Ok((connection.clone(), found.number));
        }
        if let Some((when, error)) = &found.failed
            && when.elapsed() < GIVE_UP_FOR
        {
            return Err(error.clone());
        }
        let Found { server, config, .. } = &mut *found;
        let fresh = match server {
            Server::Known(client) => client.get_multiplexed_async_connection_with_config(config).await,
            Server::NamedBy(sentinels) => sentinels.get_async_connection_with_config(config).await,
        };
        match fresh {
            Ok(connection) => {
                found.number += 1;
                found.failed = None;
                found.connection = Some(connection.clone());
                Ok((connection, found.number))
            }
            Err(error) => {
                found.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// The next command gets another connection.
    async fn lose(&self, which: u64) {
        let mut found = self.0.lock().await;
        if found.number == which {
            found.connection = None;
        }
    }

    async fn noticing<T>(&self, which: u64, reply: RedisResult<T>) -> RedisResult<T> {
        if reply.as_ref().is_err_and(is_passing) {
            self.lose(which).await;
        }
        reply
    }
}

impl Link {
    /// Sends a command once.
    pub(super) async fn once(&self, cmd: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Cluster(connection) => cmd.query_async(&mut connection.clone()).await,
            Self::One(healing) => {
                let (mut connection, which) = healing.get().await?;
                let reply = cmd.query_async(&mut connection).await;
                healing.noticing(which, reply).await
            }
        }
    }

    /// Sends a command that may be repeated, again after a passing failure.
    pub(super) async fn send(&self, cmd: &Cmd) -> RedisResult<Value> {
        again(|| self.once(cmd)).await
    }

    /// Sends several reads of keys of one hash tag together.
    pub(super) async fn all(&self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        again(async || match self {
            Self::Cluster(connection) => pipeline.query_async(&mut connection.clone()).await,
            Self::One(healing) => {
                let (mut connection, which) = healing.get().await?;
                let reply = pipeline.query_async(&mut connection).await;
                healing.noticing(which, reply).await
            }
        })
        .await
    }

    /// Runs a script, and teaches it to a server that has not seen it.
    pub(super) async fn call_once(&self, call: &Call) -> RedisResult<Value> {
        match self.once(&call.cmd).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.once(redis::cmd("SCRIPT").arg("LOAD").arg(call.script.text())).await?;
                self.once(&call.cmd).await
            }
            reply => reply,
        }
    }

    pub(super) async fn call(&self, call: &Call) -> RedisResult<Value> {
        again(|| self.call_once(call)).await
    }

    /// Runs several scripts on keys of one hash tag in one go. Fails where one of them does.
    pub(super) async fn call_all(&self, calls: &[Call]) -> RedisResult<Vec<Value>> {
        let mut pipeline = redis::pipe();
        for call in calls {
            pipeline.add_command(call.cmd.clone());
        }
        match self.all(&pipeline).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                if let Some(call) = calls.first() {
                    self.once(redis::cmd("SCRIPT").arg("LOAD").arg(call.script.text())).await?;
                }
                self.all(&pipeline).await
            }
            reply => reply,
        }
    }

    /// Waits until so many replicas have what this connection has written. Says how many have.
    pub(super) async fn wait(&self, call: &Call, replicas: u32, within: Duration) -> RedisResult<u32> {
        let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas).arg(millis);
        let reply = match self {
            Self::Cluster(connection) => {
                let master = Route::with_key(&call.key, SlotAddr::Master);
                let node = RoutingInfo::SingleNode(SingleNodeRoutingInfo::SpecificNode(master));
                connection.clone().route_command(wait, node).await?
            }
            Self::One(_) => self.once(&wait).await?,
        };
        Ok(redis::from_redis_value(reply)?)
    }

    /// Names of keys, on the server that has the key `near`.
    pub(super) async fn scan(
        &self,
        cursor: u64,
        pattern: &str,
        near: &str,
    ) -> RedisResult<(u64, Vec<String>)> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1000);
        let reply = match self {
            Self::Cluster(connection) => {
                let master = Route::with_key(near, SlotAddr::Master);
                let node = RoutingInfo::SingleNode(SingleNodeRoutingInfo::SpecificNode(master));
                connection.clone().route_command(scan, node).await?
            }
            Self::One(_) => self.send(&scan).await?,
        };
        Ok(redis::from_redis_value(reply)?)
    }

    /// What every master says of itself.
    pub(super) async fn info(&self) -> RedisResult<Vec<String>> {
        let info = redis::cmd("INFO");
        match self {
            Self::Cluster(connection) => {
                let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                match connection.clone().route_command(info, masters).await? {
                    Value::Map(all) => {
                        all.into_iter().map(|(_, text)| Ok(redis::from_redis_value(text)?)).collect()
                    }
                    one => Ok(vec![redis::from_redis_value(one)?]),
                }
            }
            Self::One(_) => Ok(vec![redis::from_redis_value(self.send(&info).await?)?]),
        }
    }
}

impl Waiting {
    pub(super) async fn send(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Single(connection) => cmd.query_async(connection).await,
            Self::Cluster(connection) => cmd.query_async(connection).await,
        }
    }
}

async fn again<T, F: Future<Output = RedisResult<T>>>(send: impl Fn() -> F) -> RedisResult<T> {
    let mut waits = TRY_AGAIN_AFTER.into_iter();
    loop {
        match send().await {
            Err(error) if is_passing(&error) && !error.is_timeout() => match waits.next() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            },
            reply => return reply,
        }
    }
}
