//! Redis servers of the tests' own, on free ports, that end with the test process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends the server when the pipe from the test closes, which it does however the test ends. Until then it
/// does what it is told through it.
const GUARD: &str = r#"
start() { redis-server "$@" >>"$DIR/log" & server=$!; }
start "$@"
while read -r what; do
  case $what in
    restart) kill -9 $server; wait $server 2>/dev/null; start "$@" ;;
    cut*) kill -9 $server; wait $server 2>/dev/null
      truncate -s -"${what#cut}" "$DIR"/appendonlydir/*.incr.aof; start "$@" ;;
    *) kill -"$what" $server ;;
  esac
done
kill $server; wait $server; rm -rf "$DIR""#;

/// A machine with seven tests at once is slow; a server that needs this long does not start at all.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// One server. Its data lie in a folder that goes with it.
pub(crate) struct RedisServer {
    pub(crate) port: u16,
    guard: Child,
    pipe: Option<ChildStdin>,
}

/// Three masters.
pub(crate) struct RedisCluster(Vec<RedisServer>);

/// A master, perhaps a replica, and a sentinel that watches them.
pub(crate) struct RedisSentinel {
    sentinel: RedisServer,
    master: RedisServer,
    _replica: Option<RedisServer>,
}

/// A port that was free a moment ago. Below 55,536, since a cluster's own port is 10,000 higher.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        if port < 55_536 {
            return port;
        }
    }
}

impl RedisServer {
    /// With these lines of configuration.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    fn start_with(config: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let port = free_port();
        let own = format!("bind 127.0.0.1\nport {port}\ndir {}\nsave \"\"\n{config}\n", folder.display());
        // A sentinel knows no snapshots.
        let own = if args.contains(&"--sentinel") { own.replace("save \"\"\n", "") } else { own };
        std::fs::write(folder.join("redis.conf"), own).expect("the folder is writable");
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(folder.join("redis.conf"))
            .args(args)
            .env("DIR", &folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh runs");
        let pipe = guard.stdin.take();
        let server = Self { port, guard, pipe };
        until(|| {
            server
                .try_ask("PING")
                .is_some_and(|reply| reply.starts_with("+PONG") || reply.starts_with("-NOAUTH"))
        })
        .unwrap_or_else(|| {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("redis-server does not start; `.ci/setup.sh test` installs it. It said:\n{log}")
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it and starts it again on what it left.
    pub(crate) fn restart(&self) {
        self.signal("restart");
    }

    /// Kills it and starts it again without the last bytes of its append-only file.
    pub(crate) fn cut(&self, bytes: u64) {
        let run = || {
            let info = self.try_ask("INFO server")?;
            info.lines().find_map(|line| line.strip_prefix("run_id:")).map(str::to_owned)
        };
        let before = run();
        self.signal(&format!("cut{bytes}"));
        let is_back = || {
            // While it reads the file, it says so.
            let ready = self.try_ask("PING").is_some_and(|reply| reply.starts_with("+PONG"));
            ready && run().is_some_and(|now| Some(now) != before)
        };
        until(is_back).expect("it starts on what is left");
    }

    /// `STOP`, `CONT`, …
    pub(crate) fn signal(&self, name: &str) {
        let mut pipe = self.pipe.as_ref().expect("is taken at the end only");
        writeln!(pipe, "{name}").expect("the guard lives");
    }

    /// Sends one command; returns the reply as it came.
    pub(crate) fn ask(&self, command: &str) -> String {
        self.try_ask(command).expect("the server answers")
    }

    /// What it has computed so far.
    pub(crate) fn cpu(&self) -> Duration {
        let info = self.ask("INFO cpu");
        let seconds = |name: &str| -> f64 {
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok()).expect("a number")
        };
        Duration::from_secs_f64(seconds("used_cpu_sys") + seconds("used_cpu_user"))
    }

    fn try_ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(STARTS_WITHIN)).ok()?;
        write!(stream, "{command}\r\n").ok()?;
        let mut reply = BufReader::new(stream);
        let mut line = String::new();
        reply.read_line(&mut line).ok()?;
        if let Some(length) = line.strip_prefix('$') {
            let mut bulk = vec![0; length.trim().parse().ok()?];
            reply.read_exact(&mut bulk).ok()?;
            return String::from_utf8(bulk).ok();
        }
        Some(line)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.pipe.take());
        if let Err(error) = self.guard.wait() {
            eprintln!("a Redis server may be left running: {error}");
        }
    }
}

impl RedisCluster {
    pub(crate) fn start() -> Self {
        let node = |_| RedisServer::start("cluster-enabled yes\ncluster-node-timeout 5000");
        let nodes: Vec<RedisServer> = (0..3).map(node).collect();
        let slots = [(0, 5460), (5461, 10922), (10923, 16383)];
        for (number, (node, (first, last))) in (1..).zip(nodes.iter().zip(slots)) {
            for command in [
                format!("CLUSTER ADDSLOTSRANGE {first} {last}"),
                format!("CLUSTER SET-CONFIG-EPOCH {number}"),
                format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port),
            ] {
                assert_eq!(node.ask(&command).trim(), "+OK", "{command}");
            }
        }
        let is_whole = |node: &RedisServer| {
            let info = node.ask("CLUSTER INFO");
            ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"]
                .iter()
                .all(|line| info.contains(line))
        };
        until(|| nodes.iter().all(is_whole)).expect("the nodes find each other");
        Self(nodes)
    }

    pub(crate) fn url(&self) -> String {
        let nodes: Vec<String> = self.0.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}

impl RedisSentinel {
    pub(crate) fn start() -> Self {
        Self::watching(RedisServer::start(""), None)
    }

    pub(crate) fn start_with_replica() -> Self {
        let master = RedisServer::start("repl-diskless-sync-delay 0");
        let replica = RedisServer::start(&format!("replicaof 127.0.0.1 {}", master.port));
        let follows = || master.ask("INFO replication").contains("state=online");
        until(follows).expect("the replica follows");
        Self::watching(master, Some(replica))
    }

    fn watching(master: RedisServer, replica: Option<RedisServer>) -> Self {
        let config = format!(
            "sentinel monitor main 127.0.0.1 {} 1\nsentinel down-after-milliseconds main 1000\n\
             sentinel failover-timeout main 5000",
            master.port
        );
        let sentinel = RedisServer::start_with(&config, &["--sentinel"]);
        let slaves = u8::from(replica.is_some());
        let known = format!("status=ok,address=127.0.0.1:{},slaves={slaves},", master.port);
        let knows = || sentinel.ask("INFO sentinel").contains(&known);
        until(knows).expect("the sentinel knows them");
        Self { sentinel, master, _replica: replica }
    }

    pub(crate) fn kill_master(&self) {
        self.master.signal("KILL");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.sentinel.port)
    }
}

/// Looks until it is so. `None` where it never is.
fn until(is_so: impl Fn() -> bool) -> Option<()> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > STARTS_WITHIN {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(())
}
