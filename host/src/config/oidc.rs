//! `[oidc]`: signing in with another service, by OpenID Connect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::access::Role;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Oidc {
    /// The provider, as its tokens call it: a URL. Empty: nobody signs in that way.
    pub issuer: String,
    /// What the page calls it. Empty: its host.
    pub name: String,
    pub client_id: String,
    /// The variable that holds the client's secret. Empty: it has none.
    pub client_secret_env: String,
    /// Where browsers reach this host: `https://HOST`. The provider sends them back to
    /// `/api/v1/session/signed-in` there.
    pub public_url: String,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim of the ID token that says what somebody is; a text or a list. Dots lead into it.
    pub role_claim: String,
    /// What a value of that claim may here.
    pub roles: BTreeMap<String, Role>,
    /// Whether whoever logs out here is sent to the provider to log out there, too, where it has a place for it.
    pub log_out: bool,
    /// What everyone may whom the provider knows. Absent: nothing.
    pub default_role: Option<Role>,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            name: String::new(),
            client_id: String::new(),
            client_secret_env: String::new(),
            public_url: String::new(),
            scopes: vec!["profile".to_owned()],
            role_claim: "roles".to_owned(),
            roles: BTreeMap::new(),
            log_out: true,
            default_role: None,
        }
    }
}

impl Oidc {
    pub fn is_used(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// What the types can't say: the key, and what is wrong with its value.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if !self.is_used() {
            return Ok(());
        }
        let wrong = |url: &str| format!("{url:?} must begin with https:// (http:// on this machine only)");
        if !is_safe(&self.issuer) {
            return Err(("oidc.issuer", wrong(&self.issuer)));
        }
        if !is_safe(&self.public_url) {
            return Err(("oidc.public_url", wrong(&self.public_url)));
        }
        if self.client_id.is_empty() {
            return Err((
                "oidc.client_id",
                "must be set: the name that the provider knows this host by".to_owned(),
            ));
        }
        let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        // Not quoted: it is likely the secret itself.
        if !self.client_secret_env.bytes().all(named) {
            let message = "is no variable's name; it names the variable that holds the secret";
            return Err(("oidc.client_secret_env", message.to_owned()));
        }
        if self.roles.is_empty() && self.default_role.is_none() {
            let message = "nobody would be let in: name a role for a value of role_claim, or a default_role";
            return Err(("oidc.roles", message.to_owned()));
        }
        Ok(())
    }
}

/// Nobody in between reads a code or a token.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => here,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (url, safe) in [
            ("https://id.example/realms/a", true),
            ("http://127.0.0.1:3000", true),
            ("http://localhost:3000", true),
            ("http://[::1]:3000", true),
            ("http://id.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("id.example", false),
            ("https://", false),
        ] {
            assert_eq!(is_safe(url), safe, "{url}");
        }
    }
}
