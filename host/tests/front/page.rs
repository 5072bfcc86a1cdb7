//! The page, the cookie that serves it in place of the token, and the description its types come from.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_host::{Setup, TestHost, json, text};

#[tokio::test]
async fn every_path_of_the_page_is_the_page_and_none_of_the_apis() {
    let host = Setup::new().start().await;
    let built = aiagent_host::ui::is_built();
    for path in ["/", "/submit", "/tasks/01J9Z3NDEKTSV4RRFFQ69G5FAV"] {
        let answer = host.get(path).header("accept", "text/html,*/*;q=0.8").send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().expect("text");
        assert!(
            policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let html = answer.text().await.expect("whole");
        assert_eq!(html.contains("<div id=\"root\">"), built, "{html}");
        // The policy allows no script in the page itself.
        assert!(!html.contains("<script>"), "{html}");
    }
    for path in ["/api/v1/nothing", "/assets/nothing.js", "/nothing.png"] {
        let (status, problem) = json(host.get(path)).await;
        assert_eq!((status.as_u16(), &problem["title"]), (404, &json!("Not Found")), "{path}");
    }
    let (status, _) = json(host.post("/submit")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_script_is_sent_gzipped_and_for_ever() {
    if !aiagent_host::ui::is_built() {
        return;
    }
    let host = Setup::new().start().await;
    let (_, html) = text(host.get("/")).await;
    let script = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js"));
    let script = script.expect("a script");
    let plain = host.get(script).send().await.expect("an answer");
    assert_eq!(plain.headers().get("content-encoding"), None);
    let packed = host.get(script).header("accept-encoding", "gzip, br").send().await.expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(packed.headers()["cache-control"], "public, max-age=31536000, immutable");
    let (plain, packed) = (plain.bytes().await.expect("whole"), packed.bytes().await.expect("whole"));
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(&packed[..]);
    std::io::Read::read_to_end(&mut reader, &mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain);
}

async fn log_in(host: &TestHost, token: &str) -> reqwest::Response {
    let body = json!({ "token": token });
    host.request(Method::POST, "/api/v1/session").json(&body).send().await.expect("an answer")
}

#[tokio::test]
async fn a_browser_exchanges_the_token_for_a_cookie() {
    let mut host = Setup::new().set("token", "secret-canary").start().await;
    host.token = None;
    let stranger = json!({ "needed": true, "open": false, "name": null, "role": null, "may_change_plugins": false,
                        "sign_in": null });
    assert_eq!(json(host.get("/api/v1/session")).await.1, stranger);
    assert_eq!(log_in(&host, "wrong").await.status(), 401);

    let answer = log_in(&host, "secret-canary").await;
    assert_eq!(answer.status(), 204);
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("canary"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a value");

    let (status, session) = json(host.get("/api/v1/session").header("cookie", cookie)).await;
    let known = json!({ "needed": true, "open": true, "name": "token", "role": "administrator",
                        "may_change_plugins": false,
                        "sign_in": null });
    assert_eq!((status.as_u16(), session), (200, known));
    let (status, _) = json(host.get("/api/v1/tasks").header("cookie", cookie)).await;
    assert_eq!(status, 200);
    let forged = format!("{}0", cookie.replace('.', "0."));
    assert_eq!(json(host.get("/api/v1/tasks").header("cookie", forged)).await.0, 401);
    let gone = host.request(Method::DELETE, "/api/v1/session").send().await.expect("an answer");
    assert!(gone.headers()["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
}

#[tokio::test]
async fn whoever_guesses_tokens_has_to_wait() {
    let mut host = Setup::new().set("token", "secret-canary").start().await;
    host.token = None;
    let mut statuses = Vec::new();
    for _ in 0..22 {
        statuses.push(log_in(&host, "wrong").await.status().as_u16());
    }
    assert_eq!((statuses[19], statuses[20], statuses[21]), (401, 429, 429), "{statuses:?}");
}

/// `docs/openapi.json` is what clients are made from, the page's own types among them.
#[test]
fn the_description_is_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed = std::fs::read_to_string(&path).expect("docs/openapi.json");
    let committed: Value = serde_json::from_str(&committed).expect("JSON");
    let ours = serde_json::to_value(aiagent_host::api::openapi()).expect("JSON");
    if committed != ours {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
        let text = serde_json::to_string_pretty(&ours).expect("JSON") + "\n";
        std::fs::write(&new, text).expect("the folder is writable");
        panic!(
            "docs/openapi.json is not what the host describes itself as; to mend it:\n  \
             cp {} docs/openapi.json && npm --prefix frontend run types",
            new.display()
        );
    }
}
