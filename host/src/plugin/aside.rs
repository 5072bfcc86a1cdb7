//! Threads of their own for guests that compute for long.
//!
//! A guest that never waits would otherwise sit on one of the service's few threads: sockets, timers and
//! all other steps would have to wait until it yields.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::meter::Meter;

/// Many times an ordinary step of a builder, fixer or adapter, so that few guests have to be moved.
pub(super) const LONG: Duration = Duration::from_millis(2);

/// Below the service's own threads, which then run as soon as they have something to do. A thread may
/// lower its priority without any right, but not raise it again.
const NICENESS: i32 = 10;

/// Whether a plugin has ever computed for long, or had to be stopped. From then on its calls begin aside, since
/// even the little that it takes to notice is felt by all others.
#[derive(Debug, Default)]
pub(super) struct Habit(AtomicBool);

impl Habit {
    pub(super) fn note(&self) {
        self.0.store(true, Relaxed);
    }
}

#[derive(Debug)]
pub(super) struct Aside {
    handle: Handle,
    /// Taken when it is dropped.
    threads: Option<Runtime>,
}

impl Aside {
    /// One thread for each processor.
    pub(super) fn start() -> std::io::Result<Self> {
        let threads = Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(1, usize::from))
            .thread_name("guest")
            .on_thread_start(|| {
                if let Err(error) = rustix::process::nice(NICENESS) {
                    tracing::warn!(%error, "guests that compute for long can't be given a lower priority");
                }
            })
            .build()?;
        Ok(Self { handle: threads.handle().clone(), threads: Some(threads) })
    }

    /// Polls a call here, on the service's threads, and moves it aside once its guest has computed for
    /// long. Dropping the future ends the call, wherever it is.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        habit: &Habit,
        meter: &Meter,
        call: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let mut call = Box::pin(call);
        if habit.0.load(Relaxed) {
            return self.go_on(call).await;
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
            None => self.go_on(call).await,
        }
    }

    async fn go_on<T: Send + 'static>(&self, call: Pin<Box<dyn Future<Output = T> + Send>>) -> T {
        let moved = AbortOnDropHandle::new(self.handle.spawn(call.in_current_span()));
        match moved.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(ended) => ended,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Its threads live as long as `self`, and nobody else can abort it.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

impl Drop for Aside {
    /// Not by waiting: this may be the end of the last guest, on one of these very threads.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}
