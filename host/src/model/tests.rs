//! The door against a local vendor, with a wire format of the tests' own.

mod line_wire;
mod vendor;
mod answers;
mod egress;
mod failures;
mod recordings;

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use super::{
    Answered, Completing, Door, DoorEvent, KeySource, Message, Mode, ModelConfig, ModelError, Request, Role,
};
use line_wire::LineWire;
use vendor::Vendor;

/// Searched for in everything that leaves the door.
const CANARY: &str = "sk-canary-0123456789abcdef";

/// A door to one vendor, and what a call through it is made of.
struct Bench {
    config: ModelConfig,
    wire: LineWire,
    mode: Mode,
    /// Holds the key's file.
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(vendor: &Vendor) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        std::fs::write(&key, format!("{CANARY}\n")).expect("written");
        let mut config = ModelConfig::new("m", "line", "vendor-m");
        config.base_url = Some(format!("http://{}/v1", vendor.address));
        config.key = KeySource::File(key);
        config.allow = vec!["loopback".parse().expect("an entry")];
        config.retry_wait = Duration::from_millis(1);
        Self { config, wire: LineWire::default(), mode: Mode::Live, _folder: folder }
    }

    fn door(&self) -> Door {
        Door::new(vec![self.config.clone()], self.mode.clone()).expect("a door")
    }

    async fn ask(&self) -> (Result<Answered, ModelError>, Vec<DoorEvent>) {
        self.ask_at(&self.door(), request("hello")).await
    }

    /// No answer, no event and no error holds the key.
    async fn ask_at(&self, door: &Door, request: Request) -> (Result<Answered, ModelError>, Vec<DoorEvent>) {
        let mut events = Vec::new();
        let mut collect = |event| events.push(event);
        // Boxed as `Send`, which a worker's own task needs.
        let call: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(door.complete(Completing {
            model: "m",
            request,
            wire: &self.wire,
            idempotency_key: "task-1/3",
            trace: None,
            tokens_left: None,
            cost_left: None,
            events: &mut collect,
        }));
        let result = call.await;
        assert!(
            !format!("{result:?} {events:?} {:?}", self.config).contains("canary"),
            "{result:?} {events:?}"
        );
        (result, events)
    }

    async fn error(&self) -> ModelError {
        self.ask().await.0.expect_err("an error")
    }
}

fn request(content: &str) -> Request {
    let messages = vec![Message { role: Role::User, content: content.into() }];
    Request { messages, temperature: None, max_tokens: None, stop: Vec::new(), seed: None }
}

fn recording(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("a.jsonl")
}
