//! The head of a request: what an adapter may put into it, and what of an answer's is shown.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Url;

use super::key::Key;
use super::{Auth, Description, HttpRequest, KeySource, ModelError};

/// The headers of a response that an adapter sees and a recording keeps.
const SEEN: [&str; 7] =
    ["content-type", "date", "location", "request-id", "retry-after", "retry-after-ms", "x-request-id"];

/// Headers that are the host's own: those that frame a message or steer a connection, and those that
/// carry a secret.
const OWN: [&str; 15] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Parses a base URL; the error says what is wrong with it.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("`{text}` is no http or https URL"));
    }
    // Not quoted: it may be a secret.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL names a user; a key has its own setting".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` has a query or a fragment"));
    }
    Ok(url)
}

/// The base URL with an adapter's path appended; the host and what is below the base are kept.
///
/// The path must be in its normal form, so that nothing (`..`, `%2e`, a backslash, a tab) means
/// something else to a server than it does to us.
pub(super) fn join(base: &Url, path: &str) -> Result<Url, ModelError> {
    let refuse = |why: &str| {
        Err(ModelError::InvalidRequest(format!("the adapter's path {:?} is refused: {why}", clip(path))))
    };
    if !path.starts_with('/') {
        return refuse("it does not start with `/`");
    }
    if path.starts_with("//") || path.contains("//") || path.contains("://") || path.contains('\\') {
        return refuse("it could name another host");
    }
    if path.bytes().any(|byte| !byte.is_ascii_graphic()) || path.contains('#') {
        return refuse("it holds blanks, control characters, a fragment, or is not ASCII");
    }
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    match Url::parse(&text) {
        Ok(url) if url.as_str() == text && url.origin() == base.origin() && !path.contains("..") => Ok(url),
        _ => refuse("it is not in normal form"),
    }
}

/// Everything but the body, from the adapter's wishes and the host's own headers.
pub(super) fn headers(
    wanted: &[(String, String)],
    auth: &Auth,
    key: &Key,
    idempotency_key: &str,
) -> Result<HeaderMap, ModelError> {
    let refuse = |name: &str, why: &str| {
        ModelError::InvalidRequest(format!("the adapter's header {:?} is refused: {why}", clip(name)))
    };
    let placed = match auth {
        Auth::None => None,
        Auth::Bearer => Some((header::AUTHORIZATION, "Bearer ")),
        Auth::Header(name) => {
            let parsed = HeaderName::try_from(name).map_err(|_| refuse(name, "it is no header's name"))?;
            if owned(&parsed) && parsed != header::AUTHORIZATION {
                return Err(refuse(name, "no key belongs there"));
            }
            Some((parsed, ""))
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        let parsed = HeaderName::try_from(name).map_err(|_| refuse(name, "it is no header's name"))?;
        if owned(&parsed) || placed.as_ref().is_some_and(|(key, _)| *key == parsed) {
            return Err(refuse(name, "it is the host's"));
        }
        let value = HeaderValue::try_from(value)
            .map_err(|_| refuse(name, "its value holds a line break or a control character"))?;
        headers.append(parsed, value);
    }
    let idempotency = HeaderValue::try_from(idempotency_key).map_err(|error| {
        ModelError::Other(format!("the call's idempotency key is no header's value: {error}"))
    })?;
    headers.insert("idempotency-key", idempotency);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some((name, prefix)) = placed
        && let Some(value) = key.header(prefix)
    {
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Whether the door would send what an adapter encoded, to the base URL of its own description.
///
/// # Errors
/// `InvalidRequest`, with what is wrong.
pub fn vet(request: &HttpRequest, description: &Description) -> Result<(), ModelError> {
    let base = description.default_base_url.as_deref().unwrap_or("http://model.invalid/v1");
    let base = base_url(base).map_err(ModelError::InvalidRequest)?;
    join(&base, &request.path)?;
    let key = Key::read(&KeySource::None, "")?;
    headers(&request.headers, &description.auth, &key, "vet").map(drop)
}

fn owned(name: &HeaderName) -> bool {
    let name = name.as_str();
    OWN.contains(&name)
        || name.starts_with("proxy-")
        || name.starts_with("x-forwarded-")
        || name == "forwarded"
}

/// For texts that quote a guest's words.
pub(super) fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

/// The names are in lower case; several of one name stay several.
pub(super) fn seen(headers: &HeaderMap, key: &Key) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| SEEN.contains(&name.as_str()) || name.as_str().contains("ratelimit"))
        .filter_map(|(name, value)| Some((name.to_string(), key.strike_text(value.to_str().ok()?))))
        .collect()
}

/// Nothing here decompresses, so a bomb stays small; and nobody asked for anything compressed.
pub(super) fn refuse_encoded(headers: &HeaderMap) -> Result<(), ModelError> {
    match headers.get_all(header::CONTENT_ENCODING).iter().find(|encoding| *encoding != "identity") {
        Some(encoding) => {
            Err(ModelError::Other(format!("the answer is encoded as {encoding:?}, which was not asked for")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_base() {
        let base = base_url("https://host.example:8443/v1/").expect("a base");
        let url = join(&base, "/chat/completions?api-version=1").expect("a path");
        assert_eq!(url.as_str(), "https://host.example:8443/v1/chat/completions?api-version=1");
        for path in [
            "",
            "chat",
            "//evil.example/x",
            "/\\evil.example",
            "https://evil.example/",
            "/x//y",
            "/../admin",
            "/x/..",
            "/%2e%2e/admin",
            "/%2E%2E/admin",
            "/./x",
            "/x y",
            "/x\r\nhost: evil",
            "/x\ty",
            "/x#y",
            "/ü",
            "@evil.example/",
            ":80/",
            "/x?to=http://evil.example",
            ".evil.example/",
        ] {
            assert!(matches!(join(&base, path), Err(ModelError::InvalidRequest(_))), "{path:?}");
        }
        let bare = base_url("http://127.0.0.1:1").expect("a base");
        assert_eq!(join(&bare, "/x").expect("a path").as_str(), "http://127.0.0.1:1/x");
    }

    #[test]
    fn a_base_is_http_without_secrets() {
        for text in [
            "",
            "host",
            "ftp://host/",
            "file:///etc",
            "http://u:p@host/",
            "http://u@host/",
            "http://h/?k=1",
            "http://h/#x",
        ] {
            let error = base_url(text).expect_err(text);
            assert!(!error.contains("u:p"), "{error}");
        }
    }

    #[test]
    fn an_adapter_sets_only_its_own_headers() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "sk-canary").expect("written");
        let key = Key::read(&KeySource::File(path), "m").expect("a key");
        let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let vendor = Auth::Header("X-Api-Key".into());

        let set = headers(&one("Anthropic-Version", "2023-06-01"), &vendor, &key, "k-1").expect("allowed");
        let mut set: Vec<_> =
            set.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
        set.sort();
        let expected = [
            "accept-encoding: identity",
            "anthropic-version: 2023-06-01",
            "idempotency-key: k-1",
            "x-api-key: sk-canary",
        ];
        assert_eq!(set, expected);
        assert_eq!(headers(&[], &Auth::None, &key, "k").expect("allowed").get("authorization"), None);
        assert_eq!(
            headers(&[], &Auth::Bearer, &key, "k").expect("allowed")["authorization"],
            "Bearer sk-canary"
        );

        for (name, value) in [
            ("Host", "evil"),
            ("authorization", "x"),
            ("Content-Length", "1"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
            ("Cookie", "x"),
            ("Proxy-Authorization", "x"),
            ("x-api-key", "mine"),
            ("X-Forwarded-Host", "evil"),
            ("accept-encoding", "gzip"),
            ("x-a", "b\r\nhost: evil"),
            ("x-a", "b\nc"),
            ("x-a\r\nhost", "evil"),
            ("x-a:", "b"),
            ("", "b"),
            ("x-a", "b\0"),
            ("Idempotency-Key", "x"),
        ] {
            let refused = headers(&one(name, value), &vendor, &key, "k-1");
            assert!(matches!(refused, Err(ModelError::InvalidRequest(_))), "{name:?}: {value:?}");
        }
        for name in ["host", "Content-Length", "cookie", "x y", "a\r\nb"] {
            assert!(headers(&[], &Auth::Header(name.into()), &key, "k").is_err(), "{name}");
        }
    }
}
