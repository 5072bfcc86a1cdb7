//! A vendor on a free local port that answers from a script, one entry per request.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What the vendor saw.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) struct Vendor {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: AbortHandle,
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Response<Body>>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn answer(State(script): State<Script>, uri: Uri, headers: HeaderMap, body: String) -> Response<Body> {
    script.seen.lock().expect("no panic").push(Seen { path: uri.to_string(), headers, body });
    let next = script.answers.lock().expect("no panic").pop_front();
    next.unwrap_or_else(|| status(418, "the script has ended"))
}

impl Vendor {
    pub(super) async fn of(answers: impl IntoIterator<Item = Response<Body>>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let script = Script { answers, seen: Arc::default() };
        let seen = Arc::clone(&script.seen);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(answer).with_state(script);
        let serving = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Self { address, seen, serving }
    }

    /// Answers each connection with these bytes, whatever was asked, and closes it.
    pub(super) async fn raw(bytes: &'static [u8]) -> Self {
        Self::by_hand(bytes, b"").await
    }

    /// Answers each connection with these bytes, and with that piece as long as the client takes it.
    pub(super) async fn flooding(bytes: &'static [u8], piece: &'static [u8]) -> Self {
        Self::by_hand(bytes, piece).await
    }

    async fn by_hand(bytes: &'static [u8], piece: &'static [u8]) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let log = Arc::clone(&seen);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let pieces = piece.repeat((16 << 10) / piece.len().max(1));
        let serving = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = Vec::new();
                // The last line of every request in these tests.
                while !request.ends_with(b"User hello\n") {
                    if socket.read_buf(&mut request).await.expect("a request") == 0 {
                        break;
                    }
                }
                let body = String::from_utf8_lossy(&request).into_owned();
                log.lock().expect("no panic").push(Seen {
                    path: String::new(),
                    headers: HeaderMap::new(),
                    body,
                });
                // A client that has had enough closes.
                let mut taken = socket.write_all(bytes).await;
                while taken.is_ok() && !pieces.is_empty() {
                    taken = socket.write_all(&pieces).await;
                }
            }
        });
        Self { address, seen, serving: serving.abort_handle() }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

pub(super) fn status(code: u16, body: &'static str) -> Response<Body> {
    Response::builder()
        .status(code)
        .header("content-type", "text/plain")
        .body(Body::from(body))
        .expect("an answer")
}

pub(super) fn with(mut response: Response<Body>, name: &'static str, value: &'static str) -> Response<Body> {
    response.headers_mut().append(name, value.parse().expect("a value"));
    response
}

pub(super) fn ok(body: &'static str) -> Response<Body> {
    status(200, body)
}

fn pieces(parts: &'static [&'static str]) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter(parts).map(|part| Ok(Bytes::from_static(part.as_bytes())))
}

/// Each part in a chunk of its own.
pub(super) fn streamed(parts: &'static [&'static str]) -> Response<Body> {
    Response::new(Body::from_stream(pieces(parts)))
}

/// The parts, then nothing more, for ever.
pub(super) fn hanging(parts: &'static [&'static str]) -> Response<Body> {
    Response::new(Body::from_stream(pieces(parts).chain(stream::pending())))
}

/// One line every few milliseconds, for ever.
pub(super) fn dripping() -> Response<Body> {
    let drops =
        stream::unfold(tokio::time::interval(std::time::Duration::from_millis(5)), |mut clock| async {
            clock.tick().await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"text drip\n")), clock))
        });
    Response::new(Body::from_stream(drops))
}

/// Bytes without end, as fast as they are taken.
pub(super) fn endless() -> Response<Body> {
    let flood = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 16384])));
    Response::new(Body::from_stream(flood))
}
