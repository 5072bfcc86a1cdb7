//! `aiagent-host production-check`: what does no harm on a desk, and much where others depend on it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::args::{ProductionCheck, Server};
use super::findings::Findings;
use super::{Failed, client};
use crate::access;
use crate::app::open_redis;
use crate::config::Settings;
use crate::store::{Fsync, Store as _};
use crate::upkeep;

/// A token that nobody guesses: 128 bits, in hex or better.
const TOKEN_CHARS: usize = 32;

/// A backup a night, and one that failed.
const BACKUP_AGE: Duration = Duration::from_secs(2 * 24 * 60 * 60);

pub(super) async fn check(args: ProductionCheck, settings: &Settings) -> Result<u8, Failed> {
    let mut findings = Findings::default();
    token(settings, &mut findings);
    tls(args.url.as_deref(), settings, &mut findings).await;
    models(settings, &mut findings);
    repositories(settings, &mut findings);
    limits(settings, &mut findings);
    if settings.store == "memory" {
        findings.error(
            "store",
            "in memory: a restart loses every task",
            "store = \"sqlite:PATH\" in aiagent.toml",
        );
    } else if settings.store.starts_with("sqlite:") {
        let loses = match settings.sqlite.fsync {
            Fsync::Always => "nothing",
            Fsync::Everysec => "the last second or two",
        };
        let found =
            format!("a file on this machine; a power cut loses {loses}; several machines need another store");
        findings.ok("store", found);
    } else if let Err(error) = redis(settings, &mut findings).await {
        findings.error("store", format!("{error:#}"), "is the server up, and `store` right?");
    }
    if settings.metrics_listen.is_empty() {
        findings.warning(
            "alerts",
            "no metrics are served, so that nobody hears of trouble",
            "metrics_listen in aiagent.toml; docs/DEPLOYMENT.md has the rules",
        );
    } else {
        findings.ok("alerts", format!("Prometheus can ask {}", settings.metrics_listen));
    }
    backups(args.backups, &mut findings).await;
    Ok(findings.tell(args.json)?)
}

async fn redis(settings: &Settings, findings: &mut Findings) -> anyhow::Result<()> {
    let store = open_redis(settings).await?;
    for risk in store.risks().await? {
        let found = format!("Redis {}: a power cut of it {}", risk.version, risk.what);
        match risk.grave {
            true => findings.error("store", found, "appendonly yes and appendfsync everysec in redis.conf"),
            false => findings.ok("store", found),
        }
    }
    match store.workers().await?.len() {
        0 => findings.error("workers", "none has checked in: no task goes on", "start one: --role worker"),
        1 => findings.warning("workers", "one: tasks wait while it restarts", "start a second"),
        workers => findings.ok("workers", format!("{workers}")),
    }
    Ok(())
}

fn token(settings: &Settings, findings: &mut Findings) {
    let remedy = "AIAGENT_TOKEN in /etc/ai-agent/env: openssl rand -hex 32";
    match settings.token.len() {
        0 if access::asks(settings) => findings.ok("token", "none is shared: each has a token, or signs in"),
        0 => findings.error("token", "none: whoever reaches the port runs tasks and reads code", remedy),
        1..TOKEN_CHARS => findings.error(
            "token",
            format!("shorter than {TOKEN_CHARS} characters: it can be guessed"),
            remedy,
        ),
        _ => findings.ok("token", "set, and long enough"),
    }
}

async fn tls(url: Option<&str>, settings: &Settings, findings: &mut Findings) {
    let remedy = "put a reverse proxy with a certificate in front, and listen on 127.0.0.1";
    let Some(url) = url else {
        let here = settings.listen.0.ip().is_loopback();
        let found = match here {
            true => "only this machine reaches it; whether a proxy in front speaks TLS was not looked at",
            false => "other machines reach it, and the host itself speaks no TLS",
        };
        findings.warning("tls", found, "name its public address: --url https://HOST");
        return;
    };
    if !url.starts_with("https://") {
        findings.error("tls", format!("{url} is plain: token and code can be read on the way"), remedy);
        return;
    }
    match client::ready(&Server { server: Some(url.to_owned()) }, settings).await {
        Ok(_) => findings.ok("tls", format!("{url} is ready, with a certificate that is trusted here")),
        Err(failed) => findings.error("tls", format!("{url}: {:#}", failed.error), remedy),
    }
}

fn repositories(settings: &Settings, findings: &mut Findings) {
    for url in settings.api.git_urls.iter().filter(|url| url.is_plain()) {
        findings.warning(
            "repositories",
            format!("{url} is plain http: whoever is in between can put other files into a task"),
            "https in api.git_urls, unless that network is yours alone",
        );
    }
}

fn models(settings: &Settings, findings: &mut Findings) {
    for (name, model) in &settings.models {
        let plain = model.base_url.starts_with("http://");
        let keyed = !model.key_env.is_empty() || !model.key_file.as_os_str().is_empty();
        if plain && keyed {
            let found = format!("{name}: its key goes over plain http to {}", model.base_url);
            findings.warning(
                "models",
                found,
                format!("https in [models.{name}] base_url, unless that network is yours alone"),
            );
        }
        if model.price_input < 0.0 && settings.budget.cost > 0.0 {
            let found = format!("{name}: budget.cost can't be kept, because its price is unknown");
            findings.error("models", found, format!("price_input and price_output in [models.{name}]"));
        }
    }
    if !settings.replay.as_os_str().is_empty() {
        findings.error(
            "models",
            "answers come from a recording",
            "remove AIAGENT_REPLAY, or `replay` in aiagent.toml",
        );
    }
}

fn limits(settings: &Settings, findings: &mut Findings) {
    let budget = &settings.budget;
    match (budget.tokens, budget.cost) {
        (0, 0.0) => findings.error(
            "budget",
            "a task may spend without end",
            "budget.tokens or budget.cost in aiagent.toml",
        ),
        (0, cost) => findings.ok("budget", format!("{cost} a task")),
        (tokens, _) => findings.ok("budget", format!("{tokens} tokens a task")),
    }
    match settings.keep_days {
        0 => findings.warning(
            "keeping",
            "ended tasks stay for ever, and the store grows",
            "keep_days in aiagent.toml",
        ),
        days => findings.ok("keeping", format!("ended tasks go after {days} days")),
    }
    if settings.worker.grace_s == 0 {
        findings.warning(
            "draining",
            "steps are cut off at a stop, and done again",
            "worker.grace_s in aiagent.toml",
        );
    }
}

async fn backups(folder: Option<PathBuf>, findings: &mut Findings) {
    let remedy = "a timer that runs: aiagent-host backup DIR/aiagent-$(date +%F).tar.gz (docs/UPGRADE.md)";
    let Some(folder) = folder else {
        findings.warning("backups", "not looked at", "name their folder: --backups DIR");
        return;
    };
    let newest = match newest(&folder) {
        Ok(newest) => newest,
        Err(error) => return findings.error("backups", format!("{}: {error}", folder.display()), remedy),
    };
    let Some((path, made)) = newest else {
        return findings.error("backups", format!("no .tar.gz in {}", folder.display()), remedy);
    };
    let file = path.clone();
    let checked = tokio::task::spawn_blocking(move || upkeep::check(&file)).await;
    let age = made.elapsed().unwrap_or_default();
    let hours = age.as_secs() / 3600;
    match checked {
        Ok(Ok(_)) if age > BACKUP_AGE => {
            findings.error(
                "backups",
                format!("the newest, {}, is {hours} hours old", path.display()),
                remedy,
            );
        }
        Ok(Ok(_)) => findings.ok("backups", format!("{} is whole, and {hours} hours old", path.display())),
        Ok(Err(error)) => findings.error("backups", error.to_string(), remedy),
        Err(error) => findings.error("backups", error.to_string(), "try again"),
    }
}

fn newest(folder: &Path) -> std::io::Result<Option<(PathBuf, SystemTime)>> {
    let mut newest: Option<(PathBuf, SystemTime)> = None;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let made = entry.metadata()?.modified()?;
        let named = entry.file_name().to_string_lossy().ends_with(".tar.gz");
        if named && newest.as_ref().is_none_or(|(_, other)| *other < made) {
            newest = Some((entry.path(), made));
        }
    }
    Ok(newest)
}
