//! `aiagent-host token …`: whom a host knows, and what each may do.

use std::path::Path;
use std::time::Duration;

use super::args::Token;
use super::paint::{BAD, FAINT};
use super::{Failed, out};
use crate::access::{self, Deed, What};
use crate::config::{Config, Environment};
use crate::task::{Millis, now};

pub(super) fn token(command: Token, config: &Config) -> Result<u8, Failed> {
    let settings = &config.settings;
    let file = &settings.tokens_file;
    match command {
        Token::Create { name, may: role, expires } => {
            let until = expires.map(|days| now().saturating_add(days.saturating_mul(24 * 60 * 60 * 1000)));
            let text = access::create(file, &name, role, until).map_err(Failed::usage)?;
            let detail = match expires {
                Some(days) => format!("{role}, for {days} days"),
                None => role.to_string(),
            };
            out::put(format_args!("{text}\n"))?;
            anstream::eprintln!(
                "{FAINT}{name} is a {role} of hosts that read {}; the token is shown this once{FAINT:#}",
                file.display()
            );
            tell(config, What::TokenCreated, &name, Some(detail));
        }
        Token::List { json } => {
            let tokens = access::list(file).map_err(Failed::usage)?;
            if json {
                let shown = tokens.iter().map(|token| {
                    serde_json::json!({
                        "name": token.name, "role": token.role, "created_at": token.created_at,
                        "expires_at": token.expires_at, "expired": token.has_expired(),
                    })
                });
                say!("{}", serde_json::to_string_pretty(&shown.collect::<Vec<_>>())?)?;
                return Ok(0);
            }
            if tokens.is_empty() {
                say!("no token is in {}; make one: aiagent-host token create NAME ROLE", file.display())?;
            }
            for token in tokens {
                let expires = match token.expires_at {
                    Some(_) if token.has_expired() => format!("{BAD}expired{BAD:#}"),
                    Some(at) => format!("for {}", days(at.saturating_sub(now()))),
                    None => String::new(),
                };
                let age = days(now().saturating_sub(token.created_at));
                let line =
                    format!("{:<24} {:<14} made {age} ago  {expires}", token.name, token.role.to_string());
                say!("{}", line.trim_end())?;
            }
        }
        Token::Revoke { name } => {
            let revoked = access::revoke(file, &name).map_err(Failed::usage)?;
            say!("{name} gets in no more, nor does any session that was begun with it")?;
            tell(config, What::TokenRevoked, &name, Some(revoked.role.to_string()));
        }
    }
    Ok(0)
}

fn tell(config: &Config, what: What, name: &str, detail: Option<String>) {
    let deed = Deed { who: user(&config.environment), detail, ..Deed::new(None, None, what, name) };
    note(&config.settings.state_dir, &deed);
}

/// Puts a deed that is done into the audit log of the host whose state folder this is.
pub(super) fn note(state_dir: &Path, deed: &Deed) {
    if let Err(error) = access::append(state_dir, deed) {
        anstream::eprintln!("{BAD}warning{BAD:#}: it is done, and not in the audit log: {error}");
    }
}

/// Who gives a command, as far as the shell says.
pub(super) fn user(environment: &Environment) -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| environment.get(name));
    user.unwrap_or("a command").to_owned()
}

fn days(span: Millis) -> String {
    let span = Duration::from_millis(span);
    match span.as_secs() / (24 * 60 * 60) {
        0 => format!("{} h", span.as_secs() / 3600),
        days => format!("{days} d"),
    }
}
