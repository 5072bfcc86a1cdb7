//! Logs on stderr, for eyes or as JSON lines, or in the journal; counters for Prometheus; spans for a collector.

pub mod metrics;
pub mod spans;

use std::error::Error;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// What an error was caused by, the nearest first.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// An error with its causes, in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}

/// Starts logging for the life of the process. A filter that does not parse is an error that quotes it.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    use std::io::IsTerminal as _;
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        anyhow::anyhow!("log: {filter:?} is not a filter such as `info` or `aiagent_host=debug`: {error}")
    })?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
        LogFormat::Journald => {
            let journal = tracing_journald::layer().context(
                "log_format journald: systemd's journal can't be reached; use text or json where it does not run",
            )?;
            registry.with(journal.with_field_prefix(Some("AIAGENT".to_owned()))).try_init()
        }
    };
    // A second host in the same process (a test) logs through the first one's.
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
    Ok(())
}
