//! `aiagent-host plugins`.

mod new;
mod test;

use std::path::Path;

use anyhow::Context as _;

use super::args::Plugins;
use super::client;
use super::paint::{BAD, FAINT, GOOD};
use super::token::note;
use super::{Failed, exit};
use crate::access::{Deed, What};
use crate::app::plugin_settings;
use crate::config::Settings;
use crate::plugin::{self, Catalog, Inspection, Refusal, Runtime, Status, allow, inspect};

pub(super) async fn plugins(command: Plugins, settings: Settings, user: String) -> Result<u8, Failed> {
    match command {
        Plugins::List { json } => {
            // As a service without a past would.
            let wanted = plugin::Settings { ledger_dir: None, ..plugin_settings(&settings) };
            let runtime = Runtime::start(wanted).await.map_err(Failed::usage)?;
            list(&runtime.catalog(), json)?;
            Ok(0)
        }
        Plugins::Status(args) => client::plugin_status(args, &settings).await,
        Plugins::Allow { file } => {
            let refused =
                |refusal: Refusal| anyhow::anyhow!("{}: {refusal}; {}", file.display(), refusal.remedy());
            let allowed = allow(&file, &plugin_settings(&settings)).map_err(refused)?;
            let (name, digest) = (&allowed.name, &allowed.digest);
            let file = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            let deed = Deed::new(None, None, What::Allowed, file);
            let deed = Deed { who: user, detail: Some(digest.to_string()), ..deed };
            say!("{GOOD}✓{GOOD:#} {name} {digest} may use: {}", allowed.grants.join(", "))?;
            note(&settings.state_dir, &deed);
            Ok(0)
        }
        Plugins::Inspect { file, json } => {
            let inspection = inspect(&file, &plugin_settings(&settings)).map_err(Failed::usage)?;
            if json {
                say!("{}", serde_json::to_string_pretty(&inspection)?)?;
            } else {
                show(&inspection)?;
            }
            Ok(0)
        }
        Plugins::Check { file } => check(&file, &settings).await,
        Plugins::New(wanted) => new::new(wanted),
        Plugins::Test(wanted) => test::test(wanted, &settings).await,
    }
}

/// Loads a copy in a folder of its own, the way the host loads its plugins.
async fn check(file: &Path, settings: &Settings) -> Result<u8, Failed> {
    let folder = tempfile::tempdir()?;
    let name = file.file_name().context("name a file").map_err(Failed::usage)?;
    std::fs::copy(file, folder.path().join(name))
        .with_context(|| format!("can't read {}", file.display()))
        .map_err(Failed::usage)?;
    let dirs = vec![folder.path().to_owned()];
    let wanted = plugin::Settings { dirs, ledger_dir: None, ..plugin_settings(settings) };
    let catalog = Runtime::start(wanted).await.map_err(Failed::usage)?.catalog();
    if let Some(refused) = catalog.refused.first() {
        say!("{BAD}✗{BAD:#} {}: {}", file.display(), refused.reason)?;
        say!("  {}", refused.remedy)?;
        return Ok(exit::OTHERWISE);
    }
    match catalog.loaded.first() {
        Some(loaded) => {
            say!("{GOOD}✓{GOOD:#} {} is a {} the host would load", loaded.name, loaded.kind)?;
            Ok(0)
        }
        None => {
            let error = anyhow::anyhow!("{} does not end in .wasm", file.display());
            Err(Failed { code: exit::USAGE, error })
        }
    }
}

fn list(catalog: &Catalog, json: bool) -> anyhow::Result<()> {
    if json {
        say!("{}", serde_json::to_string_pretty(catalog)?)?;
        return Ok(());
    }
    if catalog.loaded.is_empty() && catalog.refused.is_empty() {
        say!("no plugin found; name their folder with --plugins DIR")?;
    }
    for plugin in &catalog.loaded {
        say!(
            "{:<20} {:<8} {} {:>8.1} kB  {}",
            plugin.name,
            plugin.kind.to_string(),
            plugin.digest.short(),
            plugin.size_bytes as f64 / 1000.0,
            plugin.file.display()
        )?;
    }
    for refused in &catalog.refused {
        let status = status(refused.status);
        say!("{BAD}{status}{BAD:#} {}: {}", refused.file.display(), refused.reason)?;
        say!("        {FAINT}{}{FAINT:#}", refused.remedy)?;
    }
    Ok(())
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Refused => "refused",
        Status::HeldBack => "held back",
        Status::Withdrawn => "withdrawn",
    }
}

fn show(inspection: &Inspection) -> std::io::Result<()> {
    let kind = inspection.kind.map_or_else(|| "unknown".to_owned(), |kind| kind.to_string());
    let form = if inspection.component { "component" } else { "core module, componentized at load" };
    say!("{}  {kind}", inspection.name)?;
    say!("  file      {} ({} bytes, {form})", inspection.file.display(), inspection.size_bytes)?;
    say!("  digest    {}", inspection.digest)?;
    if let Some(contract) = &inspection.contract {
        say!("  contract  {contract}")?;
    }
    for export in &inspection.exports {
        say!("  exports   {export}")?;
    }
    for import in &inspection.imports {
        let mark = if import.granted { "granted" } else { "not granted" };
        say!("  imports   {:<38} {mark}: {}", import.name, import.allows)?;
    }
    if let Some(limits) = &inspection.limits {
        say!(
            "  limits    {} ms compute, {} ms wall, {} MiB memory, {} KiB output",
            limits.compute_ms,
            limits.wall_ms,
            limits.memory_bytes >> 20,
            limits.output_bytes >> 10
        )?;
    }
    for missing in &inspection.missing {
        say!("  {BAD}lacks{BAD:#}     {}\n            {}", missing.what, missing.remedy)?;
    }
    if let Some((reason, remedy)) = &inspection.refusal {
        say!("  {BAD}refused{BAD:#}   {reason}\n            {remedy}")?;
    }
    Ok(())
}
