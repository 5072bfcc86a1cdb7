//! What systemd hears from the service, on a socket of the test's.

use std::time::Duration;

use rusqlite::Connection;
use tokio::net::UnixDatagram;

use crate::patience;
use crate::test_host::{Setup, TestHost};

/// Longer than the worker takes to come round to its claims twice.
const WATCHDOG: Duration = Duration::from_secs(4);

struct Systemd {
    socket: UnixDatagram,
    setup: Setup,
}

impl Systemd {
    fn new() -> Self {
        let setup = Setup::new();
        let path = setup.path("notify");
        let socket = UnixDatagram::bind(&path).expect("binds");
        let setup = setup
            .env("NOTIFY_SOCKET", &path.display().to_string())
            .env("WATCHDOG_USEC", &WATCHDOG.as_micros().to_string());
        Self { socket, setup }
    }

    async fn start(&self) -> TestHost {
        self.setup.start().await
    }

    async fn next(&self) -> String {
        let mut buffer = [0; 512];
        let length = patience("word of the host", self.socket.recv(&mut buffer)).await.expect("receives");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// Waits until so much time has passed without a word.
    async fn silence(&self, long: Duration) {
        patience("silence", async { while tokio::time::timeout(long, self.next()).await.is_ok() {} }).await;
    }
}

#[tokio::test]
async fn it_serves_beats_and_drains() {
    let systemd = Systemd::new();
    let host = systemd.start().await;
    assert_eq!(systemd.next().await, format!("READY=1\nSTATUS=serving {}\n", host.url));
    assert_eq!(systemd.next().await, "WATCHDOG=1\n");
    assert_eq!(systemd.next().await, "WATCHDOG=1\n");
    host.signal("TERM").await;
    while systemd.next().await != "STOPPING=1\nSTATUS=draining\n" {}
    assert_eq!(host.exit().await, Some(0));
}

/// A claim that is never answered is what a hung worker looks like from outside: reads still work.
#[tokio::test]
async fn it_does_not_beat_while_nothing_can_be_claimed() {
    let systemd = Systemd::new();
    let host = systemd.start().await;
    systemd.next().await;
    systemd.next().await;
    let store = Connection::open(systemd.setup.path("state/tasks.db")).expect("opens");
    let lock = || store.execute_batch("BEGIN IMMEDIATE");
    while lock().is_err() {}
    systemd.silence(WATCHDOG).await;
    host.logged("the watchdog does not beat: no claim was answered for a while").await;
    store.execute_batch("ROLLBACK").expect("ends");
    assert_eq!(systemd.next().await, "WATCHDOG=1\n");
}
