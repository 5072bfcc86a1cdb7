//! Changes of the plugins folders, where the operator lets administrators make them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::extract::{JsonBody, Path, Query};
use super::guard::Told;
use super::{Api, Problem, rules, spool};
use crate::plugin::PlaceError;
use crate::task::Digest;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadQuery {
    /// The plugin's name and `.wasm`.
    file: String,
    /// Whether it takes the place of one that is there.
    #[serde(default)]
    replace: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Uploaded {
    file: String,
    digest: Digest,
    /// It is there, and waits for somebody's word: why, and what to do. Absent: it is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back: Option<HeldBack>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct HeldBack {
    reason: String,
    remedy: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowBody {
    /// What was looked at. Another content is not allowed.
    digest: Digest,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NowAllowed {
    name: String,
    digest: Digest,
    /// What it may use.
    grants: Vec<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveQuery {
    /// Also where a pipeline or a model needs it.
    #[serde(default)]
    force: bool,
}

/// Puts a plugin into the plugins folder, once it has been judged, compiled and tried: what would be
/// refused is not put there. It is served when this answers.
#[utoipa::path(
    post, path = "/api/v1/plugins", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 201, body = Uploaded), (status = 200, body = Uploaded, description = "It replaced another"),
              (status = 400, body = Problem),
              (status = 403, body = Problem, description = "It needs the role administrator and api.change_plugins, and a folder that can be written"),
              (status = 409, body = Problem, description = "It is there, and was not to be replaced"),
              (status = 422, body = Problem, description = "It would be refused"))
)]
pub(super) async fn upload(
    State(api): State<Api>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    allowed(&api)?;
    let spooled = spool::body(request, rules::Body::Plugin.limit(&api), &api).await;
    let (spooled, _) = spooled.map_err(|problem| match problem.status {
        413 => Problem {
            detail: "the file is longer than a plugin may be; strip its debug information".to_owned(),
            ..problem
        },
        _ => problem,
    })?;
    let placed = api.runtime.place(&query.file, move || spooled.whole(), query.replace).await?;
    let told =
        Told { subject: query.file.clone(), detail: Some(placed.digest.to_string()), ..Told::default() };
    let held_back = placed.held_back.map(|(reason, remedy)| HeldBack { reason, remedy });
    let status = if placed.replaced { StatusCode::OK } else { StatusCode::CREATED };
    let uploaded = Uploaded { file: query.file, digest: placed.digest, held_back };
    Ok((status, Extension(told), Json(uploaded)).into_response())
}

/// Lets a plugin that asks for more than the one before it do so, as `aiagent-host plugins allow` does.
#[utoipa::path(
    post, path = "/api/v1/plugins/{file}/allow", params(("file" = String, Path)), request_body = AllowBody,
    responses((status = 200, body = NowAllowed), (status = 400, body = Problem),
              (status = 403, body = Problem, description = "It needs the role administrator and api.change_plugins"),
              (status = 404, body = Problem), (status = 409, body = Problem, description = "The file is another by now"),
              (status = 422, body = Problem))
)]
pub(super) async fn allow(
    State(api): State<Api>,
    Path(file): Path<String>,
    JsonBody(body): JsonBody<AllowBody>,
) -> Result<Response, Problem> {
    allowed(&api)?;
    let now = api.runtime.allow(&file, &body.digest).await?;
    let told = Told { subject: file, detail: Some(now.digest.to_string()), ..Told::default() };
    let now = NowAllowed { name: now.name, digest: now.digest, grants: now.grants };
    Ok((Extension(told), Json(now)).into_response())
}

/// Removes a plugin's file. Calls that run end on it.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{file}", params(("file" = String, Path), RemoveQuery),
    responses((status = 204, description = "It is gone"), (status = 400, body = Problem),
              (status = 403, body = Problem, description = "It needs the role administrator and api.change_plugins, and a folder that can be written"),
              (status = 404, body = Problem), (status = 409, body = Problem, description = "A pipeline or a model needs it"))
)]
pub(super) async fn remove(
    State(api): State<Api>,
    Path(file): Path<String>,
    Query(query): Query<RemoveQuery>,
) -> Result<StatusCode, Problem> {
    allowed(&api)?;
    let user = if query.force { None } else { user_of(&api, file.trim_end_matches(".wasm")) };
    if let Some(user) = user {
        let detail = format!("{user} needs {file}: configure another, or add ?force=true");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    api.runtime.remove(&file).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn allowed(api: &Api) -> Result<(), Problem> {
    if api.settings.api.change_plugins {
        return Ok(());
    }
    let detail =
        "plugins are not changed through the API here; the operator allows it with api.change_plugins = true";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// What is configured with this plugin, in words.
fn user_of(api: &Api, plugin: &str) -> Option<String> {
    let settings = &api.settings;
    let pipeline = settings.pipelines.iter().find(|(_, pipeline)| {
        [&pipeline.builder, &pipeline.checker, &pipeline.fixer].into_iter().any(|name| name == plugin)
    });
    let model = || settings.models.iter().find(|(_, model)| model.adapter == plugin);
    let pipeline = pipeline.map(|(name, _)| format!("the pipeline {name}"));
    pipeline.or_else(|| model().map(|(name, _)| format!("the model {name}")))
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        let status = match &error {
            PlaceError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            PlaceError::Taken(_) | PlaceError::Moved { .. } => StatusCode::CONFLICT,
            PlaceError::Unknown(_) => StatusCode::NOT_FOUND,
            PlaceError::NoFolder | PlaceError::Folder { .. } => StatusCode::FORBIDDEN,
            PlaceError::Upload(_) | PlaceError::Reload(_) | PlaceError::Interrupted(_) => {
                tracing::error!(%error, "a request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}
