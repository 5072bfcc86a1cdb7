//! What the rules work on.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::Subject;
use crate::store::{Claim, ClaimRequest, Idempotency, JournalEntry, LEASE, Lease, NewTask, StoreError};
use crate::task::{
    Budget, Digest, Event, EventBody, Level, Next, Outcome, Pipeline, PluginRef, Postponed, Reason, Report,
    Round, RoundKind, Spec, Task, TaskId, Verdict,
};
use crate::workspace::{Blob, Limits, Tree, TreePath};

/// Ids in the order of their numbers.
pub(super) fn id(number: u64) -> TaskId {
    TaskId::parse(&format!("{number:026}")).expect("digits are fine")
}

pub(in crate::store) fn spec(goal: &str) -> Spec {
    let plugin = |name: &str| PluginRef { name: name.to_owned(), settings: BTreeMap::new() };
    Spec {
        goal: goal.to_owned(),
        tree: Digest::of(b"no such snapshot"),
        tests: vec!["test_it.py".to_owned()],
        pipeline: Pipeline {
            name: "default".to_owned(),
            builder: plugin("builder"),
            checker: plugin("check-python"),
            fixer: Some(plugin("fixer")),
            model: Some("small".to_owned()),
            protected: vec!["test_*".to_owned()],
            candidates: 1,
            max_rounds: 4,
            temperatures: vec![0.0, 0.7],
        },
        budget: Budget::default(),
        parent: None,
        trace: None,
        changes: Default::default(),
    }
}

pub(super) fn new_task(number: u64) -> NewTask {
    NewTask::new(id(number), spec(&format!("goal {number}")))
}

pub(super) fn keyed(number: u64, key: &str, body: &[u8]) -> NewTask {
    let idempotency = Some(Idempotency { key: key.to_owned(), body: Digest::of(body) });
    NewTask { idempotency, ..new_task(number) }
}

pub(super) fn request(worker: &str, nonce: u64) -> ClaimRequest {
    ClaimRequest::new(worker, nonce, LEASE)
}

pub(super) fn log(message: &str) -> EventBody {
    EventBody::Log { level: Level::Info, source: "builder".to_owned(), message: message.to_owned() }
}

pub(super) fn entry(index: u32, answer: &str) -> JournalEntry {
    JournalEntry {
        index,
        kind: "model".to_owned(),
        asked: Digest::of(format!("request {index}").as_bytes()),
        request: format!("{{\"n\":{index}}}"),
        answer: answer.to_owned(),
    }
}

pub(super) fn report() -> Report {
    Report {
        verdict: Verdict::Failed,
        counts: Default::default(),
        problems: Vec::new(),
        output: "no".to_owned(),
    }
}

pub(super) fn round(number: u32, tree: &Digest) -> Round {
    Round {
        number,
        kind: RoundKind::Build,
        temperature: Some(0.7),
        base: Digest::of(b"no such snapshot"),
        tree: Some(tree.clone()),
        summary: format!("round {number}"),
        failure: None,
        report: Some(report()),
        steps: Vec::new(),
    }
}

pub(super) fn green(tree: &Digest) -> Outcome {
    Outcome { reason: Reason::Green, tree: tree.clone(), report: None }
}

/// The task after one more round, as its worker would commit it.
pub(super) fn advanced(task: &Task, tree: &Digest) -> Task {
    let mut task = task.clone();
    task.rounds.push(round(task.rounds.len() as u32 + 1, tree));
    task.best = Some(task.rounds.len() - 1);
    task.step += 1;
    task.next = Next::Check;
    task.spend.rounds += 1;
    task.spend.input_tokens += 100;
    task
}

/// The task as a worker gives it back for later.
pub(super) fn waiting(task: &Task, times: u32) -> Task {
    let postponed = Some(Postponed { times, why: "away".to_owned(), until: 0 });
    Task { postponed, ..task.clone() }
}

pub(super) fn ended(task: &Task) -> Task {
    Task { outcome: Some(green(&task.spec.tree)), ..task.clone() }
}

pub(super) fn is_stale<T: std::fmt::Debug>(reply: &Result<T, StoreError>, lease: &Lease) -> bool {
    matches!(reply, Err(StoreError::StaleFence { task, fence }) if *task == lease.task && *fence == lease.fence)
}

impl Subject {
    pub(super) async fn submit(&self, number: u64) -> TaskId {
        self.store.submit(new_task(number)).await.expect("submits").id
    }

    /// Submits and claims, by worker `w` with the task's number as nonce.
    pub(super) async fn running(&self, number: u64) -> Claim {
        self.submit(number).await;
        self.claim("w", number).await.expect("a task waits")
    }

    pub(super) async fn claim(&self, worker: &str, nonce: u64) -> Option<Claim> {
        self.store.claim(&request(worker, nonce)).await.expect("claims")
    }

    pub(super) async fn finished(&self, number: u64) -> Claim {
        let claim = self.running(number).await;
        self.store.finish(&claim.lease, &ended(&claim.task), Vec::new()).await.expect("finishes");
        claim
    }

    pub(super) async fn get(&self, id: &TaskId) -> Task {
        self.store.get(id).await.expect("reads").expect("is there")
    }

    pub(super) async fn events(&self, id: &TaskId) -> Vec<Event> {
        self.store.events(id, 0, usize::MAX).await.expect("reads")
    }

    pub(super) async fn bodies(&self, id: &TaskId) -> Vec<EventBody> {
        self.events(id).await.into_iter().map(|event| event.body).collect()
    }

    /// Lets every lease run out, and reaps.
    pub(super) async fn lose(&self) -> Vec<TaskId> {
        self.clock.advance(LEASE);
        self.store.reap().await.expect("reaps")
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Stores a snapshot with one file; returns its digest and the file's.
    pub(super) async fn snapshot(&self, text: &str) -> (Digest, Digest) {
        let (tree, file) = tree(text);
        let manifest = Bytes::from(tree.manifest().to_bytes());
        let file = self.store.put_blob(file).await.expect("stores");
        (self.store.put_blob(manifest).await.expect("stores"), file)
    }
}

/// A tree of one file, and that file's bytes.
pub(super) fn tree(text: &str) -> (Tree, Bytes) {
    let (mut tree, file) = (Tree::new(Limits::default()), Bytes::copy_from_slice(text.as_bytes()));
    tree.put(TreePath::parse("a.py").expect("a path"), Blob::new(file.clone()), None).expect("fits");
    (tree, file)
}
