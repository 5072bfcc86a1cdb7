//! Submissions: JSON with files, or a form with an archive.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use base64::Engine as _;
use bytes::Bytes;

use super::heavy::off_thread;
use super::tasks::{FileBody, SubmitBody};
use super::{Api, Problem};
use crate::submission::{BudgetWish, PlaceWish, Submission};
use crate::task::Digest;
use crate::workspace::{Blob, Limits, Mode, Tree, TreePath, import_archive, in_git_folder};

/// A submission, and the digest of what the client sent, which its idempotency key is bound to.
pub(super) struct Upload {
    pub submission: Submission,
    pub body: Digest,
    /// What the import left out.
    pub notes: Vec<String>,
}

pub(super) async fn read(api: &Api, request: Request) -> Result<Upload, Problem> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let limits = api.snapshots.limits();
    if kind.starts_with("multipart/form-data") {
        let form = Multipart::from_request(request, api)
            .await
            .map_err(|error| Problem::body(error.status(), &error.body_text()))?;
        return read_form(form, limits).await;
    }
    if !kind.starts_with("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!(
                "content-type is {kind:?}: send application/json, or multipart/form-data with an archive"
            ),
        ));
    }
    let bytes = Bytes::from_request(request, api)
        .await
        .map_err(|error| Problem::body(error.status(), &error.body_text()))?;
    off_thread(move || read_json(&bytes, limits)).await
}

fn read_json(bytes: &[u8], limits: Limits) -> Result<Upload, Problem> {
    let body: SubmitBody = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("the body is not a submission: {error}")))?;
    let submission = Submission {
        goal: body.goal,
        pipeline: body.pipeline,
        tests: body.tests,
        budget: body.budget,
        place: body.place,
        tree: tree_of(body.files, limits)?,
        parent: None,
        trace: None,
    };
    Ok(Upload { submission, body: Digest::of(bytes), notes: Vec::new() })
}

fn tree_of(files: Vec<FileBody>, limits: Limits) -> Result<Tree, Problem> {
    let mut tree = Tree::new(limits);
    for file in files {
        let path = TreePath::parse(&file.path)?;
        if in_git_folder(&file.path) {
            let detail = format!("the file {path} is in git's own folder: leave it out");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        if tree.get(&file.path).is_some() {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("the file {path} is there twice"),
            ));
        }
        let bytes = match (file.content, file.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(code)) => base64::engine::general_purpose::STANDARD
                .decode(code)
                .map_err(|error| Problem::bad_request(format!("the file {path} is not Base64: {error}")))?,
            _ => {
                let detail = format!("the file {path} must have either `content` or `base64`");
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
            }
        };
        let mode = if file.executable { Mode::Executable } else { Mode::Regular };
        tree.put(path, Blob::new(bytes), Some(mode))?;
    }
    Ok(tree)
}

/// The form's fields: `goal`, `pipeline`, `tests` (repeated), `budget` and `place` (JSON), `strip`,
/// `archive`.
async fn read_form(mut form: Multipart, limits: Limits) -> Result<Upload, Problem> {
    let mut submission = Submission { tree: Tree::new(limits), ..Submission::default() };
    let (mut archive, mut strip, mut seen) = (None, false, Vec::new());
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or("").to_owned();
        let bytes = field.bytes().await?;
        seen.extend_from_slice(Digest::of(&bytes).as_str().as_bytes());
        seen.extend_from_slice(name.as_bytes());
        let text = || {
            String::from_utf8(bytes.to_vec())
                .map_err(|_| Problem::bad_request(format!("the field {name} is not UTF-8")))
        };
        match name.as_str() {
            "goal" => submission.goal = text()?,
            "pipeline" => submission.pipeline = Some(text()?),
            "tests" => submission.tests.push(text()?),
            "strip" => strip = parse_strip(&text()?)?,
            "budget" => {
                submission.budget = serde_json::from_str::<BudgetWish>(&text()?)
                    .map_err(|error| Problem::bad_request(format!("the field budget: {error}")))?;
            }
            "place" => {
                submission.place = serde_json::from_str::<PlaceWish>(&text()?)
                    .map_err(|error| Problem::bad_request(format!("the field place: {error}")))?;
            }
            "archive" => archive = Some(bytes),
            other => {
                return Err(Problem::bad_request(format!(
                    "unknown field {other:?}; known are goal, pipeline, tests, budget, place, strip, archive"
                )));
            }
        }
    }
    let mut notes = Vec::new();
    if let Some(bytes) = archive {
        let imported = off_thread(move || Ok(import_archive(&bytes, limits, strip)?)).await?;
        submission.tree = imported.tree;
        notes = imported.notes;
    }
    Ok(Upload { submission, body: Digest::of(&seen), notes })
}

/// Whether an archive's single top folder is to be taken off.
fn parse_strip(text: &str) -> Result<bool, Problem> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(Problem::bad_request(format!("strip is {other:?}; use true or false"))),
    }
}
