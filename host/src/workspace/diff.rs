//! What changed between two trees, as a patch that `git apply` and `patch -p1` take.
//!
//! Files that are not UTF-8, or hold a NUL, appear as `Binary files … differ`, as in `git diff`
//! without `--binary`: a patch with such a line is for eyes, and `git apply` refuses it. An export
//! of the tree, or applying to the folder, carries binary files. Renames are not looked for.

mod hunks;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::hunks::Hunks;
use super::{File, Mode, Tree};

/// How long one call may look for small differences. What is left then is shown as replaced whole,
/// which is still a correct patch.
const TIME: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Added,
    Removed,
    Changed,
}

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FileStat {
    pub path: String,
    pub status: Status,
    /// Lines; 0 for a binary file and a change of mode.
    pub added: u64,
    /// Lines; 0 for a binary file and a change of mode.
    pub removed: u64,
    /// No lines are counted, and none shown by [`diff`].
    pub binary: bool,
}

/// The unified patch that makes `new` of `old`, sorted by path. Empty for equal trees.
///
/// Takes at most a few seconds however large the trees are; call it where blocking is allowed.
pub fn diff(old: &Tree, new: &Tree) -> String {
    let until = Instant::now() + TIME;
    let mut patch = String::new();
    for (path, old, new) in changes(old, new) {
        match (old, new) {
            // A link that became a file, or the reverse, is another file to git.
            (Some(before), Some(after)) if (before.mode == Mode::Link) != (after.mode == Mode::Link) => {
                push_file(&mut patch, path, Some(before), None, until);
                push_file(&mut patch, path, None, Some(after), until);
            }
            _ => push_file(&mut patch, path, old, new, until),
        }
    }
    patch
}

/// The changed files, sorted by path.
pub fn diff_stat(old: &Tree, new: &Tree) -> Vec<FileStat> {
    let until = Instant::now() + TIME;
    let stat = |(path, old, new): (&str, Option<&File>, Option<&File>)| {
        let status = match (old, new) {
            (None, _) => Status::Added,
            (_, None) => Status::Removed,
            _ => Status::Changed,
        };
        let hunks = texts(old, new).map(|(old, new)| Hunks::between(old, new, until));
        let (added, removed) = hunks.as_ref().map_or((0, 0), Hunks::counts);
        FileStat { path: path.to_owned(), status, added, removed, binary: hunks.is_none() }
    };
    changes(old, new).map(stat).collect()
}

type Change<'a> = (&'a str, Option<&'a File>, Option<&'a File>);

fn changes<'a>(old: &'a Tree, new: &'a Tree) -> impl Iterator<Item = Change<'a>> {
    let gone_or_changed = old.iter().map(|(path, file)| (path.as_str(), Some(file), new.get(path.as_str())));
    let added = new.iter().map(|(path, file)| (path.as_str(), None, Some(file)));
    let added = added.filter(|(path, ..)| old.get(path).is_none());
    let mut all: Vec<_> = gone_or_changed.filter(|(_, old, new)| old != new).chain(added).collect();
    all.sort_by_key(|(path, ..)| *path);
    all.into_iter()
}

fn push_file(patch: &mut String, path: &str, old: Option<&File>, new: Option<&File>, until: Instant) {
    let (from, to) = (quoted("a/", path), quoted("b/", path));
    let written = |patch: &mut String| -> std::fmt::Result {
        writeln!(patch, "diff --git {from} {to}")?;
        match (old, new) {
            (None, Some(new)) => writeln!(patch, "new file mode {}", mode(new))?,
            (Some(old), None) => writeln!(patch, "deleted file mode {}", mode(old))?,
            (Some(old), Some(new)) if old.mode != new.mode => {
                writeln!(patch, "old mode {}\nnew mode {}", mode(old), mode(new))?;
            }
            _ => {}
        }
        let from = if old.is_some() { from.as_str() } else { "/dev/null" };
        let to = if new.is_some() { to.as_str() } else { "/dev/null" };
        if old.map(|file| &file.blob) == new.map(|file| &file.blob) {
            return Ok(());
        }
        let Some((old_text, new_text)) = texts(old, new) else {
            return writeln!(patch, "Binary files {from} and {to} differ");
        };
        if old_text == new_text {
            return Ok(());
        }
        // As git does, so that a reader does not take a blank in the name for its end.
        let tab = |name: &str| if name.contains(' ') { "\t" } else { "" };
        writeln!(patch, "--- {from}{}\n+++ {to}{}", tab(from), tab(to))?;
        Hunks::between(old_text, new_text, until).write(patch)
    };
    written(patch).expect("writing to a string succeeds");
}

/// Both contents, an absent file being empty. `None`: one of them is binary.
fn texts<'a>(old: Option<&'a File>, new: Option<&'a File>) -> Option<(&'a str, &'a str)> {
    let text = |file: Option<&'a File>| match file {
        None => Some(""),
        Some(file) => std::str::from_utf8(file.blob.bytes()).ok().filter(|text| !text.contains('\0')),
    };
    Some((text(old)?, text(new)?))
}

fn mode(file: &File) -> &'static str {
    match file.mode {
        Mode::Regular => "100644",
        Mode::Executable => "100755",
        Mode::Link => "120000",
    }
}

/// The name as git writes it: C-quoted where it holds a quote or a control character.
fn quoted(side: &str, path: &str) -> String {
    let odd = |c: char| c == '"' || c == '\\' || c.is_ascii_control();
    if !path.contains(odd) {
        return format!("{side}{path}");
    }
    let mut text = format!("\"{side}");
    for c in path.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_ascii_control() => text.push_str(&format!("\\{:03o}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
