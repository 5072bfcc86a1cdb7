//! Store, plugins, pipelines, commands, access.

use std::path::PathBuf;
use std::sync::Arc;

use crate::access;
use crate::app::{open_store, plugin_settings, sandbox_config};
use crate::cli::findings::Findings;
use crate::config::Settings;
use crate::exec::Sandbox;
use crate::plugin::{self, Catalog, Kind, Runtime};
use crate::store::SqliteStore;

pub(super) async fn store(settings: &Settings, findings: &mut Findings) {
    if settings.store == "memory" {
        findings.warning(
            "store",
            "in memory: nothing survives a restart",
            "store = \"sqlite:PATH\" in aiagent.toml",
        );
        return;
    }
    let Some(path) = settings.store.strip_prefix("sqlite:").map(PathBuf::from) else {
        let asked = async { Ok::<_, anyhow::Error>(open_store(settings).await?.stats().await?) };
        match asked.await {
            Ok(stats) => {
                findings.ok("store", format!("answers; {} tasks wait, {} run", stats.queued, stats.running))
            }
            Err(error) => {
                findings.error("store", format!("{error:#}"), "is the server up, and `store` right?")
            }
        }
        return;
    };
    if !path.exists() {
        findings.ok("store", format!("{} is not there yet; the first start makes it", path.display()));
        return;
    }
    let known = SqliteStore::KNOWN_SCHEMA;
    let looked = tokio::task::spawn_blocking(move || {
        let have = SqliteStore::schema(&path)?;
        Ok::<_, crate::store::StoreError>((
            have,
            if have == known { SqliteStore::examine(&path)? } else { Vec::new() },
        ))
    });
    match looked.await {
        Ok(Ok((have, _))) if have != known => {
            let found = format!("schema {have}; this version works with {known}");
            findings.warning(
                "store",
                found,
                "the next start brings it there, and keeps a copy; or: aiagent-host migrate",
            );
        }
        Ok(Ok((have, found))) => match found.first() {
            None => findings.ok("store", format!("schema {have}, sound")),
            Some(first) => findings.error(
                "store",
                format!("{} things do not fit together: {first}", found.len()),
                "aiagent-host backup what can be saved, then restore the last sound backup",
            ),
        },
        Ok(Err(error)) => {
            findings.error("store", error.to_string(), "aiagent-host restore puts a backup in its place")
        }
        Err(error) => findings.error("store", error.to_string(), "try again"),
    }
}

pub(super) async fn plugins(settings: &Settings, findings: &mut Findings) -> Option<Arc<Catalog>> {
    // As a service without a past would; and its own record of them stays as it is.
    let wanted = plugin::Settings { ledger_dir: None, ..plugin_settings(settings) };
    let catalog = match Runtime::start(wanted).await {
        Ok(runtime) => runtime.catalog(),
        Err(error) => {
            findings.error(
                "plugins",
                error.to_string(),
                "name an existing folder: --plugins, or plugins_dir in aiagent.toml",
            );
            return None;
        }
    };
    for refused in &catalog.refused {
        findings.warning(
            "plugins",
            format!("{}: {}", refused.file.display(), refused.reason),
            refused.remedy.clone(),
        );
    }
    if catalog.loaded.is_empty() {
        findings.error(
            "plugins",
            "none can be loaded",
            "install them into /usr/lib/ai-agent/plugins, or name their folder with --plugins",
        );
    } else {
        let names: Vec<&str> = catalog.loaded.iter().map(|loaded| loaded.name.as_str()).collect();
        findings.ok("plugins", names.join(", "));
    }
    Some(catalog)
}

pub(super) fn pipelines(settings: &Settings, catalog: Option<&Catalog>, findings: &mut Findings) {
    let Some(catalog) = catalog else { return };
    for (name, pipeline) in &settings.pipelines {
        let steps = [
            ("builder", &pipeline.builder, Kind::Builder),
            ("checker", &pipeline.checker, Kind::Checker),
            ("fixer", &pipeline.fixer, Kind::Fixer),
        ];
        let missing = steps.into_iter().find(|(_, plugin, kind)| {
            !plugin.is_empty() && catalog.find(plugin).is_none_or(|loaded| loaded.kind != *kind)
        });
        match missing {
            None => findings.ok("pipelines", format!("{name}: all its plugins are loaded")),
            Some((key, plugin, kind)) => findings.error(
                "pipelines",
                format!("{name}: there is no {kind} {plugin}"),
                format!(
                    "put {plugin}.wasm into a plugins folder, or name another in [pipelines.{name}] {key}"
                ),
            ),
        }
    }
}

pub(super) async fn commands(settings: &Settings, findings: &mut Findings) {
    let granted = settings.plugins.values().any(|plugin| plugin.exec);
    let sandbox = Sandbox::probe(sandbox_config(settings)).await;
    match sandbox.refusal() {
        None => findings.ok("commands", "bubblewrap can sandbox them"),
        Some(why) if granted => {
            findings.error("commands", why, "docs/INSTALLATION.md, \"What the service may do\"")
        }
        Some(why) => findings.ok("commands", format!("no plugin may run any; nor could it: {why}")),
    }
}

pub(super) fn access(settings: &Settings, findings: &mut Findings) {
    let address = settings.listen.0;
    let file = &settings.tokens_file;
    let tokens = match access::list(file) {
        Ok(tokens) => tokens,
        Err(error) => {
            return findings.error("access", error.to_string(), "aiagent-host token list says more");
        }
    };
    let expired = tokens.iter().filter(|token| token.has_expired()).count();
    if expired > 0 {
        let found = format!("{expired} tokens in {} have expired", file.display());
        findings.warning("access", found, "aiagent-host token revoke NAME, and create a new one");
    }
    let asks = access::asks(settings);
    if !asks && address.ip().is_loopback() {
        findings.ok("access", format!("{address}, this machine only"));
    } else if !asks {
        findings.error(
            "access",
            format!("{address} without a token: the host will not start"),
            "aiagent-host token create, or AIAGENT_TOKEN in /etc/ai-agent/env, or listen on 127.0.0.1",
        );
    } else if settings.token.is_empty() && !settings.oidc.is_used() && tokens.len() == expired {
        let found = format!("{} has no token that holds: nobody gets in", file.display());
        findings.error("access", found, "aiagent-host token create NAME ROLE");
    } else {
        let shared = if settings.token.is_empty() { "" } else { "the shared token and " };
        let signed_in = if settings.oidc.is_used() { ", and who signs in elsewhere" } else { "" };
        findings.ok(
            "access",
            format!("{address}, with {shared}{} of people and programs{signed_in}", tokens.len() - expired),
        );
    }
}
