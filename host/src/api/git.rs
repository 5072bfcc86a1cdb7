//! Files from a git repository that lies on this host, where the operator allows it.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use serde::Deserialize;

use super::Problem;
use crate::workspace::{Imported, Limits, import_git};

/// A repository on the host, within one of the folders of `api.git_dirs`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GitBody {
    /// Its work tree or git folder, as an absolute path.
    #[schema(value_type = String)]
    path: PathBuf,
    /// A branch, tag or commit. Left out: what is checked out.
    revision: Option<String>,
}

/// Reads the tree of the revision. Blocks while it does.
pub(super) fn read(body: &GitBody, dirs: &[PathBuf], limits: Limits) -> Result<Imported, Problem> {
    if dirs.is_empty() {
        let detail = "this host takes no files from its own repositories: the operator lists their folders in \
                      api.git_dirs";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let repository = allowed(&body.path, dirs).ok_or_else(|| {
        // The same whether it is there or not: who asks shall not learn what else is on this machine.
        let detail = format!(
            "{:?} is no folder within those that the operator lists in api.git_dirs; GET /api/v1/about lists them",
            body.path.display().to_string().chars().take(200).collect::<String>()
        );
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    })?;
    Ok(import_git(&repository, body.revision.as_deref().unwrap_or("HEAD"), limits)?)
}

/// The folder itself, past all links.
fn allowed(path: &Path, dirs: &[PathBuf]) -> Option<PathBuf> {
    let real = path.is_absolute().then(|| path.canonicalize().ok()).flatten()?;
    let within = dirs.iter().filter_map(|dir| dir.canonicalize().ok()).any(|dir| real.starts_with(dir));
    (within && real.is_dir()).then_some(real)
}
