//! A line to a server that cuts connections, delays, swallows replies and goes silent.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::dice::Dice;

pub(crate) struct BadLine {
    pub(crate) port: u16,
    faults: Arc<Faults>,
}

struct Faults {
    on: AtomicBool,
    dice: Mutex<Dice>,
    cut: AtomicU64,
    swallowed: AtomicU64,
    silenced: AtomicU64,
    /// The reply to the next request is swallowed, however good the line is.
    swallow_next: AtomicBool,
}

enum Fault {
    None,
    /// The request was done, and the connection ends before its reply.
    Swallow,
    Delay(Duration),
    /// Nothing more comes, and nobody says so.
    Silence,
    /// The connection ends before the request is sent on.
    Cut,
}

impl Faults {
    fn draw(&self, is_reply: bool) -> Fault {
        if !self.on.load(Relaxed) {
            return Fault::None;
        }
        let mut dice = self.dice.lock().expect("no panic holds it");
        match dice.below(600) {
            0..2 if is_reply => {
                self.swallowed.fetch_add(1, Relaxed);
                Fault::Swallow
            }
            2..4 if !is_reply => {
                self.cut.fetch_add(1, Relaxed);
                Fault::Cut
            }
            4 => {
                self.silenced.fetch_add(1, Relaxed);
                Fault::Silence
            }
            5..60 => Fault::Delay(Duration::from_millis(dice.below(40))),
            _ => Fault::None,
        }
    }
}

impl BadLine {
    pub(crate) async fn start(server: u16, dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let faults = Arc::new(Faults {
            on: AtomicBool::new(false),
            dice: Mutex::new(dice),
            cut: AtomicU64::new(0),
            swallowed: AtomicU64::new(0),
            silenced: AtomicU64::new(0),
            swallow_next: AtomicBool::new(false),
        });
        tokio::spawn(accept(listener, server, faults.clone()));
        Self { port, faults }
    }

    pub(crate) fn worse(&self) {
        self.faults.on.store(true, Relaxed);
    }

    pub(crate) fn good(&self) {
        self.faults.on.store(false, Relaxed);
    }

    /// Of the server's reply to the next request nothing arrives, and its connection ends.
    pub(crate) fn swallow_next(&self) {
        self.faults.swallow_next.store(true, Relaxed);
    }

    /// How many replies it has swallowed.
    pub(crate) fn swallowed(&self) -> u64 {
        self.faults.swallowed.load(Relaxed)
    }

    pub(crate) fn said(&self) -> String {
        let Faults { cut, swallowed, silenced, .. } = &*self.faults;
        let counts = [cut, swallowed, silenced].map(|count| count.load(Relaxed));
        format!(
            "{} requests cut, {} replies swallowed, {} connections silenced",
            counts[0], counts[1], counts[2]
        )
    }
}

async fn accept(listener: TcpListener, server: u16, faults: Arc<Faults>) {
    while let Ok((client, _)) = listener.accept().await {
        let faults = faults.clone();
        tokio::spawn(async move {
            // A server that is being restarted refuses; so does the line then.
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let doomed = AtomicBool::new(false);
            // The first direction to end takes the other one with it.
            tokio::select! {
                () = carry(from_client, to_server, &faults, false, &doomed) => {}
                () = carry(from_server, to_client, &faults, true, &doomed) => {}
            }
        });
    }
}

/// Whether a request only waits for changes: it comes between those of a test whenever it likes.
fn is_wait(request: &[u8]) -> bool {
    request.windows(5).any(|word| word == b"XREAD")
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    faults: &Faults,
    is_reply: bool,
    doomed: &AtomicBool,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if !is_reply && !is_wait(&buffer[..read]) && faults.swallow_next.swap(false, Relaxed) {
            doomed.store(true, Relaxed);
        } else if is_reply && doomed.load(Relaxed) {
            faults.swallowed.fetch_add(1, Relaxed);
            return;
        }
        match faults.draw(is_reply) {
            Fault::None => {}
            Fault::Delay(time) => tokio::time::sleep(time).await,
            Fault::Swallow | Fault::Cut => return,
            Fault::Silence => std::future::pending().await,
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
