//! Paths that can't leave the tree.

use super::TreeError;

/// A relative, `/`-separated UTF-8 path without `.`, `..`, empty parts, NUL or backslash, at most
/// 1024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreePath(String);

const MAX_BYTES: usize = 1024;

impl TreePath {
    pub fn parse(text: &str) -> Result<Self, TreeError> {
        let bad = |why: &str| Err(TreeError::InvalidPath(format!("{:?} {why}", shorten(text))));
        if text.is_empty() {
            return bad("is empty");
        }
        if text.len() > MAX_BYTES {
            return bad("is longer than 1024 bytes");
        }
        if text.contains('\0') {
            return bad("holds a NUL");
        }
        if text.contains('\\') {
            return bad("holds a backslash; use / between folders");
        }
        if text.starts_with('/') {
            return bad("is absolute; paths are relative to the workspace");
        }
        for part in text.split('/') {
            match part {
                "" => return bad("holds an empty part (// or a trailing /)"),
                "." => return bad("holds a . part"),
                ".." => return bad("climbs out with .."),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TreePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}
