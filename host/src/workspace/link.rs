//! Links that stay inside the tree.

use super::TreePath;

/// The target, if a link at `path` that holds it can't lead out of the tree whatever the tree's
/// other links are; else why not.
///
/// `..` is allowed at the start only: behind a name it would climb from wherever that name leads.
pub(super) fn target<'a>(path: &TreePath, bytes: &'a [u8]) -> Result<&'a str, String> {
    let shown = || format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(200)]));
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(format!("is a link to {}, which is not UTF-8", shown()));
    };
    if text.is_empty() || text.len() > 1024 || text.contains(['\0', '\\']) {
        return Err(format!("is a link to {}, which is not a path", shown()));
    }
    if text.starts_with('/') {
        return Err(format!("is a link to {}, which is absolute", shown()));
    }
    let mut folders_above = path.as_str().matches('/').count();
    let mut below = false;
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if below => return Err(format!("is a link to {}, which goes down and up again", shown())),
            ".." => match folders_above.checked_sub(1) {
                Some(left) => folders_above = left,
                None => return Err(format!("is a link to {}, which leads out of the tree", shown())),
            },
            _ => below = true,
        }
    }
    Ok(text)
}

/// Whether some part of the path is git's own folder, in any case: what git does with its content
/// includes running programs.
pub fn in_git_folder(path: &str) -> bool {
    path.split('/').any(|part| part.eq_ignore_ascii_case(".git"))
}
