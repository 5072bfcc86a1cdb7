//! A model's server that answers by script: OpenAI's chat completions, and every way to get them wrong.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::patience;

/// Where a stream's message ends within a line. It is not said itself.
pub(crate) const CUT: char = '\u{1f}';

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Streams this text, or sends it whole where no stream was asked for.
    Says(String),
    /// As the inner reply, once the gate is opened.
    Held(CancellationToken, Box<Reply>),
    /// The first half of a stream, then the connection closes.
    Half(String),
    /// The first half of a stream, then nothing more.
    HalfHeld(String),
    /// Status, further header lines, body.
    Sends(u16, &'static str, String),
    /// Closes the connection without a byte.
    Closes,
    /// Takes the request and stays silent.
    Silent,
}

impl Reply {
    pub(crate) fn says(text: &str) -> Self {
        Self::Says(text.to_owned())
    }
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) body: Value,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) traceparent: Option<String>,
    /// The whole reply was handed to the connection.
    pub(crate) answered: bool,
}

/// Stops with its last handle.
pub(crate) struct FakeModel {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    script: Mutex<VecDeque<Reply>>,
    asked: watch::Sender<Vec<Asked>>,
}

impl FakeModel {
    pub(crate) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let script = Mutex::new(script.into_iter().collect());
        let shared = Arc::new(Shared { script, asked: watch::channel(Vec::new()).0 });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn add(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.script.lock().expect("no test panics in here").extend(replies);
    }

    /// Drops replies that nobody has asked for.
    pub(crate) fn forget(&self) {
        self.shared.script.lock().expect("no test panics in here").clear();
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.borrow().clone()
    }

    /// Waits until so many requests have come in, answered or not.
    pub(crate) async fn until_asked(&self, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        let what = format!("{count} requests to the model");
        patience(&what, asked.wait_for(|asked| asked.len() >= count)).await.expect("the server runs");
    }

    /// Panics if a request that was answered was made once more.
    pub(crate) fn assert_nothing_answered_was_asked_again(&self) {
        let asked = self.asked();
        for (at, first) in asked.iter().enumerate().filter(|(_, first)| first.answered) {
            assert!(first.idempotency_key.is_some(), "every request can be told from others: {first:#?}");
            let same =
                |later: &Asked| later.body == first.body || later.idempotency_key == first.idempotency_key;
            let again = asked[at + 1..].iter().any(same);
            assert!(!again, "request {at} was answered, and made again: {:#?}", first.body);
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // A client that goes away ends its connection only.
        connections.spawn(connection(stream, Arc::clone(&shared)));
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let (head, body) = request(&mut stream).await?;
    // Somebody looks whether there is a server: no call of the model.
    if head.starts_with("GET ") {
        return send(&mut stream, 404, "", "{}").await;
    }
    let header = |name: &str| {
        let line = head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
        line.map(|(_, value)| value.to_owned())
    };
    let whole = body["stream"] != json!(true);
    let asked = Asked {
        body,
        idempotency_key: header("idempotency-key"),
        authorization: header("authorization"),
        traceparent: header("traceparent"),
        answered: false,
    };
    let mut index = 0;
    let next = shared.script.lock().expect("no test panics in here").pop_front();
    shared.asked.send_modify(|all| {
        index = all.len();
        all.push(asked);
    });
    let reply = next.unwrap_or_else(|| {
        let body = json!({ "error": { "message": "the test's script has no further answer", "type": "invalid_request_error" } });
        Reply::Sends(400, "", body.to_string())
    });
    perform(&mut stream, reply, whole).await?;
    stream.shutdown().await.ok()?;
    shared.asked.send_modify(|all| all[index].answered = true);
    Some(())
}

async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let length = head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    });
    let Some(length) = length else { return Some((head, Value::Null)) };
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, serde_json::from_slice(&bytes[end + 4..]).ok()?))
}

/// `None` where the reply was not the whole of an answer.
async fn perform(stream: &mut TcpStream, mut reply: Reply, whole: bool) -> Option<()> {
    while let Reply::Held(gate, inner) = reply {
        gate.cancelled().await;
        reply = *inner;
    }
    match reply {
        Reply::Says(text) if whole => {
            let body = json!({
                "id": "c", "object": "chat.completion", "model": "fake",
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
                "usage": usage(),
            });
            send(stream, 200, "", &body.to_string()).await
        }
        Reply::Says(text) => {
            open_stream(stream).await?;
            for piece in pieces(&text) {
                chunk(stream, &piece).await?;
            }
            stream.write_all(b"0\r\n\r\n").await.ok()
        }
        Reply::Half(text) => {
            half(stream, &text).await?;
            None
        }
        Reply::HalfHeld(text) => {
            half(stream, &text).await?;
            std::future::pending().await
        }
        Reply::Sends(status, headers, body) => send(stream, status, headers, &body).await,
        Reply::Closes => None,
        Reply::Silent => std::future::pending().await,
        Reply::Held(..) => unreachable!("unwrapped above"),
    }
}

async fn half(stream: &mut TcpStream, text: &str) -> Option<()> {
    open_stream(stream).await?;
    let pieces = pieces(text);
    for piece in &pieces[..pieces.len() / 2] {
        chunk(stream, piece).await?;
    }
    stream.flush().await.ok()
}

async fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> Option<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()
}

async fn open_stream(stream: &mut TcpStream) -> Option<()> {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    stream.write_all(HEAD.as_bytes()).await.ok()
}

async fn chunk(stream: &mut TcpStream, text: &str) -> Option<()> {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await.ok()
}

fn usage() -> Value {
    json!({ "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120 })
}

/// The messages of a stream that says this text, a line (or less, see [`CUT`]) at a time.
fn pieces(text: &str) -> Vec<String> {
    let message = |choices: Value, usage: Value| {
        let body = json!({ "id": "c", "object": "chat.completion.chunk", "model": "fake", "choices": choices, "usage": usage });
        format!("data: {body}\n\n")
    };
    let delta =
        |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
    let lines = text.split_inclusive('\n').flat_map(|line| line.split(CUT));
    let mut pieces: Vec<String> =
        lines.map(|line| message(delta(json!({ "content": line }), Value::Null), Value::Null)).collect();
    pieces.push(message(delta(json!({}), json!("stop")), Value::Null));
    pieces.push(message(json!([]), usage()));
    pieces.push("data: [DONE]\n\n".to_owned());
    pieces
}
