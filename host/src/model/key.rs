//! Reading a key, and keeping it out of everything but the one header.

use std::fmt;
use std::io::Read;

use http::HeaderValue;

use super::{KeySource, ModelError};

/// Longer than any vendor's key; a bigger file is a mistake.
const LONGEST: u64 = 16 << 10;

/// A shorter key is a placeholder for a local server (`ollama`, `not-needed`): to strike it from
/// answers would garble them, and it opens nothing.
const SECRET_BYTES: usize = 12;

/// Errors are for people, so there even a short key goes.
const SECRET_BYTES_IN_ERRORS: usize = 6;

#[derive(Clone, Default)]
pub(super) struct Key(Option<String>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Key(redacted)" } else { "Key(none)" })
    }
}

impl Key {
    /// A missing key is `ModelError::Auth` with the name of the variable or file.
    pub(super) fn read(source: &KeySource, model: &str) -> Result<Self, ModelError> {
        let (text, place) = match source {
            KeySource::None => return Ok(Self(None)),
            KeySource::Env(name) => {
                let place = format!("the variable {name} ([models.{model}] key_env)");
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a key is read where it is used, and nowhere kept"
                )]
                let value = std::env::var_os(name);
                let value = value.ok_or_else(|| ModelError::Auth(format!("{place} is not set")))?;
                (value.into_string().ok(), place)
            }
            KeySource::File(path) => {
                let place = format!("the file {} ([models.{model}] key_file)", path.display());
                let failed = |error| ModelError::Auth(format!("{place} can't be read: {error}"));
                // Small and local: read here, as a thousand calls on the blocking pool are hundreds of threads.
                if !std::fs::metadata(path).map_err(failed)?.is_file() {
                    return Err(ModelError::Auth(format!("{place} is no file")));
                }
                let mut bytes = Vec::new();
                let file = std::fs::File::open(path).map_err(failed)?;
                file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
                (String::from_utf8(bytes).ok(), place)
            }
        };
        let text = text.unwrap_or_else(|| "\0".to_owned());
        let key = text.trim();
        if key.is_empty() {
            return Err(ModelError::Auth(format!("{place} is empty")));
        }
        if key.len() as u64 > LONGEST || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ModelError::Auth(format!("{place} holds no key: one word of ASCII is expected")));
        }
        Ok(Self(Some(key.to_owned())))
    }

    /// The header's value, marked as sensitive so that nothing prints it.
    pub(super) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let key = self.0.as_deref()?;
        let mut value =
            HeaderValue::try_from(format!("{prefix}{key}")).expect("graphic ASCII is a header's value");
        value.set_sensitive(true);
        Some(value)
    }

    pub(super) fn scrubber(&self) -> Scrubber {
        let key = self.0.as_ref().filter(|key| key.len() >= SECRET_BYTES);
        Scrubber { key: key.map(|key| key.clone().into_bytes()).unwrap_or_default(), held: Vec::new() }
    }

    pub(super) fn strike_text(&self, text: &str) -> String {
        match &self.0 {
            Some(key) if key.len() >= SECRET_BYTES => text.replace(key.as_str(), &"*".repeat(key.len())),
            Some(_) | None => text.to_owned(),
        }
    }

    pub(super) fn strike_error(&self, error: ModelError) -> ModelError {
        let Some(key) = self.0.as_ref().filter(|key| key.len() >= SECRET_BYTES_IN_ERRORS) else {
            return error;
        };
        let strike = |text: String| text.replace(key.as_str(), "[key]");
        match error {
            ModelError::ContextTooLong(text) => ModelError::ContextTooLong(strike(text)),
            ModelError::Auth(text) => ModelError::Auth(strike(text)),
            ModelError::ContentFilter(text) => ModelError::ContentFilter(strike(text)),
            ModelError::Malformed(text) => ModelError::Malformed(strike(text)),
            ModelError::InvalidRequest(text) => ModelError::InvalidRequest(strike(text)),
            ModelError::Timeout(text) => ModelError::Timeout(strike(text)),
            ModelError::Unreachable(text) => ModelError::Unreachable(strike(text)),
            ModelError::Budget(text) => ModelError::Budget(strike(text)),
            ModelError::Other(text) => ModelError::Other(strike(text)),
            ModelError::RateLimited(_) | ModelError::Overloaded(_) => error,
        }
    }
}

/// Strikes a key from a stream of bytes that is cut anywhere, before anyone sees them.
///
/// The key's place keeps its length. Bytes at a chunk's end that may be the key's beginning are
/// held back until the next chunk, or the end.
pub(super) struct Scrubber {
    /// Empty: everything passes.
    key: Vec<u8>,
    held: Vec<u8>,
}

impl Scrubber {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let length = self.key.len();
        if length == 0 {
            return self.finish();
        }
        let mut at = 0;
        while at + length <= self.held.len() {
            if self.held[at..at + length] == self.key[..] {
                self.held[at..at + length].fill(b'*');
                at += length;
            } else {
                at += 1;
            }
        }
        let longest = self.held.len().min(length - 1);
        let held = (1..=longest).rev().find(|count| self.held.ends_with(&self.key[..*count])).unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - held);
        std::mem::replace(&mut self.held, rest)
    }

    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        Key(Some(text.to_owned()))
    }

    proptest! {
        /// However the stream is cut, the key is gone and every other byte is where it was.
        #[test]
        fn no_cut_lets_the_key_through(
            parts in prop::collection::vec(prop_oneof![Just("ababababcabab"), Just("ab"), Just("abababab"), Just("x")], 0..12),
            cuts in prop::collection::vec(1usize..9, 1..20),
        ) {
            let secret = "ababababcabab";
            let text = parts.concat();
            let mut scrubber = key(secret).scrubber();
            let mut out = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at(cut.min(rest.len()));
                out.extend(scrubber.push(now));
                rest = later;
            }
            out.extend(scrubber.finish());
            prop_assert_eq!(String::from_utf8(out).expect("ASCII"), text.replace(secret, &"*".repeat(secret.len())));
        }
    }

    #[test]
    fn nothing_prints_a_key() {
        let key = key("sk-canary-0123456789");
        let header = key.header("Bearer ").expect("a key");
        let error = key.strike_error(ModelError::Auth("bad key sk-canary-0123456789!".into()));
        assert_eq!(error, ModelError::Auth("bad key [key]!".into()));
        assert!(!format!("{key:?} {header:?}").contains("canary"));
    }

    #[test]
    fn a_placeholder_does_not_garble_answers() {
        let mut scrubber = key("ollama").scrubber();
        assert_eq!(scrubber.push(b"ollama is a llama"), b"ollama is a llama");
    }

    #[test]
    fn a_missing_key_says_where_it_was_looked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let read = |source: KeySource| match Key::read(&source, "m") {
            Err(ModelError::Auth(text)) => text,
            other => panic!("{other:?}"),
        };
        let file = KeySource::File(path.clone());
        assert!(read(file.clone()).contains(&path.display().to_string()));
        assert!(read(KeySource::File(folder.path().to_owned())).ends_with("is no file"));
        std::fs::write(&path, " \n").expect("written");
        assert!(read(file.clone()).ends_with("is empty"));
        std::fs::write(&path, "two words").expect("written");
        assert!(read(file.clone()).contains("one word of ASCII"));
        assert!(read(KeySource::Env("AIAGENT_NO_SUCH".into())).contains("AIAGENT_NO_SUCH"));
        std::fs::write(&path, "  sk-1\n").expect("written");
        let key = Key::read(&file, "m").expect("a key");
        assert_eq!(key.header("Bearer ").expect("a key"), "Bearer sk-1");
    }
}
