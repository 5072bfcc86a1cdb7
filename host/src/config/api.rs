//! `[api]`: what the API does beyond serving tasks, and for whom.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::workspace::GitUrl;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
    /// Whether administrators may upload, allow and remove plugins through the API.
    pub change_plugins: bool,
    /// Sites whose pages may use this host, each as `https://HOST`. They send a token; a cookie never
    /// counts for them.
    pub cors_origins: Vec<String>,
    /// Proxies whose word on a client's address and on TLS counts: addresses, networks, or `loopback`.
    pub trusted_proxies: Vec<String>,
    /// How long a request may take until its answer begins, its body included.
    pub timeout_s: u64,
    /// Tasks may start from git repositories within these folders.
    pub git_dirs: Vec<PathBuf>,
    /// And from git repositories elsewhere at these addresses, or below them.
    pub git_urls: Vec<GitUrl>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            change_plugins: false,
            cors_origins: Vec::new(),
            // A proxy on this machine is the operator's own.
            trusted_proxies: vec!["loopback".to_owned()],
            timeout_s: 60,
            git_dirs: Vec::new(),
            git_urls: Vec::new(),
        }
    }
}

impl ApiSettings {
    /// What the types can't say: the key, and what is wrong with its value.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(wrong) = self.cors_origins.iter().find(|origin| !is_origin(origin)) {
            return Err((
                "api.cors_origins",
                format!("{wrong:?} is no origin, such as https://tools.example"),
            ));
        }
        for proxy in &self.trusted_proxies {
            if let Err(error) = proxy.parse::<crate::model::Allow>() {
                return Err(("api.trusted_proxies", error.to_string()));
            }
        }
        if let Some(dir) = self.git_dirs.iter().find(|dir| !dir.is_absolute()) {
            return Err(("api.git_dirs", format!("{} is no absolute path", dir.display())));
        }
        if self.timeout_s == 0 {
            return Err(("api.timeout_s", "must be at least 1".to_owned()));
        }
        Ok(())
    }
}

/// Scheme, host and perhaps a port, as browsers send it: nothing after it, and in lower case.
fn is_origin(text: &str) -> bool {
    let Some((scheme, site)) = text.split_once("://") else { return false };
    matches!(scheme, "http" | "https")
        && !site.is_empty()
        && !site.contains(['/', '?', '#', '@', '*', ' '])
        && !text.contains(char::is_uppercase)
        && site.parse::<http::uri::Authority>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for good in ["https://a.example", "http://localhost:5173", "http://[::1]:80"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in
            ["*", "a.example", "https://", "https://a.example/", "HTTPS://a.example", "https://*.a", "null"]
        {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
