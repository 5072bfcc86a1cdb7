//! Which file a code block is meant for, as far as the answer says so.
use crate::fence::Block;

/// Extensions that make a word in prose a file name. Others need a folder or the tree to vouch for them.
const EXTENSIONS: &[&str] = &[
    "c", "cc", "cfg", "cpp", "cs", "css", "csv", "go", "h", "hpp", "html", "ini", "java", "js", "json",
    "jsx", "kt", "lua", "md", "mjs", "php", "pl", "py", "pyi", "rb", "rs", "scala", "sh", "sql", "svelte",
    "swift", "toml", "ts", "tsx", "txt", "vue", "wit", "xml", "yaml", "yml", "zig",
];
/// File names that need no extension.
const BARE: &[&str] = &["Dockerfile", "LICENSE", "Makefile", "Gemfile", "Rakefile", "Procfile"];

/// How an answer names a block's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// As written, with `\` as `/` and a leading `./` left out.
    pub path: String,
    /// The name stood in a comment that is the content's first line.
    pub in_comment: bool,
}

/// Whether `word` reads as the path of a file.
pub fn is_path(word: &str) -> bool {
    if word.is_empty() || word.contains("://") || word.len() > 200 {
        return false;
    }
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '\\' | '.' | '_' | '-' | '+' | '@' | '[' | ']');
    if !word.chars().all(plain) {
        return false;
    }
    let last = word.rsplit(['/', '\\']).next().expect("rsplit yields at least one part");
    if BARE.contains(&last) {
        return true;
    }
    match last.rsplit_once('.') {
        Some((stem, extension)) => {
            EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
                && (!stem.is_empty() || word.contains('/'))
        }
        None => false,
    }
}

fn tidy(word: &str) -> String {
    let word = word.replace('\\', "/");
    word.strip_prefix("./").unwrap_or(&word).to_owned()
}

/// The paths in a piece of text, in order, without repeats.
pub fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || "`*\"'()<>{},;:=|!?".contains(c)) {
        let word = word.trim_end_matches('.');
        if is_path(word) {
            let path = tidy(word);
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// The one path on a line that is there to name a file: `### a.py`, `**a.py**`, `File: a.py`, `2. a.py:`.
fn heading(line: &str) -> Option<String> {
    let line = line.trim();
    let mut found = paths(line);
    if found.len() != 1 {
        return None;
    }
    let path = found.pop()?;
    let rest = line.replace('\\', "/").replace(&path, "");
    let words = rest.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // "1." and labels; any other word makes it prose.
    let prose = words.filter(|word| {
        let word = word.to_ascii_lowercase();
        !(word.chars().all(|c| c.is_ascii_digit())
            || matches!(
                word.as_str(),
                "file" | "filename" | "path" | "file_path" | "new" | "updated" | "create" | "step"
            ))
    });
    let prose = prose.count();
    let marked = line.contains(&format!("`{path}`")) || line.contains(&format!("**{path}**"));
    (prose == 0 || (marked && line.ends_with([':', '：']))).then_some(path)
}

fn in_info(info: &str) -> Option<String> {
    paths(info).into_iter().next()
}

/// The first line, if it is a comment that holds nothing but a path.
fn in_comment(content: &str) -> Option<String> {
    let line = content.lines().find(|line| !line.trim().is_empty())?.trim();
    let marks = ["#", "//", "--", "/*", "<!--", ";", "%", "\"\"\""];
    marks.iter().any(|mark| line.starts_with(mark)).then(|| heading(line)).flatten()
}

/// The name closest to the block: its info string, the line before it, a comment on its first line.
pub fn of(block: &Block) -> Option<Named> {
    let comment = in_comment(&block.content);
    let last = block.before.lines().rev().find(|line| !line.trim().is_empty());
    let outer = in_info(&block.info).or_else(|| last.and_then(heading));
    match (outer, comment) {
        (Some(path), comment) => Some(Named { in_comment: comment.as_ref() == Some(&path), path }),
        (None, Some(path)) => Some(Named { path, in_comment: true }),
        (None, None) => None,
    }
}

/// Why a path can't be one of the workspace's.
pub fn climbs(path: &str) -> bool {
    path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(before: &str, info: &str, content: &str) -> Option<(String, bool)> {
        let block = Block { info: info.into(), content: content.into(), before: before.into(), closed: true };
        of(&block).map(|named| (named.path, named.in_comment))
    }

    #[test]
    fn finds_the_name_wherever_models_put_it() {
        for (before, info, content) in [
            ("", "python src/a.py", "x\n"),
            ("", "python:src/a.py", "x\n"),
            ("", "python title=\"src/a.py\"", "x\n"),
            ("", "{.python filename=src/a.py}", "x\n"),
            ("", "src/a.py", "x\n"),
            ("", "src\\a.py", "x\n"),
            ("src/a.py\n", "python", "x\n"),
            ("./src/a.py:\n\n", "python", "x\n"),
            ("### `src/a.py`\n", "python", "x\n"),
            ("**src/a.py**\n", "python", "x\n"),
            ("### 2. File: src/a.py\n", "python", "x\n"),
            ("Here is the updated `src/a.py`:\n", "python", "x\n"),
        ] {
            assert_eq!(named(before, info, content), Some(("src/a.py".into(), false)), "{before:?} {info:?}");
        }
        for content in ["# src/a.py\nx\n", "// src/a.py\nx\n", "/* src/a.py */\nx\n", "# File: src/a.py\nx\n"]
        {
            assert_eq!(named("", "python", content), Some(("src/a.py".into(), true)), "{content:?}");
        }
    }

    #[test]
    fn prose_names_nothing() {
        for before in [
            "Run it with `python a.py`, which prints:\n",
            "The function in `a.py` passes `test_a.py`:\n",
            "This uses e.g. the json module. See https://example.com/a.py\n",
            "I looked at a.py and found the mistake\n",
            "",
        ] {
            assert_eq!(named(before, "python", "x = 1  # b.py\n"), None, "{before:?}");
        }
        assert_eq!(named("", "python", "# reads a.py and b.py\n"), None);
        assert_eq!(named("", "python", "# This script calls a.py\n"), None);
    }

    #[test]
    fn sees_a_path_that_climbs() {
        assert!(climbs("../a.py") && climbs("a/../../b") && climbs("/etc/passwd") && climbs("~/a"));
        assert!(!climbs("a/b..c/d.py"));
    }
}
