//! What a configuration can say and no host can do.

use super::{ConfigError, Listen, Settings};
use crate::store::RedisConfig;
use crate::task::Place;
use crate::workspace::Globs;

/// The largest tree that can be configured.
const MAX_TREE_MIB: u64 = 4096;

/// A shorter lease is lost to a busy disk, and a task whose worker died should not wait longer.
const LEASES_S: std::ops::RangeInclusive<u64> = 2..=600;

/// A day: whoever waits longer for a model wants another one.
const MAX_RETRY_S: f64 = 86_400.0;

/// Refuses the first value that its type allows and that makes no sense.
pub(super) fn check(settings: &Settings) -> Result<(), ConfigError> {
    let bad = |key: &str, message: String| Err(ConfigError::Bad { origin: key.to_owned(), message });
    match RedisConfig::check_url(&settings.store) {
        Some(checked) => checked.or_else(|message| bad("store", message))?,
        None if settings.store.starts_with("sqlite:") || settings.store == "memory" => {}
        None => {
            let message =
                format!("{:?} is no store; use sqlite:PATH, redis://HOST:PORT or memory", settings.store);
            return bad("store", message);
        }
    }
    let metrics = &settings.metrics_listen;
    if !metrics.is_empty()
        && let Err(wrong) = Listen::try_from(metrics.clone())
    {
        return bad("metrics_listen", wrong);
    }
    if let Err(wrong) = is_collector(&settings.telemetry.otlp_endpoint) {
        return bad("telemetry.otlp_endpoint", wrong);
    }
    settings.api.check().or_else(|(key, message)| bad(key, message))?;
    settings.oidc.check().or_else(|(key, message)| bad(key, message))?;
    if settings.redis.prefix.is_empty() || settings.redis.prefix.contains(['{', '}']) {
        return bad("redis.prefix", "must be set, and have no { or }".to_owned());
    }
    if settings.redis.timeout_s == 0 {
        return bad("redis.timeout_s", "must be at least 1".to_owned());
    }
    if !settings.pipelines.contains_key(&settings.pipeline) {
        let known: Vec<&str> = settings.pipelines.keys().map(String::as_str).collect();
        return bad(
            "pipeline",
            format!("no pipeline {:?}; there are: {}", settings.pipeline, known.join(", ")),
        );
    }
    for name in settings.queues.keys().filter(|name| *name != "*") {
        let place = Place { queue: name.clone(), ..Place::default() };
        place.check().or_else(|wrong| bad(&format!("queues.{name}"), wrong))?;
    }
    if settings.worker.tasks == 0 {
        return bad("worker.tasks", "must be at least 1".to_owned());
    }
    for (key, value) in [("wall_s", settings.budget.wall_s), ("compute_s", settings.budget.compute_s)] {
        if value == 0 {
            return bad(&format!("budget.{key}"), "must be at least 1: no step could start".to_owned());
        }
    }
    // Trees live in memory while a step works on them.
    if !(1..=MAX_TREE_MIB).contains(&settings.workspace.max_mib) {
        return bad("workspace.max_mib", format!("must be from 1 to {MAX_TREE_MIB}"));
    }
    if settings.workspace.max_files == 0 {
        return bad("workspace.max_files", "must be at least 1".to_owned());
    }
    if !LEASES_S.contains(&settings.worker.lease_s) {
        let (shortest, longest) = (LEASES_S.start(), LEASES_S.end());
        return bad("worker.lease_s", format!("must be from {shortest} to {longest}"));
    }
    let worker = &settings.worker;
    for (key, seconds) in
        [("model_retry_s", worker.model_retry_s), ("model_retry_longest_s", worker.model_retry_longest_s)]
    {
        if !(0.0..=MAX_RETRY_S).contains(&seconds) {
            return bad(&format!("worker.{key}"), format!("must be from 0 to {MAX_RETRY_S}"));
        }
    }
    if !(1.0..=100.0).contains(&worker.model_retry_factor) {
        return bad("worker.model_retry_factor", "must be from 1 to 100".to_owned());
    }
    if settings.budget.cost.is_sign_negative() || !settings.budget.cost.is_finite() {
        return bad("budget.cost", "must be 0 (no limit) or a positive number".to_owned());
    }
    if settings.watch.poll_ms == 0 {
        return bad("watch.poll_ms", "must be at least 1".to_owned());
    }
    for (name, limits) in &settings.plugins {
        for (key, digest) in [("digest", &limits.digest), ("sha256", &limits.sha256)] {
            if let Some(digest) = digest.as_ref().filter(|digest| !digest.is_whole()) {
                return bad(
                    &format!("plugins.{name}.{key}"),
                    format!(
                        "{digest} is no digest; `aiagent-host plugins inspect FILE` prints it: sha256: and 64 hex digits"
                    ),
                );
            }
        }
        for (key, value) in [("compute_ms", limits.compute_ms), ("wall_ms", limits.wall_ms)] {
            if value == Some(0) {
                return bad(&format!("plugins.{name}.{key}"), "must be at least 1".to_owned());
            }
        }
        // WebAssembly addresses memory with 32 bits.
        if limits.memory_mib.is_some_and(|mib| !(1..=4096).contains(&mib)) {
            return bad(&format!("plugins.{name}.memory_mib"), "must be from 1 to 4096".to_owned());
        }
    }
    for (name, model) in &settings.models {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        // Not quoted: it is likely the key itself.
        if !model.key_env.bytes().all(named) {
            let message = "is no variable's name; it names the variable that holds the key";
            return bad(&format!("models.{name}.key_env"), message.to_owned());
        }
    }
    for (name, pipeline) in &settings.pipelines {
        let key = |field: &str| format!("pipelines.{name}.{field}");
        if pipeline.max_rounds == 0 {
            return bad(&key("max_rounds"), "must be at least 1".to_owned());
        }
        if pipeline.candidates == 0 {
            return bad(&key("candidates"), "must be at least 1".to_owned());
        }
        if pipeline.builder.is_empty() || pipeline.checker.is_empty() {
            return bad(&key("builder"), "a pipeline needs a builder and a checker".to_owned());
        }
        if let Some(hot) = pipeline.temperatures.iter().find(|t| !(0.0..=2.0).contains(*t)) {
            return bad(&key("temperatures"), format!("{hot} is not between 0 and 2"));
        }
        if let Err(error) = Globs::new(&pipeline.protected) {
            return bad(&key("protected"), error.to_string());
        }
        let missing = !pipeline.model.is_empty() && !settings.models.contains_key(&pipeline.model);
        // The default pipeline may wait for its model: the host says so when a task wants it.
        if missing && pipeline.model != "default" {
            return bad(&key("model"), format!("there is no section [models.{}]", pipeline.model));
        }
    }
    Ok(())
}

fn is_collector(endpoint: &str) -> Result<(), String> {
    if endpoint.is_empty() {
        return Ok(());
    }
    let url = reqwest::Url::parse(endpoint);
    let url =
        url.map_err(|error| format!("{endpoint:?} is no URL such as http://localhost:4318: {error}"))?;
    match matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && url.query().is_none() {
        true => Ok(()),
        false => Err(format!("{endpoint:?} is no http or https URL such as http://localhost:4318")),
    }
}
