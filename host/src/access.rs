//! Who may use the API: tokens and their roles, sessions of browsers, and a log of who did what.
//!
//! Invariant: nothing here knows a route; which role a route asks for stands in the API's one table.

mod role;
mod tokens;
mod session;
mod tries;
mod address;
mod audit;
mod oidc;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use http::HeaderMap;
use subtle::ConstantTimeEq as _;

use crate::config::{self, Settings};
use crate::model::Allow;
use crate::task::Millis;

pub use address::{Caller, is_other_site};
pub(crate) use audit::FOLDER as AUDIT_FOLDER;
pub use audit::{Audit, AuditError, Deed, Entry, Page, What, append};
use oidc::SignedIn;
pub use oidc::{CALLBACK, Provider, SignInError};
pub use role::{Role, Who};
pub(crate) use session::KEY_FILE;
pub use session::{COOKIE, ID_TOKEN, SIGN_IN, Session};
use session::{Claims, Sessions};
use tokens::Tokens;
pub(crate) use tokens::make_folder;
pub use tokens::{Token, TokensError, create, list, revoke};
use tries::Tries;

/// Who uses a host that asks for no token.
pub const LOCAL: &str = "local";

/// Who has sent the token of `aiagent.toml` or `AIAGENT_TOKEN`.
pub const SHARED: &str = "token";

/// Who has shown nothing that this host knows.
pub const NOBODY: &str = "nobody";

/// Wrong tokens from one address in a minute, before it has to wait: enough for slips of the hand, too
/// few to guess with.
const WRONG_PER_ADDRESS: usize = 20;

/// Likewise, from all addresses together: as many as a few people's slips, or one guesser with many
/// addresses.
const WRONG_IN_ALL: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(transparent)]
    Tokens(#[from] TokensError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Provider(#[from] SignInError),
}

/// Why a request is not let in.
#[derive(Debug)]
pub enum Refused {
    /// Nothing says who sends it.
    Unknown,
    /// What it sends is no token of this host, or no longer.
    Wrong,
    /// Its address has sent too many wrong ones: to wait for so many seconds.
    Wait(u64),
    /// A page of another site makes the browser send its cookie.
    OtherSite,
}

/// Whether people sign in with another service: a worker has nothing that they could use, and needs no secret.
fn signs_in(settings: &Settings) -> bool {
    settings.oidc.is_used() && settings.role != config::Role::Worker
}

/// Whether a host with these settings asks who sends a request.
pub fn asks(settings: &Settings) -> bool {
    !settings.token.is_empty() || signs_in(settings) || settings.tokens_file.exists()
}

/// What a host knows of those who use it.
pub struct Access {
    shared: String,
    tokens: Tokens,
    sessions: Sessions,
    /// Another service that people sign in with.
    provider: Option<Provider>,
    proxies: Vec<Allow>,
    logins: Tries,
    /// Browsers that have come back from the provider for nothing. Like `headers`, not over all.
    returns: Tries,
    /// Wrong tokens in the header of a request. They don't count over all: whoever has a right one would
    /// be kept out by strangers.
    headers: Tries,
    pub audit: Audit,
}

impl Access {
    /// Without a state folder in `settings` nothing is read and nothing kept.
    pub fn open(settings: &Settings) -> Result<Self, AccessError> {
        let path = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        let state = path(&settings.state_dir);
        // The configuration has been checked.
        let proxies = settings.api.trusted_proxies.iter().filter_map(|proxy| proxy.parse().ok()).collect();
        Ok(Self {
            shared: settings.token.clone(),
            tokens: Tokens::open(path(&settings.tokens_file))?,
            sessions: Sessions::new(&settings.token, state.as_ref().map(|dir| dir.join(session::KEY_FILE))),
            provider: signs_in(settings).then(|| Provider::new(&settings.oidc)).transpose()?,
            proxies,
            logins: Tries::new(WRONG_PER_ADDRESS, Some(WRONG_IN_ALL)),
            returns: Tries::new(WRONG_PER_ADDRESS, None),
            headers: Tries::new(WRONG_PER_ADDRESS, None),
            audit: Audit::open(state.map(|dir| dir.join(audit::FOLDER)))?,
        })
    }

    /// Whether a request has to say who sends it.
    pub fn is_needed(&self) -> bool {
        !self.shared.is_empty() || self.provider.is_some() || self.tokens.are_used()
    }

    pub fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// Who a request comes from, as far as the network and trusted proxies tell.
    pub fn caller(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Caller {
        Caller::of(peer, headers, &self.proxies)
    }

    /// Who sends a request. `changes`: it is to change something, which a cookie allows to this host's own
    /// page only.
    pub fn identify(&self, headers: &HeaderMap, caller: &Caller, changes: bool) -> Result<Who, Refused> {
        if !self.is_needed() {
            return Ok(Who { name: LOCAL.to_owned(), role: Role::Administrator });
        }
        // Other schemes are a proxy's affair, whose browsers have a cookie of ours.
        let sent = headers.get(http::header::AUTHORIZATION);
        if let Some(token) = sent.and_then(|sent| sent.as_bytes().strip_prefix(b"Bearer ")) {
            let now = Instant::now();
            if let Some(seconds) = self.headers.wait(caller.address, now) {
                return Err(Refused::Wait(seconds));
            }
            return self.holder(token).map(|(who, _)| who).ok_or_else(|| {
                self.headers.note(caller.address, now);
                Refused::Wrong
            });
        }
        let session = self.session(headers).ok_or(Refused::Unknown)?;
        if changes && address::is_other_site(headers) {
            return Err(Refused::OtherSite);
        }
        Ok(session.who)
    }

    /// Who this token was made for, and until when it holds. The comparison takes as long for a wrong
    /// token as for a right one.
    fn holder(&self, token: &[u8]) -> Option<(Who, Option<Millis>)> {
        if !self.shared.is_empty() && bool::from(token.ct_eq(self.shared.as_bytes())) {
            return Some((Who { name: SHARED.to_owned(), role: Role::Administrator }, None));
        }
        let token = self.tokens.find(token)?;
        Some((Who { name: token.name, role: token.role }, token.expires_at))
    }

    /// Exchanges a token for a session.
    pub fn log_in(&self, token: &str, caller: &Caller) -> Result<Session, Refused> {
        let now = Instant::now();
        if let Some(seconds) = self.logins.wait(caller.address, now) {
            return Err(Refused::Wait(seconds));
        }
        let Some((who, until)) = self.holder(token.as_bytes()) else {
            self.logins.note(caller.address, now);
            return Err(Refused::Wrong);
        };
        Ok(self.sessions.begin(who, until))
    }

    /// The cookie of a session, which nobody else can make.
    pub fn cookie(&self, session: &Session) -> std::io::Result<String> {
        let claims = Claims::of(session);
        // A token that was revoked this very moment: the cookie will not hold.
        let bound = self.bound(&claims).unwrap_or_default();
        self.sessions.sign(&claims, &bound)
    }

    /// The session that a request's cookie speaks for.
    pub fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let (claims, signed): (Claims, _) = session::sent(headers, COOKIE)?;
        let bound = self.bound(&claims)?;
        if !self.sessions.holds(&claims, &signed, &bound) {
            return None;
        }
        // A token's role may have been changed since.
        let role = match (claims.name.as_str(), claims.role) {
            (_, Some(role)) => role,
            (SHARED, None) => Role::Administrator,
            (name, None) => self.tokens.named(name)?.role,
        };
        Some(claims.session(role))
    }

    /// Where a browser is to go to sign in, and the cookie that it has to bring back.
    pub async fn begin_sign_in(&self, provider: &Provider) -> Result<(String, String), SignInError> {
        let (url, begun) = provider.begin().await?;
        let cookie =
            self.sessions.sign(&begun, SIGN_IN).map_err(|error| SignInError::Key(error.to_string()))?;
        Ok((url, cookie))
    }

    /// Begins the session of whoever has come back with a code, or with the reason why there is none. The second
    /// is what the cookie [`ID_TOKEN`] is to hold.
    pub async fn end_sign_in(
        &self,
        provider: &Provider,
        headers: &HeaderMap,
        caller: &Caller,
        (state, code): (&str, Result<String, SignInError>),
    ) -> Result<(Session, Option<String>), SignInError> {
        // Anybody can send a browser here: what it did not begin costs nobody a try.
        let (begun, signed) = session::sent(headers, SIGN_IN).ok_or(SignInError::NotBegun)?;
        if !self.sessions.is_ours(&signed, SIGN_IN) {
            return Err(SignInError::NotBegun);
        }
        let now = Instant::now();
        if let Some(seconds) = self.returns.wait(caller.address, now) {
            return Err(SignInError::Wait(seconds));
        }
        let signed_in = provider.end(begun, code, state).await;
        if signed_in.as_ref().is_err_and(SignInError::is_of_the_browser) {
            self.returns.note(caller.address, now);
        }
        let SignedIn { who, id_token } = signed_in?;
        Ok((self.sessions.begin_signed_in(who), Some(id_token).filter(|token| session::fits(token))))
    }

    /// From now on its cookie holds no more.
    pub fn log_out(&self, session: &Session) {
        self.sessions.end(session);
    }

    /// Where the browser that has sent these headers is to go to log out of the service that it has signed in
    /// with. Without an answer of that service, or a place for it, it is logged out here only.
    pub async fn log_out_elsewhere(&self, headers: &HeaderMap) -> Option<String> {
        let id_token = session::value(headers, ID_TOKEN).filter(|token| session::fits(token));
        match self.provider.as_ref()?.log_out(id_token).await {
            Ok(url) => url,
            Err(error) => {
                tracing::warn!(%error, "somebody logs out here, and stays logged in there");
                None
            }
        }
    }

    /// What a session stands and falls with: its token.
    fn bound(&self, claims: &Claims) -> Option<String> {
        if claims.role.is_some() {
            return self.provider.as_ref().map(Provider::bound);
        }
        match claims.name.as_str() {
            SHARED => (!self.shared.is_empty()).then(String::new),
            name => Some(self.tokens.named(name)?.digest.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
