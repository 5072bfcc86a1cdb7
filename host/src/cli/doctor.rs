//! `aiagent-host doctor`: what a support person asks first.

mod machine;
mod models;
mod service;

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;

use anyhow::Context as _;

use super::args::{Doctor, Server};
use super::findings::Findings;
use super::{Failed, client, exit};
use crate::config::{Config, ConfigError};

/// The configuration can't be read, and so nothing else can be looked at.
pub(super) fn unreadable(error: &ConfigError, args: &Doctor) -> Result<u8, Failed> {
    let mut findings = Findings::default();
    findings.error("configuration", error.to_string(), "aiagent-host --print-config shows what applies");
    Ok(findings.tell(args.json)?)
}

pub(super) async fn doctor(args: Doctor, config: Config) -> Result<u8, Failed> {
    if !args.inside
        && let Some(code) = as_service(&config)?
    {
        return Ok(code);
    }
    let settings = &config.settings;
    let mut findings = Findings::default();
    match &config.file {
        Some(file) => findings.ok("configuration", file.display().to_string()),
        None => findings.ok("configuration", "no file; defaults and variables apply"),
    }
    for warning in &config.warnings {
        findings.warning("configuration", warning.clone(), "aiagent-host --print-config shows what applies");
    }
    machine::folders(settings, &config, &mut findings);
    machine::room(settings, &mut findings);
    machine::open_files(&mut findings);
    machine::git(settings, &mut findings);
    service::store(settings, &mut findings).await;
    let catalog = service::plugins(settings, &mut findings).await;
    service::pipelines(settings, catalog.as_deref(), &mut findings);
    service::commands(settings, &mut findings).await;
    let date = models::models(settings, catalog.as_deref(), &mut findings).await;
    machine::clock(settings, date.as_deref(), &mut findings);
    service::access(settings, &mut findings);
    let here = Server { server: None };
    match client::ready(&here, settings).await {
        Ok(ready) => findings.ok("service", format!("ready, {} plugins", ready["plugins"])),
        Err(failed) => findings.warning(
            "service",
            format!("{:#}", failed.error),
            "start it (systemctl start aiagent), or see why it stopped: journalctl -u aiagent -n 50",
        ),
    }
    Ok(findings.tell(args.json)?)
}

/// Looks with the eyes of the service: as the owner of its state folder, and with the variables that it
/// has. `None`: these are the same already.
fn as_service(config: &Config) -> anyhow::Result<Option<u8>> {
    let me = rustix::process::geteuid();
    let owner = std::fs::metadata(&config.settings.state_dir).ok().filter(|_| me.is_root());
    let owner = owner.filter(|owner| owner.uid() != me.as_raw());
    let own = crate::config::Environment::of_process();
    let more: Vec<(&str, &str)> =
        config.environment.iter().filter(|(name, _)| own.get(name).is_none()).collect();
    if owner.is_none() && more.is_empty() {
        return Ok(None);
    }
    let mut inside = std::process::Command::new("/proc/self/exe");
    // The folders that only of this call's file are known.
    let settings = &config.settings;
    inside.args(std::env::args_os().skip(1)).arg("--inside").envs(more);
    inside.env("AIAGENT_STATE_DIR", &settings.state_dir).current_dir("/");
    if let Some(owner) = owner {
        inside.uid(owner.uid()).gid(owner.gid());
    }
    let ended = inside.status().context("can't look as the service's user")?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(Some(code.unwrap_or(exit::OTHERWISE)))
}
