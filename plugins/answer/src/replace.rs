//! Search/replace blocks and unified diffs: the ways an answer changes a part of a file.
use crate::bindings::workspace::{Edit, Replacement};
use crate::name;

/// The markers as a model is asked to write them.
pub const SEARCH: &str = "<<<<<<< SEARCH";
pub const MIDDLE: &str = "=======";
pub const REPLACE: &str = ">>>>>>> REPLACE";

fn marker(line: &str, mark: char, word: &str) -> bool {
    let line = line.trim();
    let count = line.chars().take_while(|c| *c == mark).count();
    (5..=9).contains(&count) && line[count..].trim().trim_end_matches(':').eq_ignore_ascii_case(word)
}

/// Whether the text holds such blocks at all.
pub fn present(text: &str) -> bool {
    text.lines().any(|line| marker(line, '<', "SEARCH"))
}

/// The blocks of `text`, in order. A block without a file name belongs to the file of the block before,
/// the first such to `target`.
///
/// # Errors
/// In words: a block that is not finished, or that names no file.
pub fn replacements(text: &str, target: Option<&str>) -> Result<Vec<Replacement>, String> {
    let mut found: Vec<Replacement> = Vec::new();
    let mut file: Option<String> = target.map(str::to_owned);
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r'));
    // The lines since the last block that may name the file; fences say nothing.
    let mut ahead: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        if !marker(line, '<', "SEARCH") {
            ahead.push(line);
            continue;
        }
        if let Some(path) = file_above(&ahead) {
            file = Some(path);
        }
        ahead.clear();
        let unfinished = || format!("search/replace block {} is not finished", found.len() + 1);
        let search = until(&mut lines, |line| marker(line, '=', "")).ok_or_else(unfinished)?;
        let replace = until(&mut lines, |line| marker(line, '>', "REPLACE")).ok_or_else(unfinished)?;
        let path = file
            .clone()
            .ok_or_else(|| format!("search/replace block {} has no file's path above it", found.len() + 1))?;
        found.push(Replacement { path, search, replace });
    }
    Ok(found)
}

fn until<'a>(lines: &mut impl Iterator<Item = &'a str>, end: impl Fn(&str) -> bool) -> Option<String> {
    let mut text = String::new();
    for line in lines {
        if end(line) {
            return Some(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    None
}

fn file_above(lines: &[&str]) -> Option<String> {
    let near = lines.iter().rev().filter(|line| !line.trim().is_empty()).take(2);
    near.filter_map(|line| {
        let mut paths = name::paths(line);
        (paths.len() == 1).then(|| paths.remove(0))
    })
    .next()
}

/// The hunks of a unified diff as replacements.
pub fn diff(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut file: Option<String> = None;
    let mut hunk: Option<Replacement> = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let header = line.starts_with("--- ") && lines.peek().is_some_and(|next| next.starts_with("+++ "));
        if header || line.starts_with("@@") || line.starts_with("diff ") {
            edits.extend(hunk.take().filter(|hunk| hunk.search != hunk.replace).map(Edit::Replace));
        }
        if header {
            let next = lines.next().unwrap_or("");
            let path = next[4..].split('\t').next().unwrap_or("").trim();
            let path = path.strip_prefix("b/").unwrap_or(path);
            file = (!path.is_empty()).then(|| path.to_owned());
        } else if line.starts_with("@@") {
            hunk =
                file.clone().map(|path| Replacement { path, search: String::new(), replace: String::new() });
        } else if let Some(hunk) = &mut hunk {
            let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
            if sign != "+" && sign != "\\" {
                hunk.search.push_str(rest);
                hunk.search.push('\n');
            }
            if sign != "-" && sign != "\\" {
                hunk.replace.push_str(rest);
                hunk.replace.push('\n');
            }
        }
    }
    edits.extend(hunk.filter(|hunk| hunk.search != hunk.replace).map(Edit::Replace));
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replacement(path: &str, search: &str, replace: &str) -> Replacement {
        Replacement { path: path.into(), search: search.into(), replace: replace.into() }
    }

    #[test]
    fn reads_blocks_with_their_files() {
        let text = "I fix both.\n\nsrc/a.py\n```python\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n\
            and\n<<<<<<< SEARCH\r\ny\r\n=======\r\n>>>>>>> REPLACE\n**b.py**\n<<<<<<<< search\n========\nnew\n>>>>>>> REPLACE\n";
        let want = [
            replacement("src/a.py", "x = 1\n", "x = 2\n"),
            replacement("src/a.py", "y\n", ""),
            replacement("b.py", "", "new\n"),
        ];
        assert_eq!(replacements(text, None).expect("whole"), want);
    }

    #[test]
    fn says_what_a_block_lacks() {
        let block = "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n";
        assert!(replacements(block, None).expect_err("no file").contains("path"));
        assert_eq!(replacements(block, Some("a.py")).expect("target"), [replacement("a.py", "x\n", "y\n")]);
        assert!(replacements(&block[..24], Some("a.py")).expect_err("cut").contains("not finished"));
    }

    #[test]
    fn a_diff_becomes_replacements() {
        let text = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -9 +9 @@\n-d\n+e\n\\ No newline at end of file\n";
        let want = [replacement("x.py", "a\nb\n", "a\nc\n"), replacement("x.py", "d\n", "e\n")];
        assert_eq!(diff(text), want.map(Edit::Replace));
    }
}
