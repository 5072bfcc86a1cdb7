//! `aiagent-host plugins status`.

use serde_json::Value;

use super::http::Client;
use crate::cli::Failed;
use crate::cli::args::PluginStatus;
use crate::cli::paint::{BAD, FAINT, STEP};
use crate::config::Settings;

/// How much of the history is shown; `--json` has all that the service keeps.
const CHANGES: usize = 10;

pub(in crate::cli) async fn plugin_status(args: PluginStatus, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&args.server, settings)?;
    let listing: Value = client.send(client.get("/api/v1/plugins")).await?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&listing)?)?;
        return Ok(0);
    }
    say!("{STEP}generation {}{STEP:#}", listing["generation"])?;
    for plugin in list(&listing, "loaded") {
        let uses = &plugin["uses"];
        let rate = uses["pass_rate"].as_f64().map_or("-".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
        let trial = match plugin["before"].as_str() {
            Some(before) => format!("  on trial, before it {}", short(before)),
            None => String::new(),
        };
        say!(
            "{:<20} {:<8} {}  {:>6} calls  {rate:>5}{trial}",
            text(plugin, "name"),
            text(plugin, "kind"),
            short(text(plugin, "digest")),
            uses["calls"]
        )?;
        if let Some(trap) = uses["last_trap"]["message"].as_str() {
            say!("        {FAINT}{trap}{FAINT:#}")?;
        }
    }
    for refused in list(&listing, "refused") {
        let status = text(refused, "status").replace('-', " ");
        say!("{BAD}{status}{BAD:#} {}: {}", text(refused, "file"), text(refused, "reason"))?;
        say!("        {FAINT}{}{FAINT:#}", text(refused, "remedy"))?;
        if let Some(serving) = refused["still_serving"].as_str() {
            say!("        {FAINT}{} serves on{FAINT:#}", short(serving))?;
        }
    }
    let history = list(&listing, "history");
    for change in &history[history.len().saturating_sub(CHANGES)..] {
        let digest = |key: &str| change[key].as_str().map_or("-", short).to_owned();
        let (what, plugin) = (text(change, "what"), text(change, "plugin"));
        let (from, to) = (digest("from"), digest("to"));
        say!("{FAINT}{:>6}  {what:<9} {plugin:<20} {from} → {to}{FAINT:#}", change["generation"])?;
    }
    Ok(0)
}

fn list<'a>(listing: &'a Value, key: &str) -> &'a [Value] {
    listing[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn short(digest: &str) -> &str {
    digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or(digest)
}
