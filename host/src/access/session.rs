//! How a browser shows who it is: by a cookie that no script can read.
//!
//! The cookie says who, and until when, signed with a key of this host and bound to the token it was given
//! for. It survives a restart, serves all hosts that have the same `token`, and ends with its token.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::tokens::random;
use super::{Role, Who};
use crate::task::{Millis, now};

pub const COOKIE: &str = "aiagent_session";

/// While a browser is away to sign in elsewhere.
pub const SIGN_IN: &str = "aiagent_sign_in";

/// What the provider has said of who is logged in, which it is shown when they log out. No page needs it, and this
/// host believes nothing of it.
pub const ID_TOKEN: &str = "aiagent_id_token";

/// With the session's cookie beside it the head of an answer stays within 4 KiB, more of which nginx does not take
/// unless it is told to. Without one the provider may ask who is to be logged out.
const LONGEST_ID_TOKEN: usize = 2_000;

/// In the state folder; a backup without keys leaves it out.
pub(crate) const KEY_FILE: &str = "session.key";

/// A working day and the evening after it.
const HOLDS: Duration = Duration::from_secs(16 * 60 * 60);

/// Sessions that were ended before their time and are remembered for the rest of it. Of more, those
/// that would have ended soonest are forgotten.
const ENDED: usize = 10_000;

/// Who is logged in, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub who: Who,
    pub until: Millis,
    id: String,
    /// Another service says who it is, not a token.
    signed_in: bool,
}

impl Session {
    /// Whether another service says who it is, and not a token.
    pub fn is_signed_in(&self) -> bool {
        self.signed_in
    }

    pub fn seconds_left(&self) -> u64 {
        self.until.saturating_sub(now()) / 1000
    }
}

/// What stands in the cookie.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) name: String,
    until: Millis,
    id: String,
    /// Where another service says who it is; a token's role is the tokens file's to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
}

impl Claims {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            name: session.who.name.clone(),
            until: session.until,
            id: session.id.clone(),
            role: session.signed_in.then_some(session.who.role),
        }
    }

    pub(super) fn session(self, role: Role) -> Session {
        let signed_in = self.role.is_some();
        Session { who: Who { name: self.name, role }, until: self.until, id: self.id, signed_in }
    }
}

/// What a signature is of, and what it is.
pub(super) struct Signed {
    text: String,
    signature: String,
}

/// Whether a cookie may hold this ID token.
pub(super) fn fits(id_token: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    id_token.len() <= LONGEST_ID_TOKEN && id_token.bytes().all(plain)
}

pub(super) fn value<'a>(headers: &'a HeaderMap, cookie: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut ours =
        cookies.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    ours.find(|(name, _)| *name == cookie).map(|(_, value)| value)
}

/// What a request's cookie says; nothing of it has been looked at.
pub(super) fn sent<T: DeserializeOwned>(headers: &HeaderMap, cookie: &str) -> Option<(T, Signed)> {
    let (text, signature) = value(headers, cookie)?.split_once('.')?;
    let claims = serde_json::from_slice(&BASE64.decode(text).ok()?).ok()?;
    Some((claims, Signed { text: text.to_owned(), signature: signature.to_owned() }))
}

pub(super) struct Sessions {
    /// `None`: made of the file when it is first asked for.
    key: Mutex<Option<[u8; 32]>>,
    file: Option<PathBuf>,
    ended: Mutex<HashMap<String, Millis>>,
}

impl Sessions {
    /// The key is made of the token that all hosts of a store share, if there is one; else it is a file's.
    pub(super) fn new(token: &str, file: Option<PathBuf>) -> Self {
        let key = (!token.is_empty()).then(|| mac(token.as_bytes(), &[b"aiagent session key"]));
        Self { key: Mutex::new(key), file, ended: Mutex::default() }
    }

    /// `until`: the token's own end, where it has one.
    pub(super) fn begin(&self, who: Who, until: Option<Millis>) -> Session {
        let longest = now() + HOLDS.as_millis() as u64;
        let until = until.map_or(longest, |until| until.min(longest));
        Session { who, until, id: BASE64.encode(&random()[..16]), signed_in: false }
    }

    pub(super) fn begin_signed_in(&self, who: Who) -> Session {
        Session { signed_in: true, ..self.begin(who, None) }
    }

    /// `bound`: what it ends with, or what it is for.
    pub(super) fn sign(&self, claims: &impl Serialize, bound: &str) -> io::Result<String> {
        let json = serde_json::to_vec(claims).expect("strings and numbers serialise");
        let text = BASE64.encode(json);
        let signature = self.signature(&text, bound)?;
        Ok(format!("{text}.{signature}"))
    }

    pub(super) fn holds(&self, claims: &Claims, signed: &Signed, bound: &str) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&claims.id);
        self.is_ours(signed, bound) && claims.until > now() && !ended
    }

    pub(super) fn is_ours(&self, signed: &Signed, bound: &str) -> bool {
        match self.signature(&signed.text, bound) {
            Ok(right) => bool::from(signed.signature.as_bytes().ct_eq(right.as_bytes())),
            Err(error) => {
                tracing::error!(%error, "no session can be looked at");
                false
            }
        }
    }

    /// A host that is started again has forgotten it.
    pub(super) fn end(&self, session: &Session) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| *until > now());
        if ended.len() >= ENDED
            && let Some(soonest) = ended.iter().min_by_key(|(_, until)| **until).map(|(id, _)| id.clone())
        {
            ended.remove(&soonest);
        }
        ended.insert(session.id.clone(), session.until);
    }

    fn signature(&self, text: &str, bound: &str) -> io::Result<String> {
        let key = {
            let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
            match &*key {
                Some(key) => *key,
                None => *key.insert(read_or_make(self.file.as_deref())?),
            }
        };
        Ok(hex::encode(mac(&key, &[b"aiagent session", text.as_bytes(), bound.as_bytes()])))
    }
}

/// The parts have no byte 0, which is put between them.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length of key will do");
    for part in parts {
        mac.update(part);
        mac.update(&[0]);
    }
    mac.finalize().into_bytes().into()
}

/// Two hosts that start at once on the same folder agree on one.
fn read_or_make(file: Option<&Path>) -> io::Result<[u8; 32]> {
    let Some(file) = file else { return Ok(random()) };
    if !file.exists() {
        let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(hex::encode(random()).as_bytes())?;
        new.as_file().sync_all()?;
        match new.persist_noclobber(file) {
            Err(other) if other.error.kind() != io::ErrorKind::AlreadyExists => return Err(other.error),
            _ => {}
        }
    }
    let text = std::fs::read_to_string(file)?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|error| {
        io::Error::other(format!(
            "{} is no key ({error}): remove it, and everyone logs in anew",
            file.display()
        ))
    })?;
    Ok(key)
}
