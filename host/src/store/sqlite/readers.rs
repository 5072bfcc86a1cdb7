//! A few threads that read, each on a connection of its own, so that no reader waits for the writer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::error::{closed, no_thread};
use super::file::open_reader;
use crate::store::StoreError;

/// Enough that one long check leaves room for the page.
const THREADS: usize = 3;

type Job = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Readers {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for _ in 0..THREADS {
            let (conn, waiting) = (open_reader(path)?, waiting.clone());
            let thread = std::thread::Builder::new()
                .name("store-reader".to_owned())
                .spawn(move || run(&conn, &waiting))
                .map_err(no_thread)?;
            threads.push(thread);
        }
        Ok(Self { jobs: Some(jobs), threads })
    }

    /// Reads one state of the store, whatever is written meanwhile.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, reply) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            let result = Transaction::new_unchecked(conn, TransactionBehavior::Deferred)
                .map_err(StoreError::from)
                .and_then(|tx| work(&tx));
            // Whoever asked may have gone.
            let _ = caller.send(result);
        });
        self.jobs.as_ref().ok_or_else(closed)?.send(job).map_err(|_| closed())?;
        reply.await.map_err(|_| StoreError::Unavailable("a panic ended this read; see the log".to_owned()))?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader of the store had panicked");
            }
        }
    }
}

fn run(conn: &Connection, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(|| job(conn))).is_err() {
            tracing::error!("a read of the store panicked");
        }
    }
}
