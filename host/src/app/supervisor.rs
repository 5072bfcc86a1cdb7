//! What systemd is told where it started the host: that it serves, that it is alive, that it drains.
//! Elsewhere there is nobody to tell, and nothing happens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::store::Store;
use crate::worker::Pulse;

/// Beats in the time after which systemd takes the host for dead: one may come late.
const BEATS: u32 = 3;

pub(super) struct Supervisor {
    stopping: JoinHandle<()>,
    _watchdog: Option<AbortOnDropHandle<()>>,
}

impl Supervisor {
    /// Tells that connections are taken. The watchdog, where the unit asks for one, then beats for as
    /// long as the store answers and, before `stop`, the worker with this pulse comes to its claims.
    pub(super) fn start(
        address: SocketAddr,
        store: Arc<dyn Store>,
        pulse: Option<Pulse>,
        stop: CancellationToken,
    ) -> Self {
        tell(&[NotifyState::Ready, NotifyState::Status(&format!("serving http://{address}"))]);
        let watchdog = sd_notify::watchdog_enabled().map(|limit| {
            let watch = watch(limit, store, pulse, stop.clone());
            AbortOnDropHandle::new(tokio::spawn(watch))
        });
        let stopping = tokio::spawn(async move {
            stop.cancelled().await;
            tell(&[NotifyState::Stopping, NotifyState::Status("draining")]);
        });
        Self { stopping, _watchdog: watchdog }
    }

    /// Returns once the stop has been told of; it must have been asked for.
    pub(super) async fn end(self) {
        if let Err(error) = self.stopping.await {
            tracing::warn!(%error, "systemd was not told of the stop");
        }
    }
}

async fn watch(limit: Duration, store: Arc<dyn Store>, pulse: Option<Pulse>, stop: CancellationToken) {
    let every = limit / BEATS;
    let mut silent = false;
    loop {
        let claims = match &pulse {
            Some(pulse) if !stop.is_cancelled() => pulse.age() < limit / 2,
            _ => true,
        };
        let stats = tokio::time::timeout(every, store.stats()).await;
        let trouble = match stats {
            _ if !claims => Some("no claim was answered for a while".to_owned()),
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the store does not answer in time".to_owned()),
        };
        match trouble {
            None => {
                silent = false;
                tell(&[NotifyState::Watchdog]);
            }
            Some(trouble) if !silent => {
                silent = true;
                tracing::error!(
                    limit_s = limit.as_secs(),
                    "the watchdog does not beat: {trouble}; systemd restarts the service if this goes on"
                );
            }
            Some(_) => {}
        }
        tokio::time::sleep(every).await;
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd can't be told how the service is");
    }
}
