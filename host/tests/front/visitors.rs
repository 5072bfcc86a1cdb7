//! What a browser, a proxy, another site's page and whoever guesses may do.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::access::{NO_TASK, log_in, token};
use crate::test_host::{Setup, json, text};

#[tokio::test]
async fn a_sessions_cookie_is_the_browsers_and_the_pages_only() {
    let setup = Setup::new();
    let sue = token(&setup, "sue", "submitter").await;
    let host = setup.start().await;
    let answer = log_in(&host, &sue).await;
    let set = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(
        set.contains("; HttpOnly; SameSite=Lax") && !set.contains("Secure") && !set.contains(&sue),
        "{set}"
    );
    let cookie = set.split(';').next().expect("a value");
    let cancel = format!("{NO_TASK}/cancel");
    let ours = host.url.clone();
    for (header, value, status) in [
        ("origin", ours.as_str(), 404),
        ("origin", "https://evil.example", 403),
        ("sec-fetch-site", "same-origin", 404),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
    ] {
        let asked = host.post(&cancel).header("cookie", cookie).header(header, value);
        assert_eq!(json(asked).await.0, status, "{header}: {value}");
        let reads = host.get("/api/v1/tasks").header("cookie", cookie).header(header, value);
        assert_eq!(json(reads).await.0, 200);
        let out = host.request(Method::DELETE, "/api/v1/session").header(header, value);
        let out = out.send().await.expect("an answer").status();
        assert_eq!(out, if status == 404 { 204 } else { 403 }, "{header}: {value}");
    }
    // Whoever sends both has meant the token.
    let both = host.get("/api/v1/tasks").header("cookie", cookie).bearer_auth("wrong");
    assert_eq!(json(both).await.0, 401);
}

#[tokio::test]
async fn only_a_trusted_proxy_speaks_for_others() {
    let setup = Setup::new().set("token", "secret-canary");
    let mut host = setup.start().await;
    host.token = None;
    let from = |address: &str, token: &str| {
        host.post("/api/v1/session")
            .header("x-forwarded-for", address)
            .header("x-forwarded-proto", "https")
            .json(&json!({ "token": token }))
    };
    let secure = async |request: RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        answer.headers()["set-cookie"].to_str().expect("text").contains("; Secure")
    };
    assert!(secure(from("198.51.100.1", "secret-canary")).await);
    // One guesses; another may still come in.
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(from("198.51.100.7", "wrong").send().await.expect("an answer").status().as_u16());
    }
    assert_eq!((statuses[19], statuses[20]), (401, 429), "{statuses:?}");
    let waits = from("198.51.100.7", "secret-canary").send().await.expect("an answer");
    assert_eq!(waits.status(), 429);
    let seconds: u64 = waits.headers()["retry-after"].to_str().expect("text").parse().expect("a number");
    assert!((1..=61).contains(&seconds), "{seconds}");
    assert!(secure(from("198.51.100.8", "secret-canary")).await);
    let audit = json(host.get("/api/v1/audit?limit=500").bearer_auth("secret-canary")).await.1;
    assert_eq!(audit["entries"][0]["address"], "198.51.100.8");
    assert_eq!(audit["entries"][1]["address"], "198.51.100.7");

    let alone = Setup::new().set("token", "secret-canary").set("api.trusted_proxies", Vec::<String>::new());
    let mut host = alone.start().await;
    host.token = None;
    let request = host
        .post("/api/v1/session")
        .header("x-forwarded-for", "198.51.100.1")
        .header("x-forwarded-proto", "https")
        .json(&json!({ "token": "secret-canary" }));
    assert!(!secure(request).await);
    let audit = json(host.get("/api/v1/audit").bearer_auth("secret-canary")).await.1;
    assert_eq!(audit["entries"][0]["address"], "127.0.0.1");
}

/// Guesses in the header of requests cost as much as those of log-ins, and keep nobody else out.
#[tokio::test]
async fn whoever_guesses_in_the_header_has_to_wait() {
    let mut host = Setup::new().set("token", "secret-canary").start().await;
    host.token = None;
    let tries = |address: &str, token: &str| {
        host.get("/api/v1/tasks").header("x-forwarded-for", address).bearer_auth(token)
    };
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(text(tries("198.51.100.7", "wrong")).await.0.as_u16());
    }
    assert_eq!((statuses[19], statuses[20]), (401, 429), "{statuses:?}");
    assert_eq!(text(tries("198.51.100.7", "secret-canary")).await.0, 429);
    assert_eq!(text(tries("198.51.100.8", "secret-canary")).await.0, 200);
}

#[tokio::test]
async fn other_sites_scripts_are_let_in_by_name_only() {
    let named = "https://tools.example";
    for token in ["", "secret-canary"] {
        let setup = Setup::new().set("api.cors_origins", vec![named.to_owned()]);
        let host = if token.is_empty() { setup } else { setup.set("token", token) }.start().await;
        for (origin, let_in) in
            [(named, true), ("https://tools.example.evil.example", false), ("null", false)]
        {
            let asks = host
                .request(Method::OPTIONS, "/api/v1/tasks")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type");
            let answer = asks.send().await.expect("an answer");
            assert_eq!(answer.status() == 204, let_in, "{origin}: {}", answer.status());
            let gets = host.get("/api/v1/tasks").header("origin", origin).send().await.expect("an answer");
            for headers in [answer.headers(), gets.headers()] {
                let allowed =
                    headers.get("access-control-allow-origin").map(|origin| origin.to_str().expect("text"));
                assert_eq!(allowed, let_in.then_some(origin), "{origin}");
                assert_eq!(headers.get("access-control-allow-credentials"), None);
                assert!(headers["vary"].to_str().expect("text").contains("origin"));
            }
            // Without a token the page of a stranger gets nothing at all.
            assert_eq!(gets.status() == 200, let_in || !token.is_empty(), "{origin}: {}", gets.status());
        }
    }
    let host = Setup::new().set("token", "secret-canary").start().await;
    let gets = host.get("/api/v1/tasks").header("origin", named).send().await.expect("an answer");
    assert_eq!((gets.status().as_u16(), gets.headers().get("access-control-allow-origin")), (200, None));
}
