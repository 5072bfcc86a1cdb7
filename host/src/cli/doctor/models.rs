//! Can each model be asked?

use crate::app::{mode, model_configs};
use crate::cli::findings::Findings;
use crate::config::Settings;
use crate::model::{Door, Mode, ModelError};
use crate::plugin::{Catalog, Kind};

/// Returns what time the last server that answered says it is.
pub(super) async fn models(
    settings: &Settings,
    catalog: Option<&Catalog>,
    findings: &mut Findings,
) -> Option<String> {
    let mut date = None;
    let configs = match model_configs(settings) {
        Ok(configs) => configs,
        Err(error) => {
            findings.error("models", format!("{error:#}"), "correct it in aiagent.toml");
            return None;
        }
    };
    if configs.is_empty() {
        findings.error(
            "models",
            "none is configured",
            "AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME in /etc/ai-agent/env, or [models.default] in aiagent.toml",
        );
        return None;
    }
    let replayed = matches!(mode(settings), Mode::Replay(_));
    let names: Vec<(String, String)> =
        configs.iter().map(|config| (config.name.clone(), config.adapter.clone())).collect();
    // A recording is only read here, never begun.
    let mode = if replayed { mode(settings) } else { Mode::Live };
    let door = match Door::new(configs, mode) {
        Ok(door) => door,
        Err(error) => {
            findings.error("models", error.to_string(), "correct it in aiagent.toml");
            return None;
        }
    };
    for (name, adapter) in names {
        let loaded = catalog.and_then(|catalog| catalog.find(&adapter));
        if catalog.is_some() && loaded.is_none_or(|loaded| loaded.kind != Kind::Adapter) {
            let found = format!("{name}: no adapter plugin {adapter} is loaded");
            findings.error(
                "models",
                found,
                format!(
                    "put {adapter}.wasm into a plugins folder, or name another in [models.{name}] adapter"
                ),
            );
            continue;
        }
        match door.reach(&name).await {
            Ok(Some((status, at))) => {
                date = at.or(date);
                findings.ok("models", format!("{name}: its server answers (HTTP {status} without a key)"));
            }
            Ok(None) if replayed => findings.ok("models", format!("{name}: answered from recordings")),
            Ok(None) => {
                findings.ok("models", format!("{name}: at the adapter's own address, which only a task asks"))
            }
            Err(ModelError::Auth(why)) => {
                findings.error(
                    "models",
                    format!("{name}: {why}"),
                    "put the key there, or into /etc/ai-agent/env",
                );
            }
            Err(error) => {
                let remedy = format!("is its server running, and is [models.{name}] base_url right?");
                findings.error("models", format!("{name}: {error}"), remedy);
            }
        }
    }
    date
}
