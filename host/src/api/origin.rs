//! Who may use a host that asks for no token: programs of this machine, but not the web pages that its
//! user happens to look at.
//!
//! A page of any site can make its reader's browser send a form to `127.0.0.1`, and a name that its
//! owner lets point there (DNS rebinding) even lets it read the answer.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Api, Problem, cors};

/// Where a token is asked for this lets everything through: no browser sends one by itself.
pub(super) async fn refuse_strangers(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.access.is_needed() || cors::welcome(&api, request.headers()).is_some() {
        return next.run(request).await;
    }
    match stranger(request.headers()) {
        None => next.run(request).await,
        Some(detail) => Problem::new(StatusCode::FORBIDDEN, detail).into_response(),
    }
}

/// Why a request is not one of this machine's own.
fn stranger(headers: &HeaderMap) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(&header::HOST);
    if let Some(host) = host.filter(|host| !is_number_or_local(host)) {
        return Some(format!(
            "this host asks for no token, so it is only reached by an IP address or as localhost, not as \
             {host:?}; to use that name, set AIAGENT_TOKEN"
        ));
    }
    let origin = text(&header::ORIGIN)?;
    let site = origin.split_once("://").map_or(origin, |(_, site)| site);
    if is_loopback(site) || Some(site) == host {
        return None;
    }
    Some(format!(
        "pages of {origin:?} may not use this host, since it asks for no token; set AIAGENT_TOKEN and send it"
    ))
}

fn name(authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok()?;
    Some(authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase())
}

fn is_local_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Nobody else can make these names point here.
fn is_number_or_local(authority: &str) -> bool {
    name(authority).is_some_and(|name| is_local_name(&name) || name.parse::<IpAddr>().is_ok())
}

/// A page that a server of this machine has sent, on whatever port.
fn is_loopback(authority: &str) -> bool {
    name(authority).is_some_and(|name| {
        is_local_name(&name) || name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_no_stranger() {
        let ours = "127.0.0.1:8080";
        for (host, origin, welcome) in [
            (ours, None, true),
            ("localhost:8080", None, true),
            ("[::1]:8080", None, true),
            ("host.localhost", None, true),
            (ours, Some("http://127.0.0.1:8080"), true),
            (ours, Some("http://localhost:5173"), true),
            ("localhost:8080", Some("http://[::1]:8080"), true),
            ("10.0.0.7:8080", Some("http://10.0.0.7:8080"), true),
            ("evil.example:8080", None, false),
            ("evil.example:8080", Some("http://evil.example:8080"), false),
            ("localhost.evil.example", None, false),
            ("", None, false),
            (ours, Some("https://evil.example"), false),
            (ours, Some("http://127.0.0.1.evil.example"), false),
            (ours, Some("http://localhost@evil.example"), false),
            (ours, Some("http://10.0.0.7"), false),
            (ours, Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a value"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().expect("a value"));
            }
            let said = stranger(&headers);
            assert_eq!(said.is_none(), welcome, "{host:?} {origin:?}: {said:?}");
        }
    }
}
