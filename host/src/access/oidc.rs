//! Signing in with another service: the authorization code flow of OpenID Connect, with PKCE.
//!
//! What has to be remembered until the browser is back is in a cookie of it, signed; nothing is kept here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IssuerUrl, LogoutRequest, Nonce, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::tokens::random;
use super::{Role, Who};
use crate::config;
use crate::task::{Millis, now};
use crate::telemetry::chain;

#[cfg(test)]
mod tests;

/// Where the provider sends browsers back to, below the public address.
pub const CALLBACK: &str = "/api/v1/session/signed-in";

/// How long somebody may take to sign in there.
const WITHIN: Duration = Duration::from_secs(10 * 60);

/// How long what the provider says of itself is good for: its keys may change at any time.
const KNOWN: Duration = Duration::from_secs(60);

/// For an answer of the provider.
const TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST: usize = 1 << 20;

/// For somebody who logs out and has been logged out here already.
const LOG_OUT_WAITS: Duration = Duration::from_secs(2);

const LONGEST_NAME: usize = 100;

/// All claims: which one says the role is configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    all: serde_json::Map<String, Value>,
}

impl AdditionalClaims for Claims {}

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Known = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider as it describes itself.
#[derive(Clone)]
struct Described {
    client: Known,
    /// Where people log out of it, if it has such a place.
    end_session: Option<EndSessionUrl>,
}

/// Who has signed in, and the ID token that says so.
pub(super) struct SignedIn {
    pub(super) who: Who,
    pub(super) id_token: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("the variable {0} (oidc.client_secret_env) is not set")]
    Secret(String),
    #[error("no cookie can be signed: {0}")]
    Key(String),
    #[error("can't make an HTTP client: {0}")]
    Client(reqwest::Error),
    /// Of the operator's or the provider's side.
    #[error("the provider {issuer} can't be asked: {cause}")]
    Provider { issuer: String, cause: String },
    /// It has not come from here, or too long ago for its cookie.
    #[error("this browser has begun no log-in; begin again")]
    NotBegun,
    /// Of the browser's.
    #[error("{0}; begin again")]
    Begun(&'static str),
    #[error("the provider refused it: {0}")]
    Refused(String),
    #[error("too many log-ins have failed in the last minute: wait {0} s, then begin again")]
    Wait(u64),
    #[error("{who} may do nothing here: no value of the claim {claim} is one of oidc.roles")]
    NoRole { who: String, claim: String },
}

impl SignInError {
    /// Whether whoever came is to blame, and not the provider or the operator.
    pub(super) fn is_of_the_browser(&self) -> bool {
        matches!(self, Self::Begun(_) | Self::Refused(_) | Self::NoRole { .. })
    }
}

#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Http(#[from] http::Error),
    #[error("its answer is longer than {LONGEST} bytes")]
    Long,
}

/// What the browser has to bring back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    until: Millis,
}

pub struct Provider {
    settings: config::Oidc,
    secret: Option<ClientSecret>,
    http: reqwest::Client,
    known: Mutex<Option<(Instant, Described)>>,
    /// Held while the provider is asked, so that it is asked once.
    asking: tokio::sync::Mutex<()>,
}

impl Provider {
    /// Asks nobody yet: a host starts without its provider too.
    pub(super) fn new(settings: &config::Oidc) -> Result<Self, SignInError> {
        let secret = match settings.client_secret_env.as_str() {
            "" => None,
            name => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a secret is read where it is used, and nowhere kept"
                )]
                let value = std::env::var(name).ok().filter(|value| !value.is_empty());
                Some(ClientSecret::new(value.ok_or_else(|| SignInError::Secret(name.to_owned()))?))
            }
        };
        let scheme = settings.issuer.split(':').next().unwrap_or_default();
        let http = crate::model::client(scheme).timeout(TIMEOUT).build().map_err(SignInError::Client)?;
        Ok(Self {
            settings: settings.clone(),
            secret,
            http,
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    pub fn name(&self) -> String {
        match self.settings.name.as_str() {
            "" => {
                let issuer = self.settings.issuer.parse::<http::Uri>();
                issuer.ok().and_then(|issuer| issuer.host().map(str::to_owned)).unwrap_or_default()
            }
            name => name.to_owned(),
        }
    }

    /// What its sessions are bound to: another provider, another client, or other roles, and they end.
    pub(super) fn bound(&self) -> String {
        let settings = &self.settings;
        let rest = (&settings.role_claim, &settings.roles, &settings.default_role);
        let rest = serde_json::to_string(&rest).expect("strings serialise");
        format!("oidc {} {} {rest}", settings.issuer, settings.client_id)
    }

    /// Where to send a browser, and what it has to bring back.
    pub(super) async fn begin(&self) -> Result<(String, Begun), SignInError> {
        let known = self.known().await?.client;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (BASE64.encode(random()), BASE64.encode(random()));
        let (state_, nonce_) = (state.clone(), nonce.clone());
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let (url, ..) = known
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state_),
                move || Nonce::new(nonce_),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let until = now() + WITHIN.as_millis() as u64;
        Ok((url.to_string(), Begun { state, nonce, verifier: verifier.into_secret(), until }))
    }

    /// Who has come back with this code, if it is one.
    pub(super) async fn end(
        &self,
        begun: Begun,
        code: Result<String, SignInError>,
        state: &str,
    ) -> Result<SignedIn, SignInError> {
        if begun.until <= now() {
            return Err(SignInError::Begun("it took longer than ten minutes"));
        }
        if !bool::from(begun.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(SignInError::Begun("this is the answer to another log-in"));
        }
        let code = code?;
        let known = self.known().await?.client;
        let http = self.http.clone();
        let ask = move |request| ask(http.clone(), request);
        let answer = known
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| self.failed(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier))
            .request_async(&ask)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::ServerResponse(said) => {
                    SignInError::Refused(said.to_string())
                }
                error => self.failed(&error),
            })?;
        let token = answer.id_token().ok_or(SignInError::Refused("it sent no ID token".to_owned()))?;
        let claims = token.claims(&known.id_token_verifier(), &Nonce::new(begun.nonce)).map_err(|error| {
            SignInError::Refused(format!("its ID token does not hold: {}", chain(&error)))
        })?;
        let subject = claims.subject().as_str();
        let called =
            claims.preferred_username().map(|name| name.as_str()).or(claims.email().map(|it| it.as_str()));
        let name = name(called, subject);
        let role = role(&claims.additional_claims().all, &self.settings.role_claim, &self.settings.roles);
        match role.max(self.settings.default_role) {
            Some(role) => Ok(SignedIn { who: Who { name, role }, id_token: token.to_string() }),
            None => Err(SignInError::NoRole { who: name, claim: self.settings.role_claim.clone() }),
        }
    }

    /// Where a browser is to go to log out of the provider too, where there is such a place and the operator
    /// wants it. It then comes back to the page.
    pub(super) async fn log_out(&self, id_token: Option<&str>) -> Result<Option<String>, SignInError> {
        if !self.settings.log_out {
            return Ok(None);
        }
        // Its log-out seldom moves: what was last heard will do, so that nobody waits for a provider that is away.
        let described = match self.last_known() {
            Some((_, described)) => described,
            None => match tokio::time::timeout(LOG_OUT_WAITS, self.known()).await {
                Ok(known) => known?,
                Err(_) => return Err(self.unheard(format!("no answer in {} s", LOG_OUT_WAITS.as_secs()))),
            },
        };
        let Some(place) = described.end_session else { return Ok(None) };
        if !matches!(place.url().scheme(), "https" | "http") {
            return Err(self.unheard(format!("its end_session_endpoint is {}", place.url())));
        }
        let back = format!("{}/", self.settings.public_url.trim_end_matches('/'));
        let back = PostLogoutRedirectUrl::new(back).map_err(|error| self.failed(&error))?;
        let mut url = LogoutRequest::from(place)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(back)
            .http_get_url();
        if let Some(token) = id_token {
            url.query_pairs_mut().append_pair("id_token_hint", token);
        }
        Ok(Some(url.into()))
    }

    /// As it described itself when it was last asked.
    fn last_known(&self) -> Option<(Instant, Described)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The provider as it describes itself, with its keys.
    async fn known(&self) -> Result<Described, SignInError> {
        let _turn = self.asking.lock().await;
        if let Some((_, described)) = self.last_known().filter(|(at, _)| at.elapsed() < KNOWN) {
            return Ok(described);
        }
        let settings = &self.settings;
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| self.failed(&error))?;
        let back = format!("{}{CALLBACK}", settings.public_url.trim_end_matches('/'));
        let back = RedirectUrl::new(back).map_err(|error| self.failed(&error))?;
        let http = self.http.clone();
        let ask = move |request| ask(http.clone(), request);
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &ask).await;
        let metadata = metadata.map_err(|error| self.failed(&error))?;
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let id = ClientId::new(settings.client_id.clone());
        let client = Client::from_provider_metadata(metadata, id, self.secret.clone()).set_redirect_uri(back);
        let described = Described { client, end_session };
        let now = Some((Instant::now(), described.clone()));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(described)
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static)) -> SignInError {
        self.unheard(chain(error))
    }

    fn unheard(&self, cause: String) -> SignInError {
        SignInError::Provider { issuer: self.settings.issuer.clone(), cause }
    }
}

async fn ask(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut response = http.execute(request.try_into()?).await?;
    let mut answer = http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST {
            return Err(HttpError::Long);
        }
    }
    Ok(answer.body(body)?)
}

/// What somebody is called, and in parentheses what nobody can choose for themselves.
fn name(called: Option<&str>, subject: &str) -> String {
    let plain = |text: &str| -> String {
        let kept =
            text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '@' | '-' | '|' | ':'));
        kept.take(LONGEST_NAME).collect()
    };
    match called.map(plain).filter(|called| !called.is_empty()) {
        Some(called) => format!("{called} ({})", plain(subject)),
        None => format!("({})", plain(subject)),
    }
}

/// The most that any value of the claim allows.
fn role(
    claims: &serde_json::Map<String, Value>,
    claim: &str,
    roles: &BTreeMap<String, Role>,
) -> Option<Role> {
    let whole = claims.get(claim);
    let inner = || {
        let mut parts = claim.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    let values = match whole.or_else(inner)? {
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    };
    values.into_iter().filter_map(|value| roles.get(value.as_str()?)).copied().max()
}
