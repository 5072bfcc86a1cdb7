//! Submitting: one task, or many in one go.

use super::Inner;
use super::record::{self, from_json, to_json};
use super::script::{self, Call};
use super::verbs::Reply;
use crate::store::{NewTask, StoreError, Submitted, control};
use crate::task::Spec;

/// Sent in one go: the server answers others between any two of them, and what it says fits its buffers.
const TOGETHER: usize = 250;

/// Goals may be long: what is sent in one go stays below this, in bytes.
const BYTES_TOGETHER: usize = 8 << 20;

impl Inner {
    pub(super) async fn submit(&self, new: NewTask) -> Result<Submitted, StoreError> {
        let reply = self.change(self.submission(&new)?.0).await?;
        submitted(new, reply)
    }

    /// Falls back to one by one where a whole batch fails: only then is it known what each has come to. A task that
    /// the batch had stored all the same counts as its repetition. A store that does not answer one of them is not
    /// asked for those after it: each would wait for its own timeout.
    pub(super) async fn submit_many(&self, all: Vec<NewTask>) -> Vec<Result<Submitted, StoreError>> {
        let mut replies = Vec::with_capacity(all.len());
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for new in all {
            match self.submission(&new) {
                Ok((call, size)) => {
                    if batch.len() >= TOGETHER || bytes + size > BYTES_TOGETHER {
                        self.submit_batch(std::mem::take(&mut batch), &mut replies).await;
                        bytes = 0;
                    }
                    bytes += size;
                    batch.push((new, call));
                }
                Err(error) => {
                    self.submit_batch(std::mem::take(&mut batch), &mut replies).await;
                    replies.push(Err(error));
                    bytes = 0;
                }
            }
        }
        self.submit_batch(batch, &mut replies).await;
        replies
    }

    async fn submit_batch(
        &self,
        batch: Vec<(NewTask, Call)>,
        replies: &mut Vec<Result<Submitted, StoreError>>,
    ) {
        let (all, calls): (Vec<NewTask>, Vec<Call>) = batch.into_iter().unzip();
        let Some(last) = calls.last() else { return };
        if let Some(error) = unavailable(replies) {
            replies.extend(all.iter().map(|_| Err(StoreError::Unavailable(error.clone()))));
            return;
        }
        let sent = match self.link.call_all(&calls).await {
            Ok(values) => self.replicated(last).await.map(|()| values),
            Err(error) => Err(error.into()),
        };
        match sent {
            Ok(values) => {
                let each = all.into_iter().zip(values);
                replies.extend(each.map(|(new, value)| submitted(new, Reply::read(value)?)));
            }
            Err(error) => {
                tracing::debug!(%error, "tasks that were sent in one go are sent one by one");
                for new in all {
                    let reply = match unavailable(replies) {
                        Some(error) => Err(StoreError::Unavailable(error)),
                        None => self.submit(new).await,
                    };
                    replies.push(reply);
                }
            }
        }
    }

    /// The call, and about how many bytes it has.
    fn submission(&self, new: &NewTask) -> Result<(Call, usize), StoreError> {
        let (key, body) = match &new.idempotency {
            Some(asked) => (asked.key.as_str(), asked.body.as_str()),
            None => ("", ""),
        };
        let spec = to_json(&new.id, &new.spec)?;
        let bytes = spec.len() + 1000;
        let call = self
            .on(&script::SUBMIT)
            .arg(new.id.as_str())
            .arg(spec)
            .arg(&new.spec.pipeline.name)
            .arg(new.spec.tree.as_str())
            .arg(key)
            .arg(body)
            .arg(control::KEY_MILLIS)
            .arg(record::lane(&new.place))
            .arg(new.place.not_before.map(|at| at.to_string()).unwrap_or_default())
            .arg(new.max_waiting.map(|most| most.to_string()).unwrap_or_default())
            .arg(record::deadline(&new.spec));
        Ok((call, bytes))
    }
}

/// Why the last of these had no answer from the store.
fn unavailable(replies: &[Result<Submitted, StoreError>]) -> Option<String> {
    match replies.last() {
        Some(Err(StoreError::Unavailable(error))) => Some(error.clone()),
        _ => None,
    }
}

fn submitted(new: NewTask, mut reply: Reply) -> Result<Submitted, StoreError> {
    match reply.word.as_str() {
        "ok" => Ok(Submitted { id: new.id, created: true }),
        "full" => {
            Err(StoreError::Full { queue: new.place.queue, limit: new.max_waiting.unwrap_or_default() })
        }
        "known" => Ok(Submitted { id: record::id(&reply.text()?)?, created: false }),
        "reused" => Err(StoreError::KeyReused { first: record::id(&reply.text()?)? }),
        "there" => match from_json::<Spec>(&new.id, &reply.text()?)? == new.spec {
            true => Ok(Submitted { id: new.id, created: false }),
            false => Err(control::id_taken(&new.id)),
        },
        _ => Err(reply.unknown()),
    }
}
