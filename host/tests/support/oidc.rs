//! A real provider of OpenID Connect on loopback, and the browsers of people who sign in with it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Stdio;

use reqwest::{Method, Response};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::patience;
use crate::test_host::{Setup, TestHost};

/// What browsers and the provider call the host. The test's browser knows where that is.
pub(crate) const PUBLIC: &str = "https://aiagent.example";
pub(crate) const SECRET: &str = "client-secret-canary-8812";

pub(crate) struct Provider {
    pub(crate) issuer: String,
    child: Child,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        Self::with(&[&format!("{PUBLIC}/")]).await
    }

    /// Without the address after it, it has no log-out.
    pub(crate) async fn with(logged_out: &[&str]) -> Self {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc");
        assert!(
            std::path::Path::new(dir).join("node_modules/oidc-provider").is_dir(),
            "host/tests/oidc has no packages; `.ci/setup.sh test` brings them"
        );
        let callback = format!("{PUBLIC}/api/v1/session/signed-in");
        let mut child = Command::new("node")
            .args(["provider.mjs", "aiagent", SECRET, &callback])
            .args(logged_out)
            .current_dir(dir)
            .kill_on_drop(true)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let issuer = patience("the provider", lines.next_line()).await.expect("readable").expect("a line");
        // What it says further is read, or it would die of it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { issuer, child }
    }

    pub(crate) async fn fall_silent(mut self) -> TcpListener {
        self.child.kill().await.expect("it was there");
        TcpListener::bind(self.issuer.strip_prefix("http://").expect("plain")).expect("nobody is there")
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup::new()
            .set("oidc.issuer", self.issuer.as_str())
            .set("oidc.name", "the company")
            .set("oidc.client_id", "aiagent")
            .set("oidc.client_secret_env", "OIDC_SECRET")
            .set("oidc.public_url", PUBLIC)
            .set("oidc.roles.aiagent-admins", "administrator")
            .set("oidc.roles.aiagent-readers", "viewer")
            .env("OIDC_SECRET", SECRET)
    }
}

/// Somebody's browser: cookies, and no redirect followed by itself.
pub(crate) struct Browser<'a> {
    pub(crate) host: &'a TestHost,
    pub(crate) http: reqwest::Client,
    /// Who signs in at the provider.
    pub(crate) who: Option<&'static str>,
    /// By place and name.
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(host: &'a TestHost, who: Option<&'static str>) -> Self {
        let no_redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(no_redirect).build().expect("a client");
        Self { host, http, who, cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        let (place, real) = match url.strip_prefix(PUBLIC) {
            Some(path) => (PUBLIC.to_owned(), format!("{}{path}", self.host.url)),
            None => (url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"), url.to_owned()),
        };
        let own = self.cookies.iter().filter(|((of, _), _)| *of == place);
        let own: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut request = self.http.get(real).header("cookie", own.join("; "));
        // The proxy in front of the host speaks TLS.
        request = request.header("x-forwarded-proto", "https");
        if let Some(who) = self.who {
            request = request.header("x-sign-in-as", who);
        }
        let response = patience("an answer", request.send()).await.expect("an answer");
        for set in response.headers().get_all("set-cookie") {
            let set = set.to_str().expect("text");
            let (name, rest) = set.split_once('=').expect("a cookie");
            if place == PUBLIC {
                assert!(
                    set.contains("; HttpOnly; SameSite=Lax")
                        && set.ends_with("; Secure") != set.contains("Max-Age=0"),
                    "{set}"
                );
            }
            let value = rest.split(';').next().expect("a value").to_owned();
            self.cookies.insert((place.clone(), name.to_owned()), value);
        }
        response
    }

    /// Up to the address that the provider sends it back to.
    pub(crate) async fn until_back(&mut self) -> String {
        let mut url = format!("{PUBLIC}/api/v1/session/sign-in");
        for _ in 0..10 {
            let answer = self.get(&url).await;
            let status = answer.status();
            assert!(status.is_redirection(), "{url}: {status} {}", answer.text().await.expect("whole"));
            let to = answer.headers()["location"].to_str().expect("text").to_owned();
            url = match to.strip_prefix('/') {
                Some(_) => format!("{}{to}", url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")),
                None => to,
            };
            if url.contains("/session/signed-in") {
                return url;
            }
        }
        panic!("too many redirects, the last to {url}");
    }

    pub(crate) fn session(&self) -> Option<String> {
        let value = self.cookies.get(&(PUBLIC.to_owned(), "aiagent_session".to_owned()))?;
        Some(format!("aiagent_session={value}"))
    }

    pub(crate) async fn sign_in(&mut self) {
        let back = self.until_back().await;
        let answer = self.get(&back).await;
        assert_eq!(answer.status(), 303);
    }

    pub(crate) fn cookies_of_host(&self) -> String {
        let ours = self.cookies.iter().filter(|((place, _), _)| place == PUBLIC);
        ours.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// As the page does it.
    pub(crate) async fn log_out(&self) -> Response {
        let request = self.host.request(Method::DELETE, "/api/v1/session");
        let request = request.header("cookie", self.cookies_of_host()).header("x-forwarded-proto", "https");
        patience("an answer", request.send()).await.expect("an answer")
    }

    /// The form that the provider shows to whoever logs out, sent as it is.
    pub(crate) async fn confirm(&self, html: &str) -> Response {
        let value = |before: &str| {
            let rest = html.split(before).nth(1).unwrap_or_else(|| panic!("{before}: {html}"));
            rest.split('"').next().expect("its end").to_owned()
        };
        let (action, secret) = (value("action=\""), value("name=\"xsrf\" value=\""));
        let place = action.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let own = self.cookies.iter().filter(|((of, _), _)| *of == place);
        let own: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let request = self.http.post(action).header("cookie", own.join("; "));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(format!("xsrf={secret}&logout=yes"));
        patience("an answer", request.send()).await.expect("an answer")
    }
}
