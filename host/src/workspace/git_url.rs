//! Where a git repository is on the web.

use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// More is no address that a person gives.
const LONGEST: usize = 2_000;

/// An `https://` or `http://` URL without user, query or anything that one reader takes for another path than
/// the next. What is compared is what git is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GitUrl(Url);

impl GitUrl {
    /// The error says what is wrong with it, after its name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown = || format!("{:?}", text.chars().take(200).collect::<String>());
        if text.len() > LONGEST {
            return Err(format!("{}… is longer than {LONGEST} bytes", shown()));
        }
        let url = Url::parse(text).map_err(|error| {
            format!("{} is no URL, such as https://git.example/team/project: {error}", shown())
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "{} is no https:// or http:// URL: git is spoken over nothing else",
                shown()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            // Not said again: there may be a password in it.
            return Err("the URL names a user: leave out what stands before the @".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{} has a ? or #: leave out what follows", shown()));
        }
        let bare = |text: &str| text.trim_end_matches('/').to_owned();
        if bare(url.as_str()) != bare(text) {
            return Err(format!("{} is not spelled out: write {url}", shown()));
        }
        let path = url.path().to_ascii_lowercase();
        let hides = |code: &str| {
            u8::from_str_radix(code, 16).is_ok_and(|byte| byte < 0x20 || b"./\\\x7f".contains(&byte))
        };
        if path.split('%').skip(1).any(|rest| rest.get(..2).is_none_or(hides)) {
            return Err(format!("{} has an encoded /, \\, . or control character", shown()));
        }
        if bare(&path).split('/').skip(1).any(str::is_empty) {
            return Err(format!("{} has a folder without a name", shown()));
        }
        Ok(Self(url))
    }

    /// Whether it is `prefix` or below it: the same scheme, host and port, and whole names of folders.
    pub fn is_within(&self, prefix: &Self) -> bool {
        let site = |url: &Url| {
            (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
        };
        site(&self.0) == site(&prefix.0)
            && self.folders().collect::<Vec<_>>().starts_with(&prefix.folders().collect::<Vec<_>>())
    }

    fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.path().split('/').filter(|name| !name.is_empty())
    }

    /// Whether others can read and change what is fetched.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    pub(super) fn scheme(&self) -> &str {
        self.0.scheme()
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl TryFrom<String> for GitUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<GitUrl> for String {
    fn from(url: GitUrl) -> Self {
        url.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_refused() {
        for (text, why) in [
            ("", "is no URL"),
            ("/srv/git/shop", "is no URL"),
            ("--upload-pack=touch", "is no URL"),
            ("git@git.example:team/shop", "is no URL"),
            ("ssh://git.example/team/shop", "is no https://"),
            ("file:///etc", "is no https://"),
            ("ext::sh -c touch", "is no https://"),
            ("https://u:p@git.example/team/shop", "names a user"),
            ("https://git.example@evil.example/team/shop", "names a user"),
            ("https://@git.example/team/shop", "is not spelled out: write https://git.example/team/shop"),
            ("https://git.example/team/shop?x=1", "has a ? or #"),
            ("https://git.example/team/shop#x", "has a ? or #"),
            ("https://git.example/team/../else", "is not spelled out: write https://git.example/else"),
            ("https://git.example/team/%2e%2E/else", "is not spelled out"),
            ("https://git.example/team/.%2e/else", "is not spelled out"),
            ("https://git.example/team\\..\\else", "is not spelled out"),
            ("https:git.example/team", "is not spelled out"),
            ("https://git.example/te\tam", "is not spelled out"),
            (" https://git.example/team", "is not spelled out"),
            ("HTTPS://Git.Example/team", "is not spelled out: write https://git.example/team"),
            ("https://git.example:443/team", "is not spelled out"),
            ("http://0x7f.1/team", "is not spelled out: write http://127.0.0.1/team"),
            ("https://git.example/team%2felse", "has an encoded /"),
            ("https://git.example/team%5Celse", "has an encoded /"),
            ("https://git.example/a%2eb", "has an encoded /"),
            ("https://git.example/team%00", "has an encoded /"),
            ("https://git.example/team%", "has an encoded /"),
            ("https://git.example//team", "has a folder without a name"),
            ("https://git.example/team//shop", "has a folder without a name"),
        ] {
            let error = GitUrl::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
        let secret = GitUrl::parse("https://u:secret@git.example/x").expect_err("a user");
        assert!(!secret.contains("secret"), "{secret}");
    }

    #[test]
    fn a_prefix_is_a_site_and_whole_names() {
        for (prefix, url, within) in [
            ("https://git.example/team/", "https://git.example/team/shop", true),
            ("https://git.example/team", "https://git.example/team/shop.git/", true),
            ("https://git.example/team/shop.git", "https://git.example/team/shop.git", true),
            ("https://git.example", "https://git.example/any/thing", true),
            ("https://git.example/My%20Team/", "https://git.example/My%20Team/shop", true),
            ("https://git.example:8443/", "https://git.example:8443/shop", true),
            ("https://git.example/team/", "https://git.example/teams/shop", false),
            ("https://git.example/team/", "https://git.example/team-b/shop", false),
            ("https://git.example/team/", "https://git.example/Team/shop", false),
            ("https://git.example/team/", "https://git.example/te%61m/shop", false),
            ("https://git.example/team/", "https://git.example/", false),
            ("https://git.example/team/", "https://git.example.evil/team/shop", false),
            ("https://git.example/team/", "https://evil.git.example/team/shop", false),
            ("https://git.example/team/", "https://git.example./team/shop", false),
            ("https://git.example/team/", "https://git.example:8443/team/shop", false),
            ("https://git.example/team/", "http://git.example/team/shop", false),
            ("http://127.0.0.1/", "http://127.0.0.11/x", false),
        ] {
            let (prefix, url) = (GitUrl::parse(prefix).expect(prefix), GitUrl::parse(url).expect(url));
            assert_eq!(url.is_within(&prefix), within, "{url} within {prefix}");
        }
    }
}
