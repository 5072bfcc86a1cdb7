//! Finding tasks, counting them, and deleting one.

use redis::Value;
use serde::Deserialize;

use super::Inner;
use super::error::odd;
use super::reads::ids;
use super::record::{self, from_json, to_json};
use super::script;
use super::verbs::Reply;
use crate::store::{Count, Deleted, Filter, MOST_COUNTED, Page, Past, Pasts, StoreError, control, filter};
use crate::task::{EventId, Millis, Outcome, Spend, State, Task, TaskId};

/// Records looked at together where a filter may refuse many.
const BATCH: usize = 200;

/// Records one page looks at, and one count: they have to be brought here and read.
const PAGE_LOOKS: usize = 4_000;
const COUNT_LOOKS: usize = 20_000;

/// Records whose state one call looks at: about a millisecond, in which the server does nothing else.
const STATE_LOOKS: usize = 1_000;

/// Of a task that has ended, what [`Past`] needs beside its times: pipeline, model, whether it is green, tokens
/// in and out, cost.
type Brief = (String, Option<String>, bool, u64, u64, Option<u64>);

/// Likewise, of a stored spec and a stored progress, where a host that knew no briefs has ended it.
#[derive(Deserialize)]
struct PastSpec {
    pipeline: PastPipeline,
}

#[derive(Deserialize)]
struct PastPipeline {
    name: String,
    model: Option<String>,
}

#[derive(Deserialize)]
struct PastProgress {
    spend: Spend,
    outcome: Option<Outcome>,
}

/// Where the tasks of a filter are looked for.
struct Among {
    /// Without what the store's key names begin with.
    index: String,
    /// Those that wait or run, newest first, where the filter wants only them and they are few.
    living: Option<Vec<TaskId>>,
    /// The state that those of the index must have, where the filter wants one and `living` doesn't say it.
    state: Option<State>,
    /// The filter refuses none of them.
    sure: bool,
}

/// A look at some of them, newest first.
struct Found {
    ids: Vec<TaskId>,
    looked_at: usize,
    /// The last one looked at, where there may be more.
    next: Option<TaskId>,
}

impl Inner {
    async fn among(&self, filter: &Filter) -> Result<Among, StoreError> {
        let index = match &filter.pipeline {
            _ if filter.dead => "dead".to_owned(),
            Some(pipeline) => format!("pipeline:{pipeline}"),
            None => "ids".to_owned(),
        };
        let living = match filter.state {
            Some(state @ (State::Queued | State::Running)) if !filter.dead => self.living(state).await?,
            _ => None,
        };
        let state = filter.state.filter(|_| living.is_none());
        let lists = [filter.dead, filter.pipeline.is_some(), living.is_some()];
        let one = lists.into_iter().filter(|asked| *asked).count() <= 1;
        let sure = one && !Filter { dead: false, ..filter.clone() }.is_fine();
        Ok(Among { index, living, state, sure })
    }

    pub(super) async fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        let (size, sieve) = (control::page_size(filter.limit), filter.sieve());
        let among = self.among(filter).await?;
        let mut below = filter.below().cloned();
        let (mut page, mut looked_at) = (Page::default(), 0);
        loop {
            let wanted = if among.sure { size + 1 - page.tasks.len() } else { BATCH };
            let found = self.next_of(&among, filter.floor.as_ref(), below.as_ref(), wanted).await?;
            for record in self.records(&found.ids).await?.into_iter().flatten() {
                if !sieve.admits(&record.task) {
                    continue;
                }
                if page.tasks.len() == size {
                    page.next = page.tasks.last().map(|task| task.id.clone());
                    return Ok(page);
                }
                page.tasks.push(record.task);
            }
            looked_at += found.looked_at;
            if found.next.is_none() || looked_at >= PAGE_LOOKS {
                page.next = found.next;
                return Ok(page);
            }
            below = found.next;
        }
    }

    pub(super) async fn count(&self, filter: &Filter) -> Result<Count, StoreError> {
        let of = |found: u64| Count { count: found.min(MOST_COUNTED), exact: found <= MOST_COUNTED };
        let (above, ceiling) = (filter.floor.as_ref(), filter.ceiling.as_ref());
        let of_state = !filter.is_fine() && filter.pipeline.is_none() && above.is_none() && ceiling.is_none();
        if let Some(state) = filter.state.filter(|_| of_state) {
            let stats = self.stats().await?;
            return Ok(of(match state {
                State::Queued => stats.queued,
                State::Running => stats.running,
                State::Ended => stats.ended,
            }));
        }
        let among = self.among(filter).await?;
        if among.sure && filter.state.is_none() {
            let (low, high) = (edge(above, "-"), edge(ceiling, "+"));
            let mut read = redis::cmd("ZLEXCOUNT");
            read.arg(self.key(&among.index)).arg(low).arg(high);
            let found = self.link.send(&read).await?;
            return Ok(of(redis::from_redis_value(found).map_err(redis::RedisError::from)?));
        }
        let all = Filter { cursor: None, ..filter.clone() };
        let (sieve, mut below) = (all.sieve(), ceiling.cloned());
        let (mut count, mut looked_at) = (0, 0);
        while looked_at < COUNT_LOOKS {
            let found = self.next_of(&among, above, below.as_ref(), BATCH).await?;
            count += if among.sure {
                found.ids.len() as u64
            } else {
                let records = self.records(&found.ids).await?;
                records.iter().flatten().filter(|record| sieve.admits(&record.task)).count() as u64
            };
            if found.next.is_none() {
                return Ok(Count { count, exact: true });
            }
            looked_at += found.looked_at;
            below = found.next;
        }
        Ok(Count { count, exact: false })
    }

    async fn next_of(
        &self,
        among: &Among,
        above: Option<&TaskId>,
        below: Option<&TaskId>,
        wanted: usize,
    ) -> Result<Found, StoreError> {
        if let Some(state) = among.state {
            let (high, low) = (edge(below, "+"), edge(above, "-"));
            let call = self.on(&script::OF_STATE).arg(&among.index).arg(high).arg(low);
            let call = call.arg(record::state_name(state)).arg(wanted).arg(STATE_LOOKS);
            let reply = self.link.call(&call).await?;
            let (looked_at, next, found): (usize, Option<String>, Value) =
                redis::from_redis_value(reply).map_err(redis::RedisError::from)?;
            let next = next.map(|id| record::id(&id)).transpose()?;
            return Ok(Found { ids: ids(found)?, looked_at, next });
        }
        let ids = match &among.living {
            None => self.ids_between(&self.key(&among.index), above, below, wanted).await?,
            Some(living) => {
                let within = |id: &&TaskId| {
                    above.is_none_or(|above| *id > above) && below.is_none_or(|below| *id < below)
                };
                living.iter().filter(within).take(wanted).cloned().collect()
            }
        };
        let next = ids.last().filter(|_| ids.len() == wanted).cloned();
        Ok(Found { looked_at: ids.len(), ids, next })
    }

    /// Newest first.
    async fn ids_between(
        &self,
        index: &str,
        above: Option<&TaskId>,
        below: Option<&TaskId>,
        count: usize,
    ) -> Result<Vec<TaskId>, StoreError> {
        let mut read = redis::cmd("ZRANGE");
        read.arg(index)
            .arg(edge(below, "+"))
            .arg(edge(above, "-"))
            .arg("BYLEX")
            .arg("REV")
            .arg("LIMIT")
            .arg(0)
            .arg(count);
        ids(self.link.send(&read).await?)
    }

    /// Looks at no more than [`COUNT_LOOKS`], whatever `most` is.
    pub(super) async fn past(&self, since: Millis, most: usize) -> Result<Pasts, StoreError> {
        let most = most.min(COUNT_LOOKS);
        let mut read = redis::cmd("ZRANGE");
        read.arg(self.key("ended")).arg("+inf").arg(since).arg("BYSCORE").arg("REV");
        read.arg("LIMIT").arg(0).arg(most + 1);
        let mut ids = ids(self.link.send(&read).await?)?;
        let mut pasts = Pasts { truncated: ids.len() > most, ..Pasts::default() };
        ids.truncate(most);
        for ids in ids.chunks(BATCH) {
            let briefs = self.fields(ids, &["end", "start", "past"]).await?;
            let told: Vec<Option<Past>> = briefs.into_iter().map(told).collect();
            let without = ids.iter().zip(&told).filter(|(_, told)| told.is_none());
            let without: Vec<TaskId> = without.map(|(id, _)| id.clone()).collect();
            let parts = self.fields(&without, &["end", "start", "spec", "progress"]).await?;
            let mut read = without.iter().zip(parts).map(|(id, reply)| {
                past(id, reply).unwrap_or_else(|what| {
                    tracing::warn!(task = %id, %what, "a task is not counted");
                    None
                })
            });
            pasts.tasks.extend(told.into_iter().filter_map(|told| told.or_else(|| read.next().flatten())));
        }
        Ok(pasts)
    }

    pub(super) async fn heads(&self, tasks: &[TaskId]) -> Result<Vec<Option<EventId>>, StoreError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let mut reads = redis::pipe();
        for id in tasks {
            reads.cmd("HEXISTS").arg(self.task_key(id)).arg("sub");
            reads.cmd("LLEN").arg(self.key(&format!("events:{id}")));
        }
        let replies = Value::Array(self.link.all(&reads).await?);
        let replies: Vec<u64> = redis::from_redis_value(replies).map_err(redis::RedisError::from)?;
        // The list begins with the second event.
        Ok(replies.chunks(2).map(|pair| (pair[0] == 1).then_some(pair[1] + 1)).collect())
    }

    /// Sent once: a repetition would say of what it had deleted that there is no such task.
    pub(super) async fn delete(&self, id: &TaskId) -> Result<Deleted, StoreError> {
        let call = self.on(&script::DELETE).arg(id.as_str());
        let reply = Reply::read(self.link.call_once(&call).await?)?;
        self.replicated(&call).await?;
        match reply.word.as_str() {
            "ok" => Ok(Deleted::Gone),
            "living" => Ok(Deleted::NotEnded),
            "none" => Err(StoreError::NotFound(id.clone())),
            _ => Err(reply.unknown()),
        }
    }
}

/// Of a range of ids, without the id itself.
fn edge(id: Option<&TaskId>, none: &str) -> String {
    id.map_or_else(|| none.to_owned(), |id| format!("({id}"))
}

/// What [`told`] reads.
pub(super) fn brief(task: &Task) -> Result<String, StoreError> {
    let (pipeline, spend) = (&task.spec.pipeline, &task.spend);
    let green = task.outcome.as_ref().is_some_and(Outcome::is_green);
    let (input, output) = (spend.input_tokens, spend.output_tokens);
    let brief: Brief =
        (pipeline.name.clone(), pipeline.model.clone(), green, input, output, filter::cost(spend));
    to_json(&task.id, &brief)
}

/// `None`: its record says more, if it has ended. A brief is of one end: a host that knew none may have put
/// the task back and ended it again.
fn told(reply: Value) -> Option<Past> {
    let [Some(end), start, Some(past)]: [Option<String>; 3] = redis::from_redis_value(reply).ok()? else {
        return None;
    };
    let brief = past.strip_prefix(&end)?.strip_prefix(' ')?;
    let (pipeline, model, green, input_tokens, output_tokens, cost_micros): Brief =
        serde_json::from_str(brief).ok()?;
    let started_at = start.map(|start| start.parse()).transpose().ok()?;
    let ended_at = end.parse().ok()?;
    Some(Past { ended_at, started_at, pipeline, model, green, input_tokens, output_tokens, cost_micros })
}

/// `None`: it is gone by now, or waits again.
fn past(id: &TaskId, reply: Value) -> Result<Option<Past>, StoreError> {
    let fields: Vec<Option<String>> = redis::from_redis_value(reply).map_err(redis::RedisError::from)?;
    let [Some(end), start, Some(spec), Some(progress)] = &fields[..] else { return Ok(None) };
    let time = |text: &String| text.parse().map_err(|_| odd(&format!("task {id} has the time {text:?}")));
    let PastSpec { pipeline } = from_json(id, spec)?;
    let PastProgress { spend, outcome } = from_json(id, progress)?;
    let Some(outcome) = outcome else { return Ok(None) };
    Ok(Some(Past {
        ended_at: time(end)?,
        started_at: start.as_ref().map(time).transpose()?,
        pipeline: pipeline.name,
        model: pipeline.model,
        green: outcome.is_green(),
        input_tokens: spend.input_tokens,
        output_tokens: spend.output_tokens,
        cost_micros: filter::cost(&spend),
    }))
}
