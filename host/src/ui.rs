//! The web page, embedded: its files by their paths, and `index.html` for every path of the page's own.
//!
//! Invariant: nothing here reads a task; what the page shows it asks the API for.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// What `frontend/build.sh` has left: each file, and its gzipped form (`….gz`) where that is smaller.
#[derive(RustEmbed)]
#[folder = "../frontend/dist/"]
#[include = "page/*"]
struct Page;

/// Model output, file names and logs reach the page as text; should one of them get past that, this
/// keeps it from doing anything. Styles are inline in the libraries that measure what they show.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>aiagent-host</title>\
    <p>This binary was built without its web page. <code>make build</code> builds both. \
    The API is described at <a href=/api/openapi.json>/api/openapi.json</a>.\n";

pub fn is_built() -> bool {
    Page::get("page/index.html").is_some()
}

/// Answers what no route of the API does. `None`: this is not the page's to answer.
pub fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    if !matches!(*method, Method::GET | Method::HEAD) || path.starts_with("/api") {
        return None;
    }
    let name = path.trim_start_matches('/');
    if !name.is_empty() && name != "index.html" && Page::get(&format!("page/{name}")).is_some() {
        // Their names change with their content, but for those at the top.
        let cached =
            if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        return Some(file(name, headers, cached));
    }
    // A missing file must not look like a page to whoever asks for an image or a script.
    let wants_page = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    if name.starts_with("assets/") || !(wants_page || name.is_empty()) {
        return None;
    }
    if !is_built() {
        let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        return Some((StatusCode::OK, html, NOT_BUILT).into_response());
    }
    Some(file("index.html", headers, "no-cache"))
}

fn file(name: &str, headers: &HeaderMap, cached: &'static str) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes_gzip = accepted.is_some_and(|accepted| accepted.contains("gzip"));
    let (plain, packed) = (Page::get(&format!("page/{name}")), Page::get(&format!("page/{name}.gz")));
    let mut response = match (plain, packed) {
        (_, Some(packed)) if takes_gzip => {
            ([(header::CONTENT_ENCODING, "gzip")], packed.data.into_owned()).into_response()
        }
        (Some(plain), _) => Cow::into_owned(plain.data).into_response(),
        (None, _) => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// What every answer of a host tells a browser.
pub async fn protect(request: Request, next: Next) -> Response {
    let is_answer = request.uri().path().starts_with("/api/v1/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if is_answer {
        // Tasks are nobody else's who uses the same browser later.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
