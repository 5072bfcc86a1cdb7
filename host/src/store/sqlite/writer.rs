//! The one thread that writes: it puts every verb that waits into one transaction, and answers each
//! after the commit. One `fsync` then serves many callers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::error::{closed, copy, no_thread};
use super::later::Later;
use crate::store::clock::Now;
use crate::store::{Clock, StoreError};

/// How often it looks whether another process has written.
const LOOK: Duration = Duration::from_millis(250);

/// Bounds what one commit holds back from the other process on the same file.
const MAX_GROUP: usize = 512;

/// What a verb works with.
pub(super) struct Tx<'a> {
    pub(super) conn: &'a Connection,
    pub(super) now: Now,
}

/// What a verb answers, and whether others may be waiting for what it did.
pub(super) struct Done<T> {
    pub(super) reply: T,
    pub(super) wakes: bool,
}

impl<T> Done<T> {
    pub(super) fn loud(reply: T) -> Result<Self, StoreError> {
        Ok(Self { reply, wakes: true })
    }

    pub(super) fn quiet(reply: T) -> Result<Self, StoreError> {
        Ok(Self { reply, wakes: false })
    }
}

trait Job: Send {
    /// `false`: what it did has to be undone. May be run again then, or once another's was.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    fn wakes(&self) -> bool;
    /// After the commit, or with the reason why there was none.
    fn answer(self: Box<Self>, lost: Option<&StoreError>);
}

struct Verb<F, T> {
    work: F,
    result: Option<Result<Done<T>, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Verb<F, T>
where
    F: FnMut(&Tx<'_>) -> Result<Done<T>, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        // Of an earlier run, and not this one's if it panics.
        self.result = None;
        self.result = Some((self.work)(tx));
        matches!(self.result, Some(Ok(_)))
    }

    fn wakes(&self) -> bool {
        matches!(self.result, Some(Ok(Done { wakes: true, .. })))
    }

    fn answer(self: Box<Self>, lost: Option<&StoreError>) {
        let reply = match (lost, self.result) {
            // A refusal may rest on what was lost with it, so it is lost as well.
            (Some(error), _) => Err(copy(error)),
            (None, Some(result)) => result.map(|done| done.reply),
            (None, None) => Err(StoreError::Unavailable("a panic undid this write; see the log".to_owned())),
        };
        // Whoever asked may have gone; what was committed stays.
        let _ = self.caller.send(reply);
    }
}

pub(super) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        conn: Connection,
        later: Option<Later>,
        clock: Clock,
        changes: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                run(&conn, later.as_ref(), &waiting, &clock, &changes);
                // While the file is open.
                drop(later);
            })
            .map_err(no_thread)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// `work` may run more than once; what all but its last run did is undone.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Tx<'_>) -> Result<Done<T>, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, reply) = oneshot::channel();
        let job = Box::new(Verb { work, result: None, caller });
        self.jobs.as_ref().ok_or_else(closed)?.send(job).map_err(|_| closed())?;
        reply.await.map_err(|_| closed())?
    }
}

impl Drop for Writer {
    /// Waits for what is queued, so that a store that is gone no longer writes.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

fn run(
    conn: &Connection,
    later: Option<&Later>,
    waiting: &Receiver<Box<dyn Job>>,
    clock: &Clock,
    changes: &watch::Sender<u64>,
) {
    let mut seen = None;
    let mut next_look = Instant::now();
    loop {
        let mut wakes = false;
        match waiting.recv_timeout(next_look.saturating_duration_since(Instant::now())) {
            Ok(first) => {
                let group = std::iter::once(first).chain(waiting.try_iter()).take(MAX_GROUP).collect();
                wakes = run_group(conn, group, clock);
                if let Some(later) = later {
                    later.committed();
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= next_look {
            next_look = Instant::now() + LOOK;
            // Moves with other connections' commits only, and no other one of this process writes.
            match conn.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)) {
                Ok(version) => wakes |= seen.replace(version).is_some_and(|before| before != version),
                Err(error) => tracing::warn!(%error, "can't see whether another process has written"),
            }
        }
        if wakes {
            changes.send_modify(|count| *count += 1);
        }
    }
}

/// Says whether to wake those who watch.
fn run_group(conn: &Connection, mut group: Vec<Box<dyn Job>>, clock: &Clock) -> bool {
    let outcome = try_group(conn, &mut group, clock);
    if outcome.is_err()
        && !conn.is_autocommit()
        && let Err(error) = step(conn, "ROLLBACK")
    {
        tracing::error!(%error, "a failed group of writes can't be rolled back");
    }
    let wakes = outcome.is_ok() && group.iter().any(|job| job.wakes());
    for job in group {
        job.answer(outcome.as_ref().err());
    }
    wakes
}

fn try_group(conn: &Connection, group: &mut [Box<dyn Job>], clock: &Clock) -> Result<(), StoreError> {
    step(conn, "BEGIN IMMEDIATE")?;
    if !run_together(conn, group, clock)? {
        step(conn, "ROLLBACK")?;
        step(conn, "BEGIN IMMEDIATE")?;
        run_apart(conn, group, clock)?;
    }
    step(conn, "COMMIT")
}

/// `false`: one that has changed something has to be undone, and all the others with it. Hardly any has, and a savepoint
/// for each costs a copy of every page it changes, a third of the writer's time.
fn run_together(conn: &Connection, group: &mut [Box<dyn Job>], clock: &Clock) -> Result<bool, StoreError> {
    for job in group {
        let before = conn.total_changes();
        if !run_job(conn, job.as_mut(), clock)? && conn.total_changes() != before {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Undoes only those that have to be.
fn run_apart(conn: &Connection, group: &mut [Box<dyn Job>], clock: &Clock) -> Result<(), StoreError> {
    for job in group {
        step(conn, "SAVEPOINT verb")?;
        if !run_job(conn, job.as_mut(), clock)? {
            step(conn, "ROLLBACK TO verb")?;
        }
        step(conn, "RELEASE verb")?;
    }
    Ok(())
}

fn run_job(conn: &Connection, job: &mut dyn Job, clock: &Clock) -> Result<bool, StoreError> {
    let tx = Tx { conn, now: clock.now() };
    let keep = catch_unwind(AssertUnwindSafe(|| job.run(&tx))).unwrap_or(false);
    if conn.is_autocommit() {
        // SQLite itself rolled everything back, as it does on a full disk.
        return Err(StoreError::Unavailable(
            "SQLite undid a whole group of writes; is the disk full?".to_owned(),
        ));
    }
    Ok(keep)
}

fn step(conn: &Connection, sql: &'static str) -> Result<(), StoreError> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}
