//! The reply to each verb in turn is lost, once: whoever asks again hears what it would have heard, and nothing is
//! done twice.

use std::time::Duration;

use aiagent_host::store::{
    Claim, ClaimRequest, Filter, Idempotency, JournalEntry, NewTask, Page, RedisConfig, RedisStore, Store,
    StoreError, WorkerInfo,
};
use aiagent_host::task::{Digest, Event, EventBody, Level, Outcome, Reason, Task, TaskId};
use bytes::Bytes;

use crate::dice::Dice;
use crate::line::BadLine;
use crate::redis_server::RedisServer;
use crate::{insist, plain};

/// None runs out.
const LEASE: Duration = Duration::from_secs(600);

/// One life of a store, verb after verb.
struct Life<'a> {
    line: &'a BadLine,
    /// The verb whose reply is lost.
    lost: Option<usize>,
    /// What each was told.
    told: Vec<String>,
}

impl Life<'_> {
    async fn ask<T, F: Future<Output = Result<T, StoreError>>>(
        &mut self,
        verb: &str,
        call: impl Fn() -> F,
        say: impl FnOnce(&T) -> String,
    ) -> T {
        if self.lost == Some(self.told.len()) {
            self.line.swallow_next();
        }
        let reply = insist(call).await.unwrap_or_else(|error| panic!("{verb}: {error}"));
        self.told.push(format!("{verb}: {}", say(&reply)));
        reply
    }
}

async fn live(store: &dyn Store, line: &BadLine, lost: Option<usize>) -> Vec<String> {
    let mut life = Life { line, lost, told: Vec::new() };
    let done = |(): &()| "done".to_owned();
    let line =
        || EventBody::Log { level: Level::Info, source: "chaos".to_owned(), message: "a line".to_owned() };
    let tree = Bytes::from_static(b"{\"files\":{}}");
    let tree = life.ask("put_blob", || store.put_blob(tree.clone()), Digest::to_string).await;
    let blob = |found: &Option<Bytes>| format!("{found:?}");
    life.ask("get_blob", || store.get_blob(&tree), blob).await;
    let ids = [TaskId::fresh(), TaskId::fresh(), TaskId::fresh()];
    let key = Idempotency { key: "a key".to_owned(), body: Digest::of(b"body") };
    for id in &ids {
        let new = || NewTask::new(id.clone(), plain::spec("a goal", tree.clone()));
        let send = || match id == &ids[0] {
            true => store.submit(NewTask { idempotency: Some(key.clone()), ..new() }),
            false => store.submit(new()),
        };
        life.ask("submit", send, |submitted| (submitted.id == *id).to_string()).await;
    }
    let worker = worker();
    life.ask("check_in", || store.check_in(&worker), done).await;
    life.ask("workers", || store.workers(), |workers| workers.len().to_string()).await;

    // One goes to its end.
    let requests = [1, 2, 3, 4, 5].map(|nonce| ClaimRequest::new("w", nonce, LEASE));
    let is = |id: &TaskId| {
        let id = id.clone();
        move |claim: &Option<Claim>| claim.as_ref().is_some_and(|claim| claim.lease.task == id).to_string()
    };
    let held = life.ask("claim", || store.claim(&requests[0]), is(&ids[0])).await.expect("one waits");
    let lease = &held.lease;
    life.ask("heartbeat", || store.heartbeat(lease), |beat| format!("{beat:?}")).await;
    for index in 0..2 {
        let entry = JournalEntry {
            index,
            kind: "model".to_owned(),
            asked: Digest::of(b"asked"),
            request: "{}".to_owned(),
            answer: "{}".to_owned(),
        };
        life.ask("append", || store.append(lease, 0, entry.clone()), done).await;
    }
    life.ask("journal", || store.journal(&ids[0], 0), |journal| journal.len().to_string()).await;
    life.ask("emit", || store.emit(lease, vec![line()]), |_| "done".to_owned()).await;
    let next = Task { step: 1, ..held.task.clone() };
    life.ask("commit", || store.commit(lease, &next, vec![line()]), done).await;
    let outcome = Outcome { reason: Reason::Green, tree: tree.clone(), report: None };
    let ended = Task { outcome: Some(outcome), ..next };
    life.ask("finish", || store.finish(lease, &ended, vec![line()]), done).await;

    // One is handed back, cancelled while it runs, and cancelled again.
    let held = life.ask("claim", || store.claim(&requests[1]), is(&ids[1])).await.expect("one waits");
    life.ask("release", || store.release(&held.lease, "a test"), done).await;
    let held = life.ask("claim", || store.claim(&requests[2]), is(&ids[1])).await.expect("one waits");
    // A repetition is told that it was asked for already, which is the same.
    life.ask("cancel", || store.cancel(&ids[1]), |cancelled| format!("{cancelled:?}")).await;
    life.ask("cancels", || store.cancels(), |cancels| cancels.len().to_string()).await;
    life.ask("release", || store.release(&held.lease, "a test"), done).await;
    life.ask("requeue", || store.requeue(&ids[1], "a test"), |_| "done".to_owned()).await;

    // One is cancelled while it waits, and deleted.
    life.ask("pause", || store.pause("default", true), done).await;
    life.ask("queues", || store.queues(), |queues| format!("{queues:?}")).await;
    life.ask("pause", || store.pause("default", false), done).await;
    life.ask("cancel", || store.cancel(&ids[2]), |_| "done".to_owned()).await;
    let delete = async || match store.delete(&ids[2]).await {
        // Whoever did not hear that it was deleted finds none.
        Ok(_) | Err(StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    };
    life.ask("delete", delete, done).await;
    life.ask("get", || store.get(&ids[2]), |task| task.is_some().to_string()).await;

    // Two come together. One that shall be cancelled is postponed, and so ends; another one waits.
    let more = [TaskId::fresh(), TaskId::fresh()];
    let many = async || {
        let new = |id: &TaskId| NewTask::new(id.clone(), plain::spec("a goal", tree.clone()));
        let replies = store.submit_many(more.iter().map(new).collect()).await;
        replies.into_iter().collect::<Result<Vec<_>, _>>()
    };
    life.ask("submit_many", many, |all| all.iter().map(|one| &one.id).eq(&more).to_string()).await;
    let held = life.ask("claim", || store.claim(&requests[3]), is(&ids[1])).await.expect("one waits");
    life.ask("cancel", || store.cancel(&ids[1]), |cancelled| format!("{cancelled:?}")).await;
    let postpone = || store.postpone(&held.lease, &held.task, vec![line()], LEASE, "a test");
    life.ask("postpone", postpone, done).await;
    let held = life.ask("claim", || store.claim(&requests[4]), is(&more[0])).await.expect("one waits");
    let postpone = || store.postpone(&held.lease, &held.task, vec![line()], LEASE, "a test");
    life.ask("postpone", postpone, done).await;

    life.ask("expire", || store.expire(), |expired| expired.len().to_string()).await;
    life.ask("reap", || store.reap(), |reaped| reaped.len().to_string()).await;
    life.ask("gc", || store.gc(LEASE), |_| "done".to_owned()).await;
    let all = Filter::default();
    let listed = |page: &Page| page.tasks.len().to_string();
    life.ask("list", || store.list(&all), listed).await;
    life.ask("count", || store.count(&all), |count| format!("{count:?}")).await;
    life.ask("past", || store.past(0, 10), |past| past.tasks.len().to_string()).await;
    life.ask("heads", || store.heads(&ids[1..]), |heads| format!("{heads:?}")).await;
    life.ask("stats", || store.stats(), |stats| format!("{} {}", stats.queued, stats.ended)).await;
    life.ask("check_out", || store.check_out("w"), done).await;
    for id in ids[..2].iter().chain(&more) {
        let kinds = |events: &Vec<Event>| {
            let mut kinds: Vec<String> = events.iter().map(|event| kind(&event.body)).collect();
            // What was emitted may be there twice.
            kinds.dedup();
            kinds.join(" ")
        };
        life.ask("events", || store.events(id, 0, 100), kinds).await;
        life.ask("record", || store.get(id), |task| record(task.as_ref())).await;
    }
    life.ask("fsck", || store.fsck(), |found| found.join("; ")).await;
    life.told
}

fn kind(body: &EventBody) -> String {
    let body = format!("{body:?}");
    body.split([' ', '{']).next().unwrap_or_default().to_owned()
}

fn record(task: Option<&Task>) -> String {
    let task = task.expect("it is there");
    format!("{:?} {:?} {} {}", task.state, task.outcome, task.step, task.crashes)
}

fn worker() -> WorkerInfo {
    WorkerInfo {
        name: "w".to_owned(),
        host: "here".to_owned(),
        pid: 1,
        version: "1".to_owned(),
        running: 0,
        capacity: 1,
        draining: false,
        started_at: 0,
        seen_at: 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_changes_nothing_whichever_verbs_it_was() {
    let server = RedisServer::start("");
    let line = BadLine::start(server.port, Dice::new(1)).await;
    let open = async |number: usize| {
        // What is lost is missed after a while.
        let (timeout, prefix) = (Duration::from_secs(1), format!("life{number}"));
        let url = format!("redis://127.0.0.1:{}", line.port);
        RedisStore::open(RedisConfig { timeout, prefix, ..RedisConfig::new(url) }).await.expect("opens")
    };
    let undisturbed = live(&open(0).await, &line, None).await;
    for lost in 0..undisturbed.len() {
        let told = live(&open(lost + 1).await, &line, Some(lost)).await;
        assert_eq!(told, undisturbed, "the reply was lost to {}", undisturbed[lost]);
    }
    let losses = line.swallowed();
    assert!(losses >= undisturbed.len() as u64, "{losses} of {} replies were lost", undisturbed.len());
}
