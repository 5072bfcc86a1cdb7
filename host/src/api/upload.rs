//! Submissions: JSON with files, or a form with an archive.

use std::collections::BTreeSet;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use base64::Engine as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::git::{self, GitBody};
use super::heavy::{off_thread, turn};
use super::spool::{self, Spool};
use super::tasks::{FileBody, SubmitBody};
use super::{Api, Problem, rules};
use crate::submission::Submission;
use crate::task::{Changes, Digest};
use crate::workspace::{Blob, Imported, Mode, Tree, TreePath, in_git_folder, read_archive};

/// Trees that are in the making at once: each takes up to some times what a tree may hold.
static TURNS: Semaphore = Semaphore::const_new(4);

/// A form's fields but for its archive, all together: words, in which nothing is as long as a file.
const MOST_WORDS: usize = 8 << 20;

/// A submission, and the digest of what the client sent, which its idempotency key is bound to.
pub(super) struct Upload {
    pub submission: Submission,
    pub body: Digest,
    /// What the import left out.
    pub notes: Vec<String>,
    /// To be kept until the tree is stored. A submission that is short, and stays so, needs none.
    pub turns: Vec<SemaphorePermit<'static>>,
}

pub(super) async fn read(api: &Api, request: Request) -> Result<Upload, Problem> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if kind.starts_with("multipart/form-data") {
        let form = Multipart::from_request(request, api)
            .await
            .map_err(|error| Problem::body(error.status(), &error.body_text()))?;
        return read_form(form, api).await;
    }
    if !kind.starts_with("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!(
                "content-type is {kind:?}: send application/json, or multipart/form-data with an archive"
            ),
        ));
    }
    read_json(request, api).await
}

/// What a long submission says of where it starts.
#[derive(Deserialize)]
struct Origin {
    git: Option<GitBody>,
}

async fn read_json(request: Request, api: &Api) -> Result<Upload, Problem> {
    let no_submission =
        |error: serde_json::Error| Problem::bad_request(format!("the body is not a submission: {error}"));
    let (mut spooled, digest) = spool::body(request, rules::Body::Tree.limit(api), api).await?;
    let (mut turns, mut base) = (Vec::new(), None);
    if !spooled.is_held() {
        // The repository first: whoever waits for one keeps no other upload waiting.
        let seen = off_thread(move || match spooled.peek::<Origin>() {
            Ok(origin) => Ok((spooled, origin)),
            Err(error) => Err(error.downcast().map_or_else(|error| spool::broken(&error), no_submission)),
        });
        let (kept, origin) = seen.await?;
        spooled = kept;
        if let Some(repository) = origin.git {
            let (imported, reading) = git::read(repository, api).await?;
            base = Some(imported);
            turns.push(reading);
        }
        turns.push(turn(&TURNS, api).await?);
    }
    let body = off_thread(move || {
        let bytes = spooled.whole().map_err(|error| spool::broken(&error))?;
        serde_json::from_slice::<SubmitBody>(&bytes).map_err(no_submission)
    });
    let mut body = body.await?;
    let base = match (base, body.git.take()) {
        (Some(imported), _) => imported,
        (None, Some(repository)) => {
            let (imported, reading) = git::read(repository, api).await?;
            turns.push(reading);
            imported
        }
        (None, None) => Imported { tree: Tree::new(api.snapshots.limits()), notes: Vec::new() },
    };
    let (submission, notes) = described(body, base).await?;
    Ok(Upload { submission, body: digest, notes, turns })
}

/// The submission that a body describes. `base` is what its repository holds.
pub(super) async fn described(
    mut body: SubmitBody,
    Imported { tree, notes }: Imported,
) -> Result<(Submission, Vec<String>), Problem> {
    let files = std::mem::take(&mut body.files);
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
    Ok((submission, notes))
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
async fn read_form(mut form: Multipart, api: &Api) -> Result<Upload, Problem> {
    let limits = api.snapshots.limits();
    let mut submission = Submission { tree: Tree::new(limits), ..Submission::default() };
    let (mut archive, mut repository, mut strip, mut seen) = (None, None::<GitBody>, false, Vec::new());
    let mut words = 0;
    while let Some(mut field) = form.next_field().await? {
        let name = field.name().unwrap_or("").to_owned();
        let mut spool = Spool::new(api);
        while let Some(piece) = field.chunk().await? {
            if name != "archive" {
                words += piece.len();
            }
            if words > MOST_WORDS {
                let detail =
                    format!("the form's fields but for the archive hold more than {MOST_WORDS} bytes");
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
            }
            spool.push(&piece).await?;
        }
        let (spooled, digest) = spool.end().await?;
        seen.extend_from_slice(digest.as_str().as_bytes());
        seen.extend_from_slice(name.as_bytes());
        if name == "archive" {
            archive = Some(spooled);
            continue;
        }
        let bytes = off_thread(move || spooled.whole().map_err(|error| spool::broken(&error))).await?;
        let text = String::from_utf8(bytes)
            .map_err(|error| Problem::bad_request(format!("the field {name} is not UTF-8: {error}")))?;
        match name.as_str() {
            "goal" => submission.goal = text,
            "pipeline" => submission.pipeline = Some(text),
            "tests" => submission.tests.push(text),
            "strip" => strip = parse_strip(&text)?,
            "protected" => submission.changes.protected.push(text),
            "budget" => submission.budget = part(&name, &text)?,
            "place" => submission.place = part(&name, &text)?,
            "steps" => submission.changes.steps = part(&name, &text)?,
            "git" => repository = Some(part(&name, &text)?),
            other => {
                return Err(Problem::bad_request(format!(
                    "unknown field {other:?}; known are goal, pipeline, tests, budget, place, protected, steps, git, \
                     strip, archive"
                )));
            }
        }
    }
    let (imported, turns) = match (archive, repository) {
        (None, None) => (Imported { tree: Tree::new(limits), notes: Vec::new() }, Vec::new()),
        (Some(archive), None) => {
            let turn = turn(&TURNS, api).await?;
            let read = move || Ok(read_archive(archive.pieces(), limits, strip)?);
            (off_thread(read).await?, vec![turn])
        }
        (None, Some(body)) => {
            let (imported, turn) = git::read(body, api).await?;
            (imported, vec![turn])
        }
        (Some(_), Some(_)) => {
            let detail = "send either an archive or git: the task starts from one of them";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    };
    submission.tree = imported.tree;
    Ok(Upload { submission, body: Digest::of(&seen), notes: imported.notes, turns })
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
