//! `aiagent-host`, `aiagent-host serve`.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failed;
use crate::app::{Host, plugin_settings};
use crate::config::Settings;
use crate::plugin::Status;

pub(super) async fn serve(settings: Settings) -> Result<u8, Failed> {
    let plugins = plugin_settings(&settings);
    let host = Host::assemble(settings, plugins).await.map_err(Failed::usage)?;
    tell(&host);
    let stop = CancellationToken::new();
    tokio::spawn(watch_signals(stop.clone())?);
    host.serve(stop, |address| {
        tracing::info!("serving http://{address}  (API: /api/openapi.json)");
    })
    .await
    .map_err(Failed::usage)?;
    tracing::info!("drained, goodbye");
    Ok(0)
}

/// The first SIGINT or SIGTERM drains; the second ends the process at once.
pub(super) fn watch_signals(
    stop: CancellationToken,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        let first = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        };
        tracing::info!("{first}: draining; once more to stop at once");
        stop.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::warn!("stopping at once: running tasks go on when their leases have run out");
        std::process::exit(130);
    })
}

/// What the operator should know about this start.
fn tell(host: &Host) {
    let catalog = host.runtime.catalog();
    for plugin in &catalog.loaded {
        tracing::info!(plugin = %plugin.name, kind = %plugin.kind, digest = %plugin.digest.short(), "loaded");
    }
    for refused in &catalog.refused {
        let (file, reason) = (refused.file.display(), &refused.reason);
        match refused.status {
            Status::Refused => {
                tracing::warn!(plugin.file = %file, remedy = refused.remedy, "plugin refused: {reason}");
            }
            Status::HeldBack => {
                tracing::warn!(plugin.file = %file, remedy = refused.remedy, "plugin held back: {reason}");
            }
            Status::Withdrawn => {
                tracing::warn!(plugin.file = %file, remedy = refused.remedy, "plugin {reason}");
            }
        }
    }
    if catalog.loaded.is_empty() {
        tracing::warn!(
            "no plugin is loaded: name their folder with --plugins DIR (`make build` makes target/plugins)"
        );
    }
    if host.settings.models.is_empty() {
        tracing::warn!(
            "no model is configured: set AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME (and AIAGENT_MODEL_KEY), \
             or a [models.default] section in aiagent.toml"
        );
    }
}
