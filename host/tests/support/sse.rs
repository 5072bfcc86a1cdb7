//! An event stream as a client sees it.

use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::patience;

pub(crate) struct Events {
    response: Response,
    buffer: Vec<u8>,
}

/// One message: its fields as they came over the wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let response = patience("an event stream", request.send()).await.expect("the host answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: Vec::new() }
    }

    /// `None` once the host has closed the stream.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(message) = parse(&String::from_utf8(block).expect("UTF-8")) {
                    return Some(message);
                }
            }
            let chunk = patience("an event", self.response.chunk()).await;
            self.buffer.extend_from_slice(&chunk.ok().flatten()?);
        }
    }

    /// All messages up to the first of this kind, which is the last.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Message> {
        let mut seen: Vec<Message> = Vec::new();
        while seen.last().is_none_or(|last| last.kind != kind) {
            match self.next().await {
                Some(message) => seen.push(message),
                None => panic!("the stream ended before {kind}: {seen:#?}"),
            }
        }
        seen
    }

    /// All messages of a task that ends; the stream must end with it.
    pub(crate) async fn all(mut self) -> Vec<Message> {
        let seen = self.until("ended").await;
        assert_eq!(self.next().await, None, "a task's end is its last event");
        seen
    }
}

/// `None` for a comment, which keeps the connection alive.
fn parse(block: &str) -> Option<Message> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).expect("an event is JSON");
    Some(Message { id: field("id")?.parse().expect("a number"), kind: field("event")?.to_owned(), data })
}
