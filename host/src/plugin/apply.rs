//! `workspace.apply`: the joint between the contract's edits and the tree's.

use super::bindings::workspace as wit;
use super::state::State;
use crate::workspace::{Blob, TreeError, TreePath};

/// All edits or none.
pub(super) fn apply(state: &mut State, edits: Vec<wit::Edit>) -> Result<(), wit::ApplyError> {
    let before = state.tree.clone();
    let mut rejected = Vec::new();
    for (index, edit) in edits.into_iter().enumerate() {
        let (path, done) = match edit {
            wit::Edit::Whole(file) => {
                let done = state.write_file(&file.path, file.content.into_bytes());
                (file.path, done)
            }
            wit::Edit::Remove(path) => {
                let done = state.remove_file(&path);
                (path, done)
            }
            wit::Edit::Replace(edit) => {
                let done = replace(state, &edit);
                (edit.path, done)
            }
        };
        if let Err(error) = done {
            rejected.push(wit::Rejection {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                path,
                reason: error.to_string(),
                nearest: String::new(),
            });
        }
    }
    if rejected.is_empty() {
        return Ok(());
    }
    state.tree = before;
    Err(wit::ApplyError::Rejected(rejected))
}

fn replace(state: &mut State, edit: &wit::Replacement) -> Result<(), TreeError> {
    let path = TreePath::parse(&edit.path)?;
    state.may_write(path.as_str())?;
    let old = match state.tree.get(path.as_str()) {
        Some(file) => file.text().ok_or_else(|| TreeError::Other(format!("{path} is not text")))?,
        None if edit.search.is_empty() => "",
        None => return Err(TreeError::NotFound(path.to_string())),
    };
    let new = match old.matches(&*edit.search).count() {
        _ if edit.search.is_empty() => format!("{old}{}", edit.replace),
        1 => old.replacen(&*edit.search, &edit.replace, 1),
        count => return Err(TreeError::Other(format!("the passage is found {count} times"))),
    };
    state.tree.put(path, Blob::new(new), None)
}
