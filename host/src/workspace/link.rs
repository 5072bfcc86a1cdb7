//! Links that stay inside the tree.

use std::ops::RangeInclusive;

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
            _ if is_git_folder(part) => return Err(format!("is a link to {}, which is git's own", shown())),
            ".." => match folders_above.checked_sub(1) {
                Some(left) => folders_above = left,
                None => return Err(format!("is a link to {}, which leads out of the tree", shown())),
            },
            _ => below = true,
        }
    }
    Ok(text)
}

/// Whether some part of the path is git's own folder: what git does with its content includes running
/// programs.
pub fn in_git_folder(path: &str) -> bool {
    path.split('/').any(is_git_folder)
}

/// Whether a name is `.git` in any case, or would be taken for it: macOS leaves characters without width out
/// of names, Windows leaves out what stands at their end, and has short names.
pub(super) fn is_git_folder(name: &str) -> bool {
    const WITHOUT_WIDTH: [RangeInclusive<char>; 4] =
        ['\u{200c}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{206a}'..='\u{206f}', '\u{feff}'..='\u{feff}'];
    let seen = |c: &char| !WITHOUT_WIDTH.iter().any(|range| range.contains(c));
    let name = name.split(':').next().unwrap_or(name).trim_end_matches([' ', '.']);
    [".git", "git~1"]
        .iter()
        .any(|git| name.chars().filter(seen).map(|c| c.to_ascii_lowercase()).eq(git.chars()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_some_system_takes_for_gits_own_is() {
        for name in [
            ".git",
            ".GIT",
            ".giT",
            "git~1",
            "GIT~1",
            ".git.",
            ".git . ",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "\u{feff}.git",
        ] {
            assert!(in_git_folder(name) && in_git_folder(&format!("a/{name}/hooks/x")), "{name:?}");
        }
        for name in [".gitignore", ".github", "git", ".gi", ". git", ".git2", "x.git", ".gît", "git~2", ""] {
            assert!(!in_git_folder(name), "{name:?}");
        }
    }
}
