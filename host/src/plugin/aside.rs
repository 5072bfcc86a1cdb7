//! Threads of their own for guests that compute for long.
//!
//! A guest that never waits would otherwise sit on one of the service's few threads: sockets, timers and
//! all other steps would have to wait until it yields. Threads of a lower priority are not enough: the kernel
//! lets a thread of any niceness finish its slice of some milliseconds, and wakes another behind it, even where
//! a processor is idle. It never does so with the class SCHED_IDLE.
//!
//! But that class gets a three hundredth of a processor that others keep busy. So guests that don't get on in it
//! go on elsewhere, on threads that are only less urgent than others. Measured on one processor beside an endless
//! loop: a check of some two seconds takes 23 s so, as it does at niceness 10 from the start, and over 100 s without
//! that.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::meter::Meter;

#[cfg(test)]
mod tests;

/// Many times an ordinary step of a builder, fixer or adapter, so that few guests have to be moved.
pub(super) const LONG: Duration = Duration::from_millis(2);

/// Below the service's own threads. A thread may lower its priority without any right, but not raise it
/// again.
const NICENESS: i32 = 10;

/// A guest is polled for a few milliseconds, as the epoch's tick has it yield. One for which that takes so
/// much longer, and which computed for less than a tenth of it, has not had a processor.
const STARVED: Duration = Duration::from_millis(100);
const STARVED_SHARE: u32 = 10;

/// How long the machine counts as busy then. Whoever tries again after that and starves loses about a second.
const BUSY: Duration = Duration::from_secs(30);

pub(super) type Unfinished<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How many quick calls in a row make up for a long one. The first call of a plugin may be long for the host's own
/// reasons, and one that begins aside takes many times as long as a quick one does here.
const FORGIVEN: u32 = 20;

/// Whether a plugin's calls compute for long, or have to be stopped. Then they begin aside, since even the little that it
/// takes to notice is felt by all others.
#[derive(Debug, Default)]
pub(super) struct Habit {
    /// The quick calls that are still to come.
    owed: AtomicU32,
}

impl Habit {
    pub(super) fn note(&self) {
        self.owed.store(FORGIVEN, Relaxed);
    }

    fn was_quick(&self) {
        // Fails where nothing is owed.
        let _ = self.owed.fetch_update(Relaxed, Relaxed, |owed| owed.checked_sub(1));
    }

    fn is_long(&self) -> bool {
        self.owed.load(Relaxed) > 0
    }
}

#[derive(Debug)]
pub(super) struct Aside {
    /// Of the class SCHED_IDLE; where that is refused, as the others are.
    idle: Threads,
    nice: Threads,
    crowd: Arc<Crowd>,
}

/// Whether others want the processors.
#[derive(Debug)]
struct Crowd {
    base: Instant,
    /// Milliseconds after `base`.
    busy_until: AtomicU64,
}

/// One for each processor.
#[derive(Debug)]
struct Threads {
    handle: Handle,
    /// Taken when it is dropped.
    threads: Option<Runtime>,
}

impl Aside {
    pub(super) fn start() -> std::io::Result<Self> {
        Ok(Self {
            idle: Threads::start("guest", || {
                if let Err(error) = be_idle() {
                    tracing::debug!(%error, "no SCHED_IDLE for guests that compute for long");
                    be_nice();
                }
            })?,
            nice: Threads::start("guest-nice", be_nice)?,
            crowd: Arc::new(Crowd { base: Instant::now(), busy_until: AtomicU64::new(0) }),
        })
    }

    /// Polls a call here, on the service's threads, and moves it aside once its guest has computed for
    /// long. Dropping the future ends the call, wherever it is.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        habit: &Habit,
        meter: &Arc<Meter>,
        mut call: Unfinished<T>,
    ) -> T {
        if habit.is_long() {
            let ended = self.go_on(meter, call).await;
            match meter.spent() < LONG {
                true => habit.was_quick(),
                false => habit.note(),
            }
            return ended;
        }
        let here = poll_fn(|cx| {
            let polled = call.as_mut().poll(cx);
            let long = meter.spent() >= LONG;
            if long {
                habit.note();
            }
            match polled {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if long => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        match here.await {
            Some(ended) => ended,
            None => self.go_on(meter, call).await,
        }
    }

    async fn go_on<T: Send + 'static>(&self, meter: &Arc<Meter>, call: Unfinished<T>) -> T {
        let patient = unless_busy(Arc::clone(&self.crowd), Arc::clone(meter), call);
        match self.idle.run(patient).await {
            Ok(ended) => ended,
            Err(unfinished) => self.nice.run(unfinished).await,
        }
    }
}

/// Polls a call until it ends, or until it is known not to get on here.
async fn unless_busy<T>(
    crowd: Arc<Crowd>,
    meter: Arc<Meter>,
    mut call: Unfinished<T>,
) -> Result<T, Unfinished<T>> {
    let ended = poll_fn(|cx| {
        if crowd.is_busy() {
            return Poll::Ready(None);
        }
        let (begun, before) = (Instant::now(), meter.spent());
        let polled = call.as_mut().poll(cx).map(Some);
        let (passed, computed) = (begun.elapsed(), meter.spent() - before);
        if passed >= STARVED && computed < passed / STARVED_SHARE {
            crowd.note();
        }
        polled
    });
    ended.await.ok_or(call)
}

impl Crowd {
    fn note(&self) {
        let until = self.base.elapsed() + BUSY;
        self.busy_until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    fn is_busy(&self) -> bool {
        self.base.elapsed().as_millis() < u128::from(self.busy_until.load(Relaxed))
    }
}

impl Threads {
    fn start(name: &str, begin: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let threads = Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(1, usize::from))
            .thread_name(name)
            .on_thread_start(begin)
            .build()?;
        Ok(Self { handle: threads.handle().clone(), threads: Some(threads) })
    }

    async fn run<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        let moved = AbortOnDropHandle::new(self.handle.spawn(call.in_current_span()));
        match moved.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(ended) => ended,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Its threads live as long as `self`, and nobody else can abort it.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

impl Drop for Threads {
    /// Not by waiting: this may be the end of the last guest, on one of these very threads.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// This thread only gets what nobody else wants; for good, as giving it more again takes a privilege.
fn be_idle() -> Result<(), thread_priority::Error> {
    let class = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, class)
}

fn be_nice() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "guests that compute for long can't be given a lower priority");
    }
}
