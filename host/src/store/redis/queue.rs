//! The queues and the workers: what is paused, put back, and who is there.

use super::Inner;
use super::error::odd;
use super::record::{self, progress, roots, to_json};
use super::script;
use crate::store::{Requeued, StoreError, WorkerInfo};
use crate::task::{EventBody, Outcome, State, Task, TaskId};

impl Inner {
    pub(super) async fn requeue(&self, id: &TaskId, why: &str) -> Result<Requeued, StoreError> {
        let event = to_json(id, &EventBody::requeued(why.to_owned()))?;
        loop {
            let record = self.record(id).await?.ok_or_else(|| StoreError::NotFound(id.clone()))?;
            if record.control.state != State::Ended {
                return Ok(Requeued::NotEnded);
            }
            if record.task.outcome.as_ref().is_some_and(Outcome::is_green) {
                return Ok(Requeued::Green);
            }
            let task = Task { outcome: None, postponed: None, ..record.task };
            let call = self
                .on(&script::REOPEN)
                .arg(id.as_str())
                .arg(&record.rev)
                .arg(progress(&task)?)
                .arg(roots(&task))
                .arg(&event)
                .arg(record::deadline(&task.spec));
            let reply = self.change(call).await?;
            match reply.word.as_str() {
                "ok" => return Ok(Requeued::Queued),
                "changed" => {}
                _ => return Err(reply.unknown()),
            }
        }
    }

    pub(super) async fn pause(&self, queue: &str, paused: bool) -> Result<(), StoreError> {
        self.change(self.on(&script::PAUSE).arg(queue).arg(u8::from(paused))).await.map(|_| ())
    }

    pub(super) async fn check_in(&self, worker: &WorkerInfo) -> Result<(), StoreError> {
        let info = serde_json::to_string(worker)
            .map_err(|error| odd(&format!("worker {} can't be written: {error}", worker.name)))?;
        self.link.call(&self.on(&script::CHECK_IN).arg(&worker.name).arg(info)).await?;
        Ok(())
    }

    pub(super) async fn check_out(&self, worker: &str) -> Result<(), StoreError> {
        self.link.call(&self.on(&script::CHECK_OUT).arg(worker)).await?;
        Ok(())
    }
}
