//! Edits to a tree: all of them or none, with a reason for each that can't be applied.
//!
//! Invariant: a protected file, a link, and what is in a `.git` folder are never changed from here:
//! whoever unpacks the result runs git in it, and git runs what it finds there.

mod nearest;
mod passage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::passage::{Found, Lines};
use super::{Blob, Globs, Mode, Tree, TreeError, TreePath, link};

/// The most edits in one call of [`Tree::apply`].
pub const MAX_EDITS: usize = 1_000;

/// The text that one call of [`Tree::apply`] goes through, summed over its edits: what a large language
/// model can write fits a hundred times over, and a guest can't hold a thread for more than a fraction of
/// a second.
const MAX_SEARCHED_BYTES: usize = 64 << 20;

/// A file, a passage or its replacement that is searched line by line: each line takes memory of the
/// host's, as many bytes as 32 empty ones.
const MAX_PASSAGE_BYTES: usize = 2 << 20;

/// Passages and paths for which one call looks for the most similar ones; later ones get none.
const MAX_NEAREST: usize = 16;

/// One change. The words of `edit` in `wit/workspace.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Creates the file or replaces its content. Content without a single CRLF takes over the CRLF
    /// line endings of the file it replaces; otherwise it is kept to the byte.
    Whole {
        path: String,
        content: String,
    },
    /// Replaces one passage of whole lines. The new lines take over the line ending of the place,
    /// and a file without a newline at its end still has none. An empty `search` appends `replace`
    /// (on a line of its own) or creates the file.
    Replace {
        path: String,
        search: String,
        replace: String,
    },
    Remove {
        path: String,
    },
}

impl Edit {
    pub fn path(&self) -> &str {
        match self {
            Self::Whole { path, .. } | Self::Replace { path, .. } | Self::Remove { path } => path,
        }
    }
}

/// Why one edit can't be applied. The words of `rejection` in `wit/workspace.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// In the list of edits, from 0.
    pub index: u32,
    pub path: String,
    pub reason: String,
    /// The most similar lines of the file, at most 8 KiB; empty where there are none.
    pub nearest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error("{} edits can't be applied; the first, to {:?}: {}", .0.len(), .0[0].path, .0[0].reason)]
    Rejected(Vec<Rejection>),
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Tree {
    /// Applies all edits or none; later ones see what earlier ones did.
    ///
    /// Takes time in proportion to the files it touches, so call it where blocking is allowed.
    pub fn apply(&mut self, edits: &[Edit], protected: &Globs) -> Result<(), ApplyError> {
        if edits.len() > MAX_EDITS {
            let text = format!("{} edits in one call; the limit is {MAX_EDITS}", edits.len());
            return Err(TreeError::TooLarge(text).into());
        }
        let mut draft =
            Draft { tree: self, changed: BTreeMap::new(), searched: 0, nearest_left: MAX_NEAREST };
        let mut rejected = Vec::new();
        for (index, edit) in (0_u32..).zip(edits) {
            match draft.apply(edit, protected) {
                Ok(()) => {}
                Err(Refused::Edit { reason, nearest }) => {
                    rejected.push(Rejection { index, path: edit.path().to_owned(), reason, nearest });
                }
                Err(Refused::All(error)) => return Err(error.into()),
            }
        }
        if !rejected.is_empty() {
            return Err(ApplyError::Rejected(rejected));
        }
        let changed = draft.changed;
        let mut tree = self.clone();
        // Removals first, so that a file may take the place of a folder and the other way round.
        for (path, _) in changed.iter().filter(|(_, text)| text.is_none()) {
            if tree.get(path.as_str()).is_some() {
                tree.remove(path.as_str())?;
            }
        }
        for (path, text) in changed {
            if let Some(text) = text {
                tree.put(path, Blob::new(text), None)?;
            }
        }
        *self = tree;
        Ok(())
    }

    /// Writes a file for a step: refused where `protected` matches, and on a link.
    pub fn guarded_write(
        &mut self,
        path: &TreePath,
        bytes: impl Into<bytes::Bytes>,
        protected: &Globs,
    ) -> Result<(), TreeError> {
        self.guard(path, protected)?;
        self.put(path.clone(), Blob::new(bytes), None)
    }

    /// Removes a file for a step: refused where `protected` matches. A link may be removed.
    pub fn guarded_remove(&mut self, path: &TreePath, protected: &Globs) -> Result<(), TreeError> {
        deny_protected(path.as_str(), protected)?;
        self.remove(path.as_str()).map(drop)
    }

    /// Puts protected files back to what they are in `base`, and returns the paths that had changed.
    ///
    /// For trees that something unguarded wrote to, such as a command. A file that stands where a
    /// protected file's folder was is removed, as is what was put into its place.
    pub fn restore_protected(&mut self, base: &Tree, protected: &Globs) -> Result<Vec<TreePath>, TreeError> {
        let is_protected = |path: &TreePath| protected.matching(path.as_str()).is_some();
        let added = self.iter().filter(|(path, _)| is_protected(path) && base.get(path.as_str()).is_none());
        let mut restored: Vec<TreePath> = added.map(|(path, _)| path.clone()).collect();
        let lost: Vec<_> = base
            .iter()
            .filter(|(path, file)| is_protected(path) && self.get(path.as_str()) != Some(*file))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect();
        for path in &restored {
            self.remove(path.as_str())?;
        }
        for (path, file) in lost {
            self.make_way(&path)?;
            self.put(path.clone(), file.blob, Some(file.mode))?;
            restored.push(path);
        }
        restored.sort();
        Ok(restored)
    }

    /// Removes whatever keeps `path` from being a file: files among its folders, files below it.
    fn make_way(&mut self, path: &TreePath) -> Result<(), TreeError> {
        let inside = format!("{path}/");
        let blocks = |other: &str| {
            other.starts_with(&inside)
                || path.as_str().strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
        };
        let blocking: Vec<_> =
            self.iter().filter(|(other, _)| blocks(other.as_str())).map(|(other, _)| other.clone()).collect();
        blocking.iter().try_for_each(|other| self.remove(other.as_str()).map(drop))
    }

    fn guard(&self, path: &TreePath, protected: &Globs) -> Result<(), TreeError> {
        deny_protected(path.as_str(), protected)?;
        if link::in_git_folder(path.as_str()) {
            return Err(TreeError::Denied(format!("{path} is in git's own folder")));
        }
        match self.get(path.as_str()) {
            Some(file) if file.mode == Mode::Link => {
                Err(TreeError::Denied(format!("{path} is a link; write to its target, or remove it first")))
            }
            _ => Ok(()),
        }
    }
}

fn deny_protected(path: &str, protected: &Globs) -> Result<(), TreeError> {
    match protected.matching(path) {
        Some(glob) => Err(TreeError::Denied(format!("{path} is protected (by the glob {glob:?})"))),
        None => Ok(()),
    }
}

enum Refused {
    Edit { reason: String, nearest: String },
    All(TreeError),
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Edit { reason: reason.into(), nearest: String::new() })
}

/// The tree as the edits so far leave it.
struct Draft<'a> {
    tree: &'a Tree,
    /// `None`: removed.
    changed: BTreeMap<TreePath, Option<String>>,
    searched: usize,
    nearest_left: usize,
}

impl Tree {
    /// The path of the file that was most likely meant by one that is not there.
    pub fn nearest(&self, wanted: &str) -> Option<&str> {
        let known: Vec<&str> = self.iter().map(|(path, _)| path.as_str()).collect();
        nearest::path(&known, wanted)
    }
}

impl Draft<'_> {
    fn apply(&mut self, edit: &Edit, protected: &Globs) -> Result<(), Refused> {
        let path = TreePath::parse(edit.path()).or_else(|error| refuse(error.to_string()))?;
        if let Edit::Remove { .. } = edit {
            deny_protected(path.as_str(), protected).or_else(|error| refuse(error.to_string()))?;
            if !self.exists(&path) {
                return refuse(self.missing(&path));
            }
            self.changed.insert(path, None);
            return Ok(());
        }
        self.tree.guard(&path, protected).or_else(|error| match self.changed.get(&path) {
            // A link that an earlier edit removed.
            Some(None) if protected.matching(path.as_str()).is_none() => Ok(()),
            _ => refuse(error.to_string()),
        })?;
        let text = match edit {
            Edit::Whole { content, .. } => {
                self.check_place(&path)?;
                self.searched += self.text(&path).and_then(Result::ok).map_or(0, str::len);
                match self.text(&path) {
                    Some(Ok(old)) if !content.contains("\r\n") && passage::mostly_crlf(old) => {
                        content.replace('\n', "\r\n")
                    }
                    _ => content.clone(),
                }
            }
            Edit::Replace { search, replace, .. } => self.replaced(&path, search, replace)?,
            Edit::Remove { .. } => unreachable!("handled above"),
        };
        self.changed.insert(path, Some(text));
        Ok(())
    }

    fn replaced(&mut self, path: &TreePath, search: &str, replace: &str) -> Result<String, Refused> {
        let old = match self.text(path) {
            Some(Ok(old)) => old,
            Some(Err(())) => return refuse("the file is not text"),
            None if search.is_empty() => {
                self.check_place(path)?;
                return Ok(replace.to_owned());
            }
            None => return refuse(self.missing(path)),
        };
        let searched = self.searched + old.len() + search.len();
        if searched > MAX_SEARCHED_BYTES {
            return Err(Refused::All(TreeError::TooLarge(format!(
                "these edits search more than {MAX_SEARCHED_BYTES} bytes of text; apply fewer at a time"
            ))));
        }
        if search.is_empty() {
            let appended = passage::append(old, replace);
            self.searched = searched;
            return Ok(appended);
        }
        let texts = [("the file", old), ("the passage", search), ("its replacement", replace)];
        if let Some((what, text)) = texts.iter().find(|(_, text)| text.len() > MAX_PASSAGE_BYTES) {
            return refuse(format!(
                "{what} ({} bytes) is too long to be searched; the limit is {MAX_PASSAGE_BYTES}; write the whole file",
                text.len()
            ));
        }
        let lines = Lines::of(old);
        let refused = match lines.find(search) {
            Found::Once(place) => {
                let new = lines.replace(&place, search, replace);
                self.searched = searched;
                return Ok(new);
            }
            Found::Often(at) => (several(&at), String::new()),
            Found::Never if self.nearest_left == 0 => {
                ("no such passage in the file".to_owned(), String::new())
            }
            Found::Never => {
                let hint = nearest::hint(&lines, search, replace);
                self.nearest_left -= 1;
                hint
            }
        };
        self.searched = searched;
        Err(Refused::Edit { reason: refused.0, nearest: refused.1 })
    }

    fn exists(&self, path: &TreePath) -> bool {
        match self.changed.get(path) {
            Some(text) => text.is_some(),
            None => self.tree.get(path.as_str()).is_some(),
        }
    }

    /// `Err`: there, but not text.
    fn text(&self, path: &TreePath) -> Option<Result<&str, ()>> {
        match self.changed.get(path) {
            Some(text) => text.as_deref().map(Ok),
            None => self.tree.get(path.as_str()).map(|file| file.text().ok_or(())),
        }
    }

    /// A new file needs folders where they are, and nothing below it.
    fn check_place(&self, path: &TreePath) -> Result<(), Refused> {
        let text = path.as_str();
        for (at, _) in text.match_indices('/') {
            let folder = TreePath::parse(&text[..at]).or_else(|error| refuse(error.to_string()))?;
            if self.exists(&folder) {
                return refuse(format!("{folder} is a file, not a folder"));
            }
        }
        let inside = format!("{text}/");
        let known = self.tree.iter().map(|(path, _)| path).chain(self.changed.keys());
        match known.into_iter().find(|other| other.as_str().starts_with(&inside) && self.exists(other)) {
            Some(other) => refuse(format!("{text} is a folder: it holds {other}")),
            None => Ok(()),
        }
    }

    fn missing(&mut self, path: &TreePath) -> String {
        if self.nearest_left == 0 {
            return "no such file".to_owned();
        }
        self.nearest_left -= 1;
        let there = |path: &&str| !matches!(self.changed.get(*path), Some(None));
        let known: Vec<&str> = self.tree.iter().map(|(path, _)| path.as_str()).filter(there).collect();
        match nearest::path(&known, path.as_str()) {
            Some(other) => format!("no such file; did you mean {other}?"),
            None => "no such file".to_owned(),
        }
    }
}

fn several(at: &[usize]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<_> = at.iter().take(SHOWN).map(|line| (line + 1).to_string()).collect();
    let more = if at.len() > SHOWN { format!(" and {} more", at.len() - SHOWN) } else { String::new() };
    format!(
        "the passage is in the file {} times, from the lines {}{more}; add lines before or after it until it is unique",
        at.len(),
        shown.join(", ")
    )
}
