//! A server of git repositories: git's own, behind HTTP, and every way to get it wrong.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

/// Stops when dropped.
pub(crate) struct GitServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    repositories: PathBuf,
    asked: Mutex<Vec<String>>,
    changed: Notify,
}

impl GitServer {
    /// Serves the repositories of this folder, and besides: `…/moved` leads to `/team/shop`, `…/private`
    /// wants a password, `…/silent` never answers.
    pub(crate) async fn start(repositories: &Path) -> Self {
        let shared =
            Shared { repositories: repositories.to_owned(), asked: Mutex::default(), changed: Notify::new() };
        let shared = Arc::new(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, shared, _serving: AbortOnDropHandle::new(serving) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Until it was asked for that many paths.
    pub(crate) async fn until_asked(&self, times: usize) {
        loop {
            let changed = self.shared.changed.notified();
            if self.shared.asked.lock().expect("nobody panics with it").len() >= times {
                return;
            }
            changed.await;
        }
    }

    /// The paths it was asked for, since it was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.asked.lock().expect("nobody panics with it"))
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    shared.asked.lock().expect("nobody panics with it").push(path.clone());
    shared.changed.notify_one();
    let with = |status: StatusCode, name: header::HeaderName, value: &str| {
        let response = Response::builder().status(status).header(name, value);
        response.body(Body::empty()).expect("it is well formed")
    };
    if let Some((_, rest)) = path.split_once("/moved/") {
        let query = request.uri().query().unwrap_or_default();
        return with(StatusCode::FOUND, header::LOCATION, &format!("/team/shop/{rest}?{query}"));
    }
    if path.contains("/private/") {
        return with(StatusCode::UNAUTHORIZED, header::WWW_AUTHENTICATE, "Basic realm=\"git\"");
    }
    if path.contains("/silent/") {
        std::future::pending::<()>().await;
    }
    serve(&shared.repositories, request).await
}

/// What a web server does with `git http-backend`, a CGI program.
async fn serve(repositories: &Path, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let said = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a request of git is small");
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROTOCOL", said("git-protocol"))
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", said("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", said("content-encoding"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // It tells of what was refused.
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = backend.spawn().expect("git is there");
    let mut stdin = child.stdin.take().expect("piped");
    let write = async move { stdin.write_all(&body).await };
    let (written, output) = tokio::join!(write, child.wait_with_output());
    written.expect("it reads");
    let output = output.expect("it ends").stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").expect("headers end");
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end]).expect("text").lines() {
        let (name, value) = line.split_once(": ").expect("a header");
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().expect("a number")),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(output[end + 4..].to_vec())).expect("it is well formed")
}
