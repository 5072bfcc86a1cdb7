//! Submissions: JSON with files, or a form with an archive.

use std::collections::BTreeSet;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use base64::Engine as _;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::git::{self, GitBody};
use super::heavy::off_thread;
use super::tasks::{FileBody, SubmitBody};
use super::{Api, Problem};
use crate::submission::Submission;
use crate::task::{Changes, Digest};
use crate::workspace::{Blob, Imported, Limits, Mode, Tree, TreePath, import_archive, in_git_folder};

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
        return read_form(form, api, limits).await;
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
    let (body, digest) = off_thread(move || {
        let body: SubmitBody = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::bad_request(format!("the body is not a submission: {error}")))?;
        Ok((body, Digest::of(&bytes)))
    })
    .await?;
    read_json(body, digest, api, limits).await
}

async fn read_json(body: SubmitBody, digest: Digest, api: &Api, limits: Limits) -> Result<Upload, Problem> {
    let Imported { tree, notes } = match body.git {
        Some(repository) => git::read(repository, api).await?,
        None => Imported { tree: Tree::new(limits), notes: Vec::new() },
    };
    let files = body.files;
    let submission = Submission {
        goal: body.goal,
        pipeline: body.pipeline,
        tests: body.tests,
        budget: body.budget,
        place: body.place,
        tree: off_thread(move || with_files(tree, files)).await?,
        parent: None,
        trace: None,
        changes: Changes { steps: body.steps, protected: body.protected },
    };
    Ok(Upload { submission, body: digest, notes })
}

fn with_files(mut tree: Tree, files: Vec<FileBody>) -> Result<Tree, Problem> {
    let mut seen = BTreeSet::new();
    for file in files {
        let path = TreePath::parse(&file.path)?;
        if in_git_folder(&file.path) {
            let detail = format!("the file {path} is in git's own folder: leave it out");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        if !seen.insert(path.clone()) {
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

/// The form's fields: `goal`, `pipeline`, `tests` and `protected` (repeated), `budget`, `place`, `steps` and
/// `git` (JSON), `strip`, `archive`.
async fn read_form(mut form: Multipart, api: &Api, limits: Limits) -> Result<Upload, Problem> {
    let mut submission = Submission { tree: Tree::new(limits), ..Submission::default() };
    let (mut archive, mut repository, mut strip, mut seen) = (None, None::<GitBody>, false, Vec::new());
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
            "protected" => submission.changes.protected.push(text()?),
            "budget" => submission.budget = part(&name, &text()?)?,
            "place" => submission.place = part(&name, &text()?)?,
            "steps" => submission.changes.steps = part(&name, &text()?)?,
            "git" => repository = Some(part(&name, &text()?)?),
            "archive" => archive = Some(bytes),
            other => {
                return Err(Problem::bad_request(format!(
                    "unknown field {other:?}; known are goal, pipeline, tests, budget, place, protected, steps, git, \
                     strip, archive"
                )));
            }
        }
    }
    let imported = match (archive, repository) {
        (None, None) => Imported { tree: Tree::new(limits), notes: Vec::new() },
        (Some(bytes), None) => off_thread(move || Ok(import_archive(&bytes, limits, strip)?)).await?,
        (None, Some(body)) => git::read(body, api).await?,
        (Some(_), Some(_)) => {
            let detail = "send either an archive or git: the task starts from one of them";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    };
    submission.tree = imported.tree;
    Ok(Upload { submission, body: Digest::of(&seen), notes: imported.notes })
}

/// A field of the form that holds JSON.
fn part<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| Problem::bad_request(format!("the field {name}: {error}")))
}

/// Whether an archive's single top folder is to be taken off.
fn parse_strip(text: &str) -> Result<bool, Problem> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(Problem::bad_request(format!("strip is {other:?}; use true or false"))),
    }
}
