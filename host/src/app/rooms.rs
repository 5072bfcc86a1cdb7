//! From the configuration to what each room takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::config::{Model, Settings};
use crate::exec::{ExecLimits, SandboxConfig};
use crate::model::{Allow, KeySource, Mode, ModelConfig, Price, Replay};
use crate::plugin::{self, Code, Watch};
use crate::store::{
    Clock, Fsync, MemoryStore, RedisConfig, RedisStore, SqliteStore, Store, without_password,
};
use crate::workspace::Limits;

pub fn tree_limits(settings: &Settings) -> Limits {
    Limits { bytes: settings.workspace.max_mib.saturating_mul(1 << 20), files: settings.workspace.max_files }
}

pub fn plugin_settings(settings: &Settings) -> plugin::Settings {
    plugin::Settings {
        dirs: settings.plugins_dir.clone(),
        cache_dir: Some(settings.cache_dir.clone()),
        code: Code::new(settings.interpreter),
        // Whatever happens to its file, this is the program that runs.
        compiler: Some(PathBuf::from("/proc/self/exe")),
        ledger_dir: Some(settings.state_dir.join("plugins")),
        try_out: true,
        plugins: settings.plugins.clone(),
        max_calls: max_calls(settings.worker.tasks),
    }
}

pub(super) fn watch(settings: &Settings) -> Watch {
    Watch {
        quiet: Duration::from_millis(settings.watch.quiet_ms),
        poll: Duration::from_millis(settings.watch.poll_ms),
        events: settings.watch.events,
    }
}

/// Each task holds a step and, while its model answers, a decoder; a check may run inside the step.
fn max_calls(tasks: usize) -> Option<u32> {
    const CALLS_PER_TASK: usize = 3;
    u32::try_from(tasks.saturating_mul(CALLS_PER_TASK)).ok().filter(|calls| *calls > plugin::DEFAULT_CALLS)
}

/// How long an ended task stays.
pub fn keep(settings: &Settings) -> Duration {
    match settings.keep_days {
        0 => Duration::MAX,
        days => Duration::from_secs(days.saturating_mul(24 * 60 * 60)),
    }
}

pub async fn open_store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    if settings.store.starts_with("redis") {
        return Ok(Arc::new(open_redis(settings).await?));
    }
    let Some(path) = settings.store.strip_prefix("sqlite:") else {
        return Ok(Arc::new(MemoryStore::default()));
    };
    let path = PathBuf::from(path);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private(folder).with_context(|| format!("can't use the folder {}", folder.display()))?;
    }
    let (opened, fsync) = (path.clone(), settings.sqlite.fsync);
    if fsync == Fsync::Everysec {
        tracing::info!(
            "a power cut may lose the last second or two (sqlite.fsync everysec; always loses nothing)"
        );
    }
    let open = move || SqliteStore::open_with(&opened, fsync, Clock::system());
    let opened = tokio::task::spawn_blocking(open).await.context("opening the store")?;
    Ok(Arc::new(opened.with_context(|| format!("can't open the store {}", path.display()))?))
}

pub async fn open_redis(settings: &Settings) -> anyhow::Result<RedisStore> {
    let opened = RedisStore::open(redis_config(settings)?).await;
    opened.with_context(|| format!("can't open the store {}", without_password(&settings.store)))
}

fn redis_config(settings: &Settings) -> anyhow::Result<RedisConfig> {
    let redis = &settings.redis;
    let ca = match redis.ca_file.as_os_str().is_empty() {
        true => None,
        false => {
            let pem = std::fs::read(&redis.ca_file);
            Some(pem.with_context(|| format!("can't read redis.ca_file {}", redis.ca_file.display()))?)
        }
    };
    Ok(RedisConfig {
        url: settings.store.clone(),
        prefix: redis.prefix.clone(),
        username: redis.username.clone(),
        password: redis.password.clone(),
        sentinel_password: redis.sentinel_password.clone(),
        ca,
        wait_replicas: redis.wait_replicas,
        timeout: Duration::from_secs(redis.timeout_s),
    })
}

pub fn mode(settings: &Settings) -> Mode {
    let set = |path: &Path| !path.as_os_str().is_empty();
    if set(&settings.replay) {
        Mode::Replay(Replay { paths: vec![settings.replay.clone()], pace: 0.0, cycle: true })
    } else if set(&settings.record) {
        Mode::Record(settings.record.clone())
    } else {
        Mode::Live
    }
}

pub fn model_configs(settings: &Settings) -> anyhow::Result<Vec<ModelConfig>> {
    let mut configs = Vec::with_capacity(settings.models.len());
    for (name, model) in &settings.models {
        configs.push(model_config(name, model).with_context(|| format!("[models.{name}]"))?);
    }
    // A recording holds its models' answers; it only needs their names.
    if matches!(mode(settings), Mode::Replay(_)) && !settings.models.contains_key("default") {
        configs.push(ModelConfig::new("default", Model::default().adapter, "recorded"));
    }
    Ok(configs)
}

fn model_config(name: &str, model: &Model) -> anyhow::Result<ModelConfig> {
    let key = match (model.key_env.as_str(), &model.key_file) {
        ("", file) if file.as_os_str().is_empty() => KeySource::None,
        ("", file) => KeySource::File(file.clone()),
        (variable, file) => {
            anyhow::ensure!(file.as_os_str().is_empty(), "set either key_env or key_file, not both");
            KeySource::Env(variable.to_owned())
        }
    };
    if let KeySource::File(file) = &key
        && open_to_others(file)
    {
        tracing::warn!(file = %file.display(), "others can read this key: chmod 600 it ([models.{name}] key_file)");
    }
    let allow = model.allow.iter().map(|entry| entry.parse::<Allow>().context("allow"));
    let price = |price: f64| (price >= 0.0).then(|| Price::per_million_tokens((price * 1e6).round() as u64));
    Ok(ModelConfig {
        base_url: (!model.base_url.is_empty()).then(|| model.base_url.clone()),
        key,
        context_window: model.context_window,
        price_input: price(model.price_input),
        price_output: price(model.price_output),
        first_byte_timeout: Duration::from_secs(model.first_byte_timeout_s),
        idle_timeout: Duration::from_secs(model.idle_timeout_s),
        total_timeout: Duration::from_secs(model.total_timeout_s),
        retries: model.retries,
        parallel: model.parallel,
        requests_per_minute: model.requests_per_minute,
        tokens_per_minute: model.tokens_per_minute,
        allow: allow.collect::<anyhow::Result<_>>()?,
        stream: model.stream,
        extra: model.extra.clone(),
        ..ModelConfig::new(name, &model.adapter, &model.model)
    })
}

/// A file that can't be looked at is reported when the key is read.
fn open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

pub fn sandbox_config(settings: &Settings) -> SandboxConfig {
    let default = SandboxConfig::default();
    SandboxConfig {
        parallel: if settings.exec.parallel == 0 { default.parallel } else { settings.exec.parallel },
        read_only: settings.exec.read_only.clone(),
        env: settings.exec.env.clone().into_iter().collect(),
        user: Some(settings.exec.user),
        ..default
    }
}

pub(super) fn exec_limits(settings: &Settings) -> ExecLimits {
    ExecLimits {
        timeout: Duration::from_secs(settings.exec.timeout_s),
        memory_bytes: settings.exec.memory_mib.saturating_mul(1 << 20),
        disk_bytes: settings.exec.disk_mib.saturating_mul(1 << 20),
        processes: settings.exec.processes,
        ..ExecLimits::default()
    }
}

/// A folder that only this user can look into: it holds goals, code and compiled plugins.
pub(super) fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if folder.is_dir() {
        return Ok(());
    }
    if folder.exists() {
        return Err(std::io::Error::other("there is something of that name that is no folder"));
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

pub(super) fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "host".to_owned(), |name| name.trim().to_owned())
}

/// What this process is called among the workers.
pub(super) fn worker_name(settings: &Settings) -> String {
    match settings.worker.name.as_str() {
        "" => format!("{}-{}", host_name(), std::process::id()),
        name => name.to_owned(),
    }
}
