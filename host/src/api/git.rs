//! Files from a git repository on this host or elsewhere, where the operator allows it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::StatusCode;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::heavy::{off_thread, turn};
use super::{Api, Problem};
use crate::workspace::{Deadline, Fetching, GitUrl, Imported, fetch_git, import_git};

/// Repositories of this host that are read at once. Each takes a processor's share and memory for its tree.
static HERE: Semaphore = Semaphore::const_new(4);

/// Those elsewhere, which take room on the disk as well, and as long as their servers please.
static ELSEWHERE: Semaphore = Semaphore::const_new(4);

/// A repository, by exactly one of `path` and `url`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GitBody {
    /// Of one on this host, within one of the folders of `api.git_dirs`: its work tree or git folder, as an
    /// absolute path.
    #[schema(value_type = Option<String>)]
    path: Option<PathBuf>,
    /// Of one elsewhere, at or below one of the addresses of `api.git_urls`: `https://git.example/team/project`.
    url: Option<String>,
    /// A branch, tag or commit (at a URL its whole id). Left out: what is checked out, or the default branch.
    revision: Option<String>,
}

enum Place {
    Here(PathBuf),
    Elsewhere(GitUrl),
}

/// Reads the tree of the revision. The turn is to be kept until it is stored.
pub(super) async fn read(body: GitBody, api: &Api) -> Result<(Imported, SemaphorePermit<'static>), Problem> {
    let settings = api.settings.clone();
    let place = match (body.path, body.url) {
        (Some(path), None) => Place::Here(off_thread(move || local(&path, &settings.api.git_dirs)).await?),
        (None, Some(url)) => Place::Elsewhere(elsewhere(&url, &settings.api.git_urls)?),
        _ => return Err(unprocessable("git must have either `path` or `url`".to_owned())),
    };
    let revision = body.revision.unwrap_or_else(|| "HEAD".to_owned());
    let turns = if matches!(place, Place::Here(_)) { &HERE } else { &ELSEWHERE };
    let turn = turn(turns, api).await?;
    let (settings, limits) = (api.settings.clone(), api.snapshots.limits());
    let imported = off_thread(move || {
        let within = Duration::from_secs(settings.api.timeout_s);
        let deadline = Deadline::new(within, CancellationToken::new());
        Ok(match place {
            Place::Here(folder) => import_git(&folder, &revision, &deadline, limits)?,
            Place::Elsewhere(url) => {
                let fetching = Fetching { folder: &settings.state_dir, deadline };
                fetch_git(&url, &revision, fetching, limits)?
            }
        })
    });
    Ok((imported.await?, turn))
}

/// The folder itself, past all links.
fn local(path: &Path, dirs: &[PathBuf]) -> Result<PathBuf, Problem> {
    if dirs.is_empty() {
        let detail = "this host takes no files from its own repositories: the operator lists their folders in \
                      api.git_dirs";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let real = path.is_absolute().then(|| path.canonicalize().ok()).flatten();
    let allowed = |real: &PathBuf| {
        real.is_dir()
            && dirs.iter().filter_map(|dir| dir.canonicalize().ok()).any(|dir| real.starts_with(dir))
    };
    // The same whether it is there or not: who asks shall not learn what else is on this machine.
    real.filter(allowed).ok_or_else(|| {
        let path: String = path.display().to_string().chars().take(200).collect();
        unprocessable(format!(
            "{path:?} is no folder within those that the operator lists in api.git_dirs; GET /api/v1/about lists them"
        ))
    })
}

fn elsewhere(text: &str, prefixes: &[GitUrl]) -> Result<GitUrl, Problem> {
    if prefixes.is_empty() {
        let detail = "this host fetches no repositories from elsewhere: the operator lists their addresses in \
                      api.git_urls";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let url = GitUrl::parse(text).map_err(unprocessable)?;
    if prefixes.iter().any(|prefix| url.is_within(prefix)) {
        return Ok(url);
    }
    Err(unprocessable(format!(
        "{url} is neither at nor below an address that the operator lists in api.git_urls; GET /api/v1/about lists them"
    )))
}

fn unprocessable(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
