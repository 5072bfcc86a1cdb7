//! Heartbeats, on a thread of their own: no guest, however busy, delays them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::halt::{Halt, Stop};
use crate::store::{Lease, Store, StoreError};
use crate::telemetry::metrics;

/// A lease of 30 s is renewed every 5 s, and its work stopped 5 s before it could end.
const BEATS_PER_LEASE: u32 = 6;

pub(super) struct Keeper {
    runtime: Handle,
    store: Arc<dyn Store>,
    lease: Duration,
    /// Ends the thread when the keeper goes.
    stop: CancellationToken,
}

/// Renews one lease for as long as it is held.
pub(super) struct Held(tokio::task::AbortHandle);

impl Keeper {
    pub(super) fn start(store: Arc<dyn Store>, lease: Duration) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let until = stop.clone();
        std::thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || runtime.block_on(until.cancelled()))?;
        Ok(Self { runtime: handle, store, lease, stop })
    }

    /// Runs this where no guest delays it.
    pub(super) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        self.runtime.spawn(work)
    }

    pub(super) fn hold(&self, lease: Lease, halt: Arc<Halt>) -> Held {
        let (store, term) = (Arc::clone(&self.store), self.lease);
        Held(self.runtime.spawn(beat(store, term, lease, halt)).abort_handle())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn beat(store: Arc<dyn Store>, term: Duration, lease: Lease, halt: Arc<Halt>) {
    let every = term / BEATS_PER_LEASE;
    // Measured from before the request, so that our idea of the lease ends before the store's.
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(every).await;
        let left = (term - every).saturating_sub(renewed.elapsed());
        let asked = Instant::now();
        match tokio::time::timeout(left, store.heartbeat(&lease)).await {
            Ok(Ok(beat)) => {
                renewed = asked;
                metrics::asked_store(asked.elapsed());
                if beat.cancel {
                    halt.stop(Stop::Cancelled);
                }
            }
            Ok(Err(StoreError::StaleFence { .. } | StoreError::NotFound(_))) => {
                return halt.stop(Stop::LeaseLost);
            }
            Ok(Err(error)) => tracing::warn!(task = %lease.task, %error, "a heartbeat failed"),
            Err(_) => {
                tracing::warn!(task = %lease.task, "no heartbeat went through in time: stopping its work");
                return halt.stop(Stop::LeaseLost);
            }
        }
    }
}
