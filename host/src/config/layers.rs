//! Defaults, file, environment, command line: merged, with the origin of every value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::check::check;
use super::{Config, ConfigError, Environment, Paths, Settings, paths};

/// Values of the command line, by dotted key.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub config: Option<PathBuf>,
    /// The command looks after a service: the file `env` beside the configuration file counts as it does
    /// for the service, and with the system's configuration file so do the folders of the service.
    pub of_service: bool,
    pub values: Vec<(&'static str, Value)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
    Flag,
}

/// The variables of the quick start; they make a model named `default`.
const QUICK_START: [&str; 4] =
    ["AIAGENT_MODEL_URL", "AIAGENT_MODEL_NAME", "AIAGENT_MODEL_KEY", "AIAGENT_MODEL_ADAPTER"];

/// Keys a variable can set: `AIAGENT_` and the key in capitals with `_` for dots.
const KEYS: [&str; 66] = [
    "plugins_dir",
    "listen",
    "metrics_listen",
    "store",
    "keep_days",
    "role",
    "server",
    "state_dir",
    "cache_dir",
    "interpreter",
    "token",
    "tokens_file",
    "log",
    "log_format",
    "pipeline",
    "record",
    "replay",
    "api.change_plugins",
    "api.cors_origins",
    "api.trusted_proxies",
    "api.timeout_s",
    "api.git_dirs",
    "api.git_urls",
    "oidc.issuer",
    "oidc.name",
    "oidc.client_id",
    "oidc.client_secret_env",
    "oidc.public_url",
    "oidc.scopes",
    "oidc.role_claim",
    "oidc.log_out",
    "oidc.default_role",
    "worker.name",
    "worker.tasks",
    "worker.grace_s",
    "worker.lease_s",
    "worker.model_retries",
    "worker.model_retry_s",
    "worker.model_retry_factor",
    "worker.model_retry_longest_s",
    "sqlite.fsync",
    "redis.prefix",
    "redis.username",
    "redis.password",
    "redis.sentinel_password",
    "redis.ca_file",
    "redis.wait_replicas",
    "redis.timeout_s",
    "workspace.max_mib",
    "workspace.max_files",
    "budget.tokens",
    "budget.cost",
    "budget.wall_s",
    "budget.compute_s",
    "exec.read_only",
    "exec.user",
    "exec.timeout_s",
    "exec.memory_mib",
    "exec.disk_mib",
    "exec.processes",
    "exec.parallel",
    "watch.quiet_ms",
    "watch.poll_ms",
    "watch.events",
    "telemetry.otlp_endpoint",
    "telemetry.otlp_store_calls",
];

/// Whether a string under this key must not be shown.
pub fn is_secret(key: &str, text: &str) -> bool {
    let names = ["token", "password", "secret"];
    !text.is_empty() && names.iter().any(|name| key == *name || key.ends_with(&format!("_{name}")))
}

pub(super) fn load(environment: &Environment, overrides: Overrides) -> Result<Config, ConfigError> {
    if let Some(name) = environment.unreadable() {
        let message = "its value is not UTF-8; set it anew, or unset it".to_owned();
        return Err(ConfigError::Bad { origin: name.to_owned(), message });
    }
    let executable = std::env::current_exe().ok();
    let mut paths = Paths::new(environment, executable.as_deref());
    let mut merged = Table::try_from(Settings::default()).expect("the defaults serialise");
    let mut origins = BTreeMap::new();

    let asked = overrides.config.or_else(|| environment.get("AIAGENT_CONFIG").map(PathBuf::from));
    let file = asked.or_else(|| paths.config_files.iter().find(|path| path.is_file()).cloned());
    if let Some(path) = &file {
        let table = read_file(path)?;
        overlay(&mut merged, table, "", &Origin::File(path.clone()), &mut origins);
    }
    let mut environment = environment.clone();
    let mut warnings = Vec::new();
    if let Some(file) = file.as_deref().filter(|_| overrides.of_service) {
        if file == Path::new(paths::SYSTEM_CONFIG) {
            paths = paths.of_service();
        }
        warnings.extend(environment.underlay(&file.with_file_name("env")));
    }
    let environment = environment;
    // One at a time, so that an error has its origin.
    let parse = |merged: &Table, origin: String| -> Result<Settings, ConfigError> {
        merged.clone().try_into().map_err(|error| bad(origin, &error))
    };
    for (table, origin) in variables(&environment)? {
        overlay(&mut merged, table, "", &origin, &mut origins);
        parse(&merged, origin.to_string())?;
    }
    for (key, value) in overrides.values {
        overlay(&mut merged, nest(key, value), "", &Origin::Flag, &mut origins);
        parse(&merged, format!("{} ({key})", Origin::Flag))?;
    }

    let mut settings = parse(&merged, "configuration".to_owned())?;
    fill_paths(&mut settings, &mut merged, &paths);
    spell_out(&mut merged, Table::try_from(&settings).expect("settings serialise"));
    check(&settings)?;
    warnings.extend(unknown_variables(&environment, &settings));
    Ok(Config { settings, warnings, file, environment, origins, merged })
}

/// A file is parsed on its own first, so that an error has its line.
fn read_file(path: &std::path::Path) -> Result<Table, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
    let origin = |error: &toml::de::Error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        line.map_or_else(|| path.display().to_string(), |line| format!("{}:{line}", path.display()))
    };
    toml::from_str::<Settings>(&text).map_err(|error| bad(origin(&error), &error))?;
    toml::from_str(&text).map_err(|error| bad(origin(&error), &error))
}

fn variables(environment: &Environment) -> Result<Vec<(Table, Origin)>, ConfigError> {
    let defaults = Table::try_from(Settings::default()).expect("the defaults serialise");
    let mut layers = Vec::new();
    for key in KEYS {
        let name = variable(key);
        // The flag is --plugins, so its variable may be called after it too.
        let short = "AIAGENT_PLUGINS";
        let name =
            if key == "plugins_dir" && environment.get(&name).is_none() { short.to_owned() } else { name };
        let Some(text) = environment.get(&name) else { continue };
        let mut like = defaults.get(key.split('.').next().unwrap_or(key));
        if let Some((_, inner)) = key.split_once('.') {
            like = like.and_then(|table| table.get(inner));
        }
        // What is in these lists has colons of its own.
        let commas =
            ["api.cors_origins", "api.trusted_proxies", "api.git_urls", "oidc.scopes"].contains(&key);
        let between = if commas { ',' } else { ':' };
        let value = typed(text, like, between).ok_or_else(|| ConfigError::Bad {
            origin: name.clone(),
            message: match like {
                Some(Value::Boolean(_)) => format!("{text:?} is neither true nor false"),
                _ => format!("{text:?} is not a number"),
            },
        })?;
        layers.push((nest(key, value), Origin::Variable(name)));
    }
    if let Some(name) = QUICK_START.into_iter().find(|name| environment.get(name).is_some()) {
        layers.push((quick_start(environment), Origin::Variable(name.to_owned())));
    }
    Ok(layers)
}

/// Variables that look like settings and are none. Not an error: others may set what they like.
fn unknown_variables(environment: &Environment, settings: &Settings) -> Vec<String> {
    let special = ["AIAGENT_CONFIG", "AIAGENT_PLUGINS"].into_iter().chain(QUICK_START);
    let known: Vec<String> = special.map(str::to_owned).chain(KEYS.into_iter().map(variable)).collect();
    let is_key = |name: &str| {
        settings.models.values().any(|model| model.key_env == name) || settings.oidc.client_secret_env == name
    };
    let names = environment.iter().map(|(name, _)| name).filter(|name| name.starts_with("AIAGENT_"));
    let unknown = names.filter(|name| !known.iter().any(|known| known == name) && !is_key(name));
    let say = |name: &str| {
        let nearest = known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
        let nearest = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
        format!("the variable {name} is no setting of this program{nearest}")
    };
    unknown.map(say).collect()
}

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("AIAGENT_{}", key.to_uppercase().replace('.', "_"))
}

/// A model named `default`, at an OpenAI-compatible URL unless an adapter is named too. A loopback
/// address is allowed, since whoever starts the host has just named it.
fn quick_start(environment: &Environment) -> Table {
    let mut model = Table::new();
    let mut set = |key: &str, value: Value| model.insert(key.to_owned(), value);
    let url = environment.get("AIAGENT_MODEL_URL").unwrap_or("");
    set("base_url", url.into());
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', '?']).next().unwrap_or("");
    if host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]") {
        set("allow", Value::Array(vec!["127.0.0.0/8".into(), "::1".into()]));
        // Local servers mostly answer one request at a time; a queue here is better than timeouts there.
        set("parallel", Value::Integer(4));
    }
    if let Some(name) = environment.get("AIAGENT_MODEL_NAME") {
        set("model", name.into());
    }
    if let Some(adapter) = environment.get("AIAGENT_MODEL_ADAPTER") {
        set("adapter", adapter.into());
    }
    if environment.get("AIAGENT_MODEL_KEY").is_some() {
        set("key_env", "AIAGENT_MODEL_KEY".into());
    }
    nest("models.default", Value::Table(model))
}

/// Reads a variable as the kind of value its default is.
fn typed(text: &str, like: Option<&Value>, between: char) -> Option<Value> {
    Some(match like {
        Some(Value::Integer(_)) => Value::Integer(text.parse().ok()?),
        Some(Value::Boolean(_)) => Value::Boolean(text.parse().ok()?),
        Some(Value::Float(_)) => Value::Float(text.parse().ok()?),
        Some(Value::Array(_)) => {
            Value::Array(text.split(between).map(|part| Value::from(part.trim())).collect())
        }
        _ => Value::String(text.to_owned()),
    })
}

fn nest(key: &str, value: Value) -> Table {
    let (first, rest) = match key.split_once('.') {
        Some((first, rest)) => (first, Value::Table(nest(rest, value))),
        None => (key, value),
    };
    Table::from_iter([(first.to_owned(), rest)])
}

fn overlay(
    base: &mut Table,
    over: Table,
    prefix: &str,
    origin: &Origin,
    origins: &mut BTreeMap<String, Origin>,
) {
    for (key, value) in over {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(table)) => overlay(inner, table, &path, origin, origins),
            (_, Value::Table(table)) => {
                let mut inner = Table::new();
                overlay(&mut inner, table, &path, origin, origins);
                base.insert(key, Value::Table(inner));
            }
            (_, value) => {
                base.insert(key, value);
                origins.insert(path, origin.clone());
            }
        }
    }
}

fn fill_paths(settings: &mut Settings, merged: &mut Table, paths: &Paths) {
    if settings.state_dir.as_os_str().is_empty() {
        settings.state_dir.clone_from(&paths.state);
    }
    if settings.cache_dir.as_os_str().is_empty() {
        settings.cache_dir = settings.state_dir.join("compiled");
    }
    if settings.tokens_file.as_os_str().is_empty() {
        settings.tokens_file = settings.state_dir.join("tokens.json");
    }
    if settings.store.is_empty() {
        settings.store = format!("sqlite:{}", settings.state_dir.join("tasks.db").display());
    }
    if settings.plugins_dir.is_empty() {
        let found = paths.plugins.iter().filter(|path| path.is_dir()).cloned();
        settings.plugins_dir.extend(found.take(if paths.first { 1 } else { usize::MAX }));
    }
    let filled = Table::try_from(&*settings).expect("settings serialise");
    for key in ["state_dir", "cache_dir", "tokens_file", "store", "plugins_dir"] {
        if let Some(value) = filled.get(key) {
            merged.insert(key.to_owned(), value.clone());
        }
    }
}

/// Of a section with a name of its own a file says only what it sets; the rest is its defaults.
fn spell_out(merged: &mut Table, settings: Table) {
    for (key, value) in settings {
        match (merged.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(whole)) => spell_out(inner, whole),
            (Some(_), _) => {}
            (None, value) => drop(merged.insert(key, value)),
        }
    }
}

/// serde names the unknown key and all known ones; we add the nearest.
fn bad(origin: String, error: &toml::de::Error) -> ConfigError {
    let mut message = error.message().to_owned();
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(unknown) = quoted.next()
        && let Some(nearest) = quoted.min_by_key(|known| strsim::damerau_levenshtein(known, unknown))
    {
        message = format!("unknown key `{unknown}`; did you mean `{nearest}`?");
    }
    ConfigError::Bad { origin, message }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag => f.write_str("command line"),
        }
    }
}
