//! What a form has to know before it can be filled in: defaults, limits, samples.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Api;
use crate::config::Role;
use crate::samples::{self, Sample};
use crate::task::Budget;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct About {
    version: &'static str,
    /// Whether this process works on tasks itself. If not, another one has to.
    worker: bool,
    /// Models are answered from recordings: only the samples can be worked on.
    replay: bool,
    /// What a task may spend unless it says otherwise; `rounds` is the default pipeline's.
    budget: Budget,
    /// The models that pipelines can name.
    models: Vec<ModelName>,
    limits: SubmitLimits,
    /// Folders of git repositories on this host that a task may start from.
    git_dirs: Vec<String>,
    /// Addresses at or below which are git repositories that a task may start from.
    git_urls: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ModelName {
    name: String,
    /// The vendor's name for it.
    model: String,
    adapter: String,
    /// Whether a call's cost is known.
    priced: bool,
}

/// What a submission may hold.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SubmitLimits {
    goal_bytes: usize,
    /// All files together.
    tree_bytes: u64,
    files: usize,
}

/// This host: defaults and limits.
#[utoipa::path(get, path = "/api/v1/about", responses((status = 200, body = About)))]
pub(super) async fn about(State(api): State<Api>) -> Json<About> {
    let settings = &api.settings;
    let rounds = settings.pipelines.get(&settings.pipeline).map_or(1, |pipeline| pipeline.max_rounds);
    let models = settings.models.iter().map(|(name, model)| ModelName {
        name: name.clone(),
        model: model.model.clone(),
        adapter: model.adapter.clone(),
        priced: model.price_input >= 0.0 && model.price_output >= 0.0,
    });
    let limits = api.snapshots.limits();
    Json(About {
        version: env!("CARGO_PKG_VERSION"),
        worker: settings.role == Role::All,
        replay: !settings.replay.as_os_str().is_empty(),
        budget: settings.budget.resolve(rounds),
        models: models.collect(),
        limits: SubmitLimits {
            goal_bytes: crate::submission::MAX_GOAL_BYTES,
            tree_bytes: limits.bytes,
            files: limits.files,
        },
        git_dirs: settings.api.git_dirs.iter().map(|dir| dir.display().to_string()).collect(),
        git_urls: settings.api.git_urls.iter().map(ToString::to_string).collect(),
    })
}

/// Small tasks to try a host with.
#[utoipa::path(get, path = "/api/v1/samples", responses((status = 200, body = Vec<Sample>)))]
pub(super) async fn samples() -> Json<Vec<Sample>> {
    Json(samples::all())
}
