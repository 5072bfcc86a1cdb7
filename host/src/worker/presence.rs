//! What a worker tells the store of itself, and what it asks it between two heartbeats.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use super::halt::Stop;
use crate::store::WorkerInfo;
use crate::task;

/// Well within the minute after which a silent worker is no longer listed.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// How long a cancel from another process may go unheard. It costs the store one short read.
const LISTEN_EVERY: Duration = Duration::from_millis(500);

/// Goes on until it is dropped.
pub(super) async fn keep_up(shared: Arc<Shared>) {
    let mut say_at = Instant::now();
    let mut draining = false;
    let started_at = task::now();
    loop {
        if shared.closing.is_cancelled() && !draining {
            draining = true;
            say_at = Instant::now();
        }
        if Instant::now() >= say_at {
            say_at = Instant::now() + SAY_EVERY;
            let info = WorkerInfo {
                name: shared.settings.name.clone(),
                host: shared.settings.host.clone(),
                pid: std::process::id(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                running: shared.halts.count() as u64,
                capacity: shared.settings.tasks as u64,
                draining,
                started_at,
                seen_at: 0,
            };
            if let Err(error) = shared.equipment.store.check_in(&info).await {
                tracing::debug!(%error, "can't check in");
            }
        }
        if shared.halts.count() > 0 {
            match shared.equipment.store.cancels().await {
                Ok(tasks) => tasks.iter().for_each(|task| shared.halts.stop(task, Stop::Cancelled)),
                // The heartbeat carries the cancel as well.
                Err(error) => tracing::debug!(%error, "can't ask for cancels"),
            }
        }
        tokio::time::sleep(LISTEN_EVERY).await;
    }
}
