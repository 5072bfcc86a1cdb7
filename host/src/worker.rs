//! The worker: claim → call → commit, until a stop signal; heartbeat, cancel, drain.
//!
//! Invariant: nothing is written for a task without the fence it was claimed with, and a guest is
//! stopped before its lease could have passed to another worker.

mod answers;
mod attempts;
mod away;
mod broken;
mod drive;
mod feed;
mod halt;
mod journal;
mod keeper;
mod live;
mod pace;
mod presence;
mod pulse;
mod step;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::exec::{ExecLimits, Sandbox};
use crate::model::Door;
use crate::plugin::Runtime;
use crate::store::{Claim, ClaimRequest, EXPIRED_TOGETHER, Limits as QueueLimits, Store, StoreError};
use crate::workspace::{Limits, Snapshots};

use halt::{Halts, Stop};
use keeper::Keeper;

pub use away::Backoff;
pub use pulse::Pulse;

/// How often lost leases are looked for, and deadlines of what waits; a lost task waits at most a lease and
/// this long.
const REAP_EVERY: Duration = Duration::from_secs(5);

/// The fallback of the queue's wake-up.
const POLL: Duration = Duration::from_secs(1);

/// Claims under way at a time while each finds a task: a store that commits in groups then pays once
/// for all of them, and a long queue is not taken up one commit after the other.
const TOGETHER: usize = 32;

/// What a worker works with.
#[derive(Clone)]
pub struct Equipment {
    pub store: Arc<dyn Store>,
    pub runtime: Arc<Runtime>,
    pub door: Arc<Door>,
    pub sandbox: Arc<Sandbox>,
    pub exec_limits: ExecLimits,
    pub tree_limits: Limits,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Unique among the workers of a store.
    pub name: String,
    /// The machine's.
    pub host: String,
    /// What its claims respect.
    pub limits: Arc<QueueLimits>,
    /// Tasks held at a time.
    pub tasks: usize,
    /// How long running steps may go on after a stop before they are handed back.
    pub grace: Duration,
    /// How long a task stays with a worker that is silent.
    pub lease: Duration,
    /// How a task waits for a model that can't be used.
    pub backoff: Backoff,
}

/// What the tasks of one worker share.
struct Shared {
    equipment: Equipment,
    settings: Settings,
    pulse: Pulse,
    snapshots: Snapshots,
    keeper: Keeper,
    halts: Halts,
    /// The worker shuts down: no task begins another step here.
    closing: CancellationToken,
}

/// Works until `stop` is cancelled, then drains: running steps go on for the grace period, after which
/// they are stopped; each task goes back to the queue without counting as a crash.
pub async fn run(
    equipment: Equipment,
    settings: Settings,
    pulse: Pulse,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let keeper = Keeper::start(Arc::clone(&equipment.store), settings.lease)?;
    let snapshots = Snapshots::new(Arc::clone(&equipment.store), equipment.tree_limits);
    let (grace, closing) = (settings.grace, stop.clone());
    let shared =
        Arc::new(Shared { equipment, settings, pulse, snapshots, keeper, halts: Halts::default(), closing });
    let running = TaskTracker::new();

    let reaper = tokio::spawn(reap(Arc::clone(&shared), stop.clone()));
    let presence = AbortOnDropHandle::new(shared.keeper.spawn(presence::keep_up(Arc::clone(&shared))));
    claim(&shared, &running, &stop).await;

    running.close();
    if tokio::time::timeout(grace, running.wait()).await.is_err() {
        tracing::info!(tasks = running.len(), "the grace period is over: handing tasks back");
        shared.halts.stop_all(Stop::Draining);
        running.wait().await;
    }
    reaper.abort();
    drop(presence);
    if let Err(error) = shared.equipment.store.check_out(&shared.settings.name).await {
        tracing::debug!(%error, "can't check out");
    }
    Ok(())
}

async fn claim(shared: &Arc<Shared>, running: &TaskTracker, stop: &CancellationToken) {
    let places = Arc::new(Semaphore::new(shared.settings.tasks));
    let mut watch = shared.equipment.store.watch();
    let mut unavailable = false;
    let mut together = 1;
    loop {
        let place = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                place = Arc::clone(&places).acquire_owned() => {
                    break place.expect("the semaphore is never closed");
                }
                () = tokio::time::sleep(POLL) => shared.pulse.beat(),
            }
        };
        let more = (1..together).map_while(|_| Arc::clone(&places).try_acquire_owned().ok());
        let taken = std::iter::once(place).chain(more).map(async |place| (shared.next().await, place));
        let mut all = true;
        for (reply, place) in join_all(taken).await {
            if reply.is_ok() {
                shared.pulse.beat();
            }
            match reply {
                Ok(Some(claim)) => {
                    unavailable = false;
                    let shared = Arc::clone(shared);
                    running.spawn(async move {
                        let mut claim = Some(claim);
                        while let Some(one) = claim {
                            claim = drive::drive(Arc::clone(&shared), one).await;
                        }
                        drop::<OwnedSemaphorePermit>(place);
                    });
                }
                Ok(None) => all = false,
                Err(error) => {
                    all = false;
                    if !std::mem::replace(&mut unavailable, true) {
                        tracing::warn!(%error, "can't claim; trying on");
                    }
                }
            }
        }
        if all {
            together = (together * 2).min(TOGETHER);
            continue;
        }
        together = 1;
        tokio::select! {
            () = stop.cancelled() => return,
            () = watch.changed(POLL) => {}
        }
    }
}

impl Shared {
    /// Repeats a claim whose reply was lost under the same nonce, so that it loses no task. Boxed, since whoever
    /// holds thousands of tasks holds as many of each future's copies of it.
    async fn next(&self) -> Result<Option<Box<Claim>>, StoreError> {
        let request = ClaimRequest {
            worker: self.settings.name.clone(),
            nonce: journal::fresh_nonce(),
            lease: self.settings.lease,
            limits: Arc::clone(&self.settings.limits),
        };
        let reply = match self.equipment.store.claim(&request).await {
            Err(StoreError::Unavailable(_)) => self.equipment.store.claim(&request).await,
            reply => reply,
        };
        Ok(reply?.map(Box::new))
    }

    /// For a place whose task ends. Where that fails, the place is free, and whoever fills it tells of it.
    async fn next_if_open(&self) -> Option<Box<Claim>> {
        if self.closing.is_cancelled() {
            return None;
        }
        let claim = self.next().await.ok().flatten();
        if claim.is_some() {
            self.pulse.beat();
        }
        claim
    }
}

async fn reap(shared: Arc<Shared>, stop: CancellationToken) {
    let every = REAP_EVERY.min(shared.settings.lease / 2);
    loop {
        match shared.equipment.store.reap().await {
            Ok(tasks) => {
                for task in tasks {
                    tracing::warn!(%task, "its worker is lost");
                }
            }
            Err(error) => tracing::warn!(%error, "can't look for lost leases"),
        }
        loop {
            match shared.equipment.store.expire().await {
                Ok(tasks) => {
                    for task in &tasks {
                        tracing::info!(%task, "its deadline has passed while it waited");
                    }
                    if tasks.len() < EXPIRED_TOGETHER {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "can't look for deadlines that have passed");
                    break;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}
