//! The clock that interrupts guests: one thread that moves the engine's epoch on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::EngineWeak;

/// A guest is looked at this often: so short a time may a guest that computes hold up the service before
/// it is moved aside, and it is rare enough to cost nothing.
const TICK: Duration = Duration::from_millis(2);

/// How many ticks without a running guest until the thread goes to sleep. Waking it costs the
/// caller a system call, so it lingers.
const LINGER_TICKS: u32 = 500;

#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    /// Guests on a processor right now; those that wait for the host are not counted.
    running: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// Held while a guest is on a processor.
pub(super) struct Running<'a>(&'a Ticker);

impl Ticker {
    pub(super) fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("epoch".into()).spawn(move || its.tick(&engine))?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    pub(super) fn running(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, SeqCst);
        if self.shared.asleep.swap(false, SeqCst) {
            self.thread.unpark();
        }
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.shared.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.thread.unpark();
    }
}

impl Shared {
    fn tick(&self, engine: &EngineWeak) {
        let mut idle = 0;
        while !self.stop.load(SeqCst) {
            // A park that nobody ends is a sleep that the owner's drop can cut short.
            std::thread::park_timeout(TICK);
            if self.running.load(SeqCst) > 0 {
                idle = 0;
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                continue;
            }
            idle += 1;
            if idle < LINGER_TICKS {
                continue;
            }
            // Announce the sleep first, then look again: a guest that started in between is seen by
            // one of the two.
            self.asleep.store(true, SeqCst);
            while self.asleep.load(SeqCst) && self.running.load(SeqCst) == 0 && !self.stop.load(SeqCst) {
                std::thread::park();
            }
            self.asleep.store(false, SeqCst);
            idle = 0;
        }
    }
}
