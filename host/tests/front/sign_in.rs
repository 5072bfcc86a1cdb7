//! Signing in with another service: a real provider of OpenID Connect on loopback.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::oidc::{Browser, PUBLIC, Provider, SECRET};
use crate::test_host::{Setup, json};

async fn problem(answer: Response) -> (StatusCode, String) {
    let status = answer.status();
    let problem: Value = answer.json().await.expect("JSON");
    (status, problem["detail"].as_str().expect("text").to_owned())
}

#[tokio::test]
async fn people_sign_in_with_the_provider_and_may_what_it_says() {
    let provider = Provider::start().await;
    let setup = provider.setup();
    let host = setup.start().await;
    let stranger = json(host.get("/api/v1/session")).await.1;
    let link = json!({ "name": "the company", "url": "/api/v1/session/sign-in" });
    assert_eq!(
        (&stranger["needed"], &stranger["open"], &stranger["sign_in"]),
        (&json!(true), &json!(false), &link)
    );
    assert_eq!(json(host.get("/api/v1/tasks")).await.0, 401);

    for (person, name, role, pauses) in
        [("17", "ann (17)", "administrator", 200), ("18", "token (18)", "viewer", 403)]
    {
        let mut browser = Browser::new(&host, Some(person));
        let back = browser.until_back().await;
        let answer = browser.get(&back).await;
        let to = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
        let status = answer.status();
        assert_eq!((status.as_u16(), to.as_deref()), (303, Some("/")), "{:?}", answer.text().await);
        let cookie = browser.session().expect("a session");
        let session = json(host.get("/api/v1/session").header("cookie", &cookie)).await.1;
        assert_eq!(
            (&session["open"], &session["name"], &session["role"]),
            (&json!(true), &json!(name), &json!(role))
        );
        let pause = host.request(Method::POST, "/api/v1/queues/default/pause").header("cookie", &cookie);
        assert_eq!(json(pause).await.0, pauses);
        // A code is good for once, and so is what the browser had to bring back.
        let again = problem(browser.get(&back).await).await;
        assert_eq!(
            again,
            (StatusCode::BAD_REQUEST, "this browser has begun no log-in; begin again".to_owned())
        );
    }

    // Whoever the provider knows, but this host does not.
    let mut eve = Browser::new(&host, Some("19"));
    let back = eve.until_back().await;
    let (status, detail) = problem(eve.get(&back).await).await;
    let wanted = "eve (19) may do nothing here: no value of the claim roles is one of oidc.roles";
    assert_eq!((status.as_u16(), detail.as_str(), eve.session()), (403, wanted, None));
    let mut nobody = Browser::new(&host, None);
    let back = nobody.until_back().await;
    let (status, detail) = problem(nobody.get(&back).await).await;
    let wanted = "the provider refused it: access_denied: End-User <b>aborted</b> interaction";
    assert_eq!((status.as_u16(), detail.as_str()), (403, wanted));

    // The secret goes to the provider only, and sessions outlive a restart.
    let mut ann = Browser::new(&host, Some("17"));
    let back = ann.until_back().await;
    ann.get(&back).await;
    let cookie = ann.session().expect("a session");
    let audit = json(host.get("/api/v1/audit").header("cookie", &cookie)).await.1;
    let told: Vec<Value> = audit["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["what"] != "paused")
        .map(|entry| json!([entry["who"], entry["role"], entry["what"], entry["subject"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["ann (17)", "administrator", "logged-in", "ann (17)"]),
            json!(["nobody", null, "log-in-refused", ""]),
            json!(["nobody", null, "log-in-refused", "eve (19)"]),
            json!(["token (18)", "viewer", "logged-in", "token (18)"]),
            json!(["ann (17)", "administrator", "logged-in", "ann (17)"]),
        ]
    );
    assert!(!host.log().join("\n").contains(SECRET) && !audit.to_string().contains(SECRET));
    host.kill().await;
    let host = setup.start().await;
    assert_eq!(json(host.get("/api/v1/audit").header("cookie", &cookie)).await.0, 200);
    host.kill().await;
    // Other roles, other sessions.
    let host = setup.set("oidc.roles.staff", "viewer").start().await;
    assert_eq!(json(host.get("/api/v1/audit").header("cookie", &cookie)).await.0, 401);
}

#[tokio::test]
async fn who_logs_out_logs_out_at_the_provider_too() {
    let provider = Provider::start().await;
    let host = provider.setup().start().await;
    let mut ann = Browser::new(&host, Some("17"));
    ann.sign_in().await;
    let cookie = ann.session().expect("a session");
    assert_eq!(json(host.get("/api/v1/tasks").header("cookie", &cookie)).await.0, 200);
    let answer = ann.log_out().await;
    let gone: Vec<_> =
        answer.headers().get_all("set-cookie").iter().map(|it| it.to_str().expect("text")).collect();
    let name = |cookie: &&str| cookie.split('=').next().expect("a name").to_owned();
    assert!(gone.iter().all(|cookie| cookie.contains("=;") && cookie.contains("; Max-Age=0")), "{gone:?}");
    assert_eq!(gone.iter().map(name).collect::<Vec<_>>(), ["aiagent_session", "aiagent_id_token"]);
    assert_eq!(answer.status(), 200);
    let said: Value = answer.json().await.expect("JSON");
    let url = said["url"].as_str().expect("an address");
    let there = format!("{}/session/end?", provider.issuer);
    let back = "post_logout_redirect_uri=https%3A%2F%2Faiagent.example%2F";
    assert!(url.starts_with(&there) && url.contains("client_id=aiagent") && url.contains(back), "{url}");
    assert!(url.contains("id_token_hint=ey"), "{url}");
    assert_eq!(json(host.get("/api/v1/tasks").header("cookie", &cookie)).await.0, 401);

    // There it is still known who this is, until the form is sent.
    ann.who = None;
    ann.cookies.retain(|(place, _), _| place != PUBLIC);
    let mut still = Browser { cookies: ann.cookies.clone(), ..Browser::new(&host, None) };
    still.sign_in().await;
    let answer = ann.get(url).await;
    assert_eq!(answer.status(), 200);
    let answer = ann.confirm(&answer.text().await.expect("whole")).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.expect("whole"));
    assert_eq!(answer.headers()["location"], format!("{PUBLIC}/"));
    let back = ann.until_back().await;
    let (status, detail) = problem(ann.get(&back).await).await;
    assert!(status == 403 && detail.contains("access_denied"), "{status} {detail}");
}

#[tokio::test]
async fn without_a_place_for_it_log_out_is_here_only() {
    let (without, with) = tokio::join!(Provider::with(&[]), Provider::start());
    let (one, other) = (without.setup().start().await, with.setup().set("oidc.log_out", false).start().await);
    for host in [&one, &other] {
        let mut ann = Browser::new(host, Some("17"));
        ann.sign_in().await;
        let cookie = ann.session().expect("a session");
        assert_eq!(ann.log_out().await.status(), 204);
        assert_eq!(json(host.get("/api/v1/tasks").header("cookie", &cookie)).await.0, 401);
    }
    // Whoever came with a token has nothing to log out of elsewhere.
    let mut host = with.setup().set("token", "secret-canary").start().await;
    host.token = None;
    let request = host.post("/api/v1/session").json(&json!({ "token": "secret-canary" }));
    let answer = request.send().await.expect("an answer");
    let cookie =
        answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("it").to_owned();
    let answer = host.request(Method::DELETE, "/api/v1/session").header("cookie", cookie).send().await;
    assert_eq!(answer.expect("an answer").status(), 204);
}

#[tokio::test]
async fn who_logs_out_waits_for_no_provider() {
    let provider = Provider::start().await;
    let setup = provider.setup();
    let host = setup.start().await;
    let (mut ann, mut bob) = (Browser::new(&host, Some("17")), Browser::new(&host, Some("18")));
    ann.sign_in().await;
    bob.sign_in().await;
    // From now on it takes connections, and says nothing.
    let _silent = provider.fall_silent().await;
    // What it said of itself before is good enough.
    assert_eq!(ann.log_out().await.status(), 200);
    let cookies = bob.cookies;
    host.kill().await;
    let host = setup.start().await;
    let bob = Browser { cookies, ..Browser::new(&host, None) };
    let cookie = bob.session().expect("a session");
    assert_eq!(json(host.get("/api/v1/tasks").header("cookie", &cookie)).await.0, 200);
    let begun = Instant::now();
    assert_eq!(bob.log_out().await.status(), 204);
    // Of the ten seconds that the provider has for anything else.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(json(host.get("/api/v1/tasks").header("cookie", &cookie)).await.0, 401);
}

#[tokio::test]
async fn another_browsers_answer_begins_no_session() {
    let provider = Provider::start().await;
    let host = provider.setup().start().await;
    let (mut ann, mut victim) = (Browser::new(&host, Some("17")), Browser::new(&host, Some("18")));
    let (anns, _) = (ann.until_back().await, victim.until_back().await);
    // A link with somebody else's code.
    let (status, detail) = problem(victim.get(&anns).await).await;
    assert_eq!(
        (status.as_u16(), detail.as_str()),
        (400, "this is the answer to another log-in; begin again")
    );
    assert_eq!(victim.session(), None);
    let mut without = Browser::new(&host, None);
    let (status, detail) = problem(without.get(&anns).await).await;
    assert_eq!((status.as_u16(), detail.as_str()), (400, "this browser has begun no log-in; begin again"));
    // The code is right and everything else is too, but it was never this host's.
    let state = anns.split("state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state");
    let forged = format!("{PUBLIC}/api/v1/session/signed-in?code=made-up&state={state}");
    let (status, detail) = problem(ann.get(&forged).await).await;
    assert!(
        status == 403 && detail.starts_with("the provider refused it: invalid_grant"),
        "{status} {detail}"
    );
    let (status, detail) =
        problem(ann.get(&format!("{PUBLIC}/api/v1/session/signed-in?state={state}")).await).await;
    assert_eq!((status.as_u16(), detail.as_str()), (400, "the provider's answer has no code; begin again"));
    assert_eq!(ann.session(), None);
    // To a person it is said as a page, in which it is text.
    let begun = ann.cookies.get(&(PUBLIC.to_owned(), "aiagent_sign_in".to_owned())).expect("it has begun");
    let asked = host
        .get(&format!("/api/v1/session/signed-in?error=x&error_description=%3Cscript%3E&state={state}"))
        .header("cookie", format!("aiagent_sign_in={begun}"))
        .header("accept", "text/html");
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.status(), 403);
    let html = answer.text().await.expect("whole");
    assert!(html.contains("x: &lt;script&gt;") && !html.contains("<script>"), "{html}");
}

#[tokio::test]
async fn strangers_fill_no_audit_log_and_keep_nobody_out() {
    let provider = Provider::start().await;
    let host = provider.setup().set("token", "secret-canary").start().await;
    let long = "x".repeat(10_000);
    let back = async |cookie: &str| {
        let asked = host.get(&format!("/api/v1/session/signed-in?error={long}&state=made-up"));
        asked.header("cookie", cookie).send().await.expect("an answer")
    };
    for _ in 0..25 {
        assert_eq!(back("aiagent_sign_in=made.up").await.status(), 400);
    }
    let audit = json(host.get("/api/v1/audit?limit=200")).await.1;
    assert_eq!(audit["entries"], json!([]));
    // Only who has begun one can fail at it.
    let mut eve = Browser::new(&host, None);
    eve.until_back().await;
    for told in 0..25 {
        let answer = back(&eve.cookies_of_host()).await;
        assert_eq!(answer.status(), if told < 20 { 400 } else { 429 }, "{told}");
        if told >= 20 {
            let wait = answer.headers()["retry-after"].to_str().expect("text").parse::<u64>();
            assert!(wait.as_ref().is_ok_and(|wait| (11..=60).contains(wait)), "{wait:?}");
        }
    }
    // A token still logs in, from the same address.
    let request = host.post("/api/v1/session").json(&json!({ "token": "secret-canary" }));
    assert_eq!(request.send().await.expect("an answer").status(), 204);
    let audit = json(host.get("/api/v1/audit?limit=200")).await.1;
    let entries = audit["entries"].as_array().expect("a list").iter();
    let refused: Vec<&Value> = entries.filter(|entry| entry["what"] != "logged-in").collect();
    assert_eq!(refused.len(), 20);
    assert!(refused.iter().all(|entry| entry["what"] == "log-in-refused" && entry.to_string().len() < 500));
}

#[tokio::test]
async fn a_worker_needs_no_secret_of_the_dashboards() {
    let host = Setup::new()
        .set("role", "worker")
        .set("oidc.issuer", "https://id.example")
        .set("oidc.client_id", "aiagent")
        .set("oidc.client_secret_env", "NOWHERE")
        .set("oidc.public_url", PUBLIC)
        .set("oidc.default_role", "viewer")
        .start()
        .await;
    assert_eq!(host.get("/healthz").send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_else_out() {
    let provider = Provider::start().await;
    let setup = provider.setup().set("token", "secret-canary");
    drop(provider);
    let mut host = setup.start().await;
    assert_eq!(json(host.get("/api/v1/tasks")).await.0, 200);
    host.token = None;
    let (status, problem) = json(host.get("/api/v1/session/sign-in")).await;
    let detail = problem["detail"].as_str().expect("text");
    assert!(
        status == 503 && detail.contains(" can't be asked: ") && detail.contains("onnect"),
        "{status} {detail}"
    );
    let none = Setup::new().start().await;
    for path in ["sign-in", "signed-in?code=a&state=b"] {
        let (status, problem) = json(none.get(&format!("/api/v1/session/{path}"))).await;
        let detail = "nobody signs in with another service here; the operator configures one under [oidc]";
        assert_eq!((status.as_u16(), &problem["detail"]), (404, &json!(detail)));
    }
}

#[tokio::test]
async fn half_a_configuration_is_refused() {
    let whole = || {
        Setup::new()
            .set("oidc.issuer", "https://id.example")
            .set("oidc.client_id", "aiagent")
            .set("oidc.public_url", PUBLIC)
            .set("oidc.default_role", "viewer")
    };
    for (setup, said) in [
        (
            whole().set("oidc.issuer", "http://id.example"),
            "oidc.issuer: \"http://id.example\" must begin with https://",
        ),
        (whole().set("oidc.public_url", ""), "oidc.public_url: \"\" must begin with https://"),
        (whole().set("oidc.client_id", ""), "oidc.client_id: must be set"),
        (whole().set("oidc.client_secret_env", "s3cr%t"), "oidc.client_secret_env: is no variable's name"),
        (whole().set("oidc.default_role", "owner"), "unknown variant `owner`"),
        (
            whole().set("oidc.client_secret_env", "NOWHERE"),
            "the variable NOWHERE (oidc.client_secret_env) is not set",
        ),
    ] {
        let failed = setup.run(["serve"]).await;
        assert!(failed.code == 2 && failed.err.contains(said), "{said}: {failed:?}");
    }
}
