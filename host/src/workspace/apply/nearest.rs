//! "Did you mean": the lines most like a passage that was not found, in bounded time.

use std::collections::HashSet;

use super::passage::{self, Found, Lines};

/// Lines of the file that are looked at: beyond, a likeness is not worth the time.
const MAX_LINES: usize = 50_000;
/// Windows that are compared letter by letter, after a rough choice by words.
const MAX_WINDOWS: usize = 16;
/// Lines per window and characters per line in that comparison: 16 × 40 × 100² steps, about 10 ms.
const MAX_WINDOW_LINES: usize = 40;
const MAX_LINE_CHARS: usize = 100;
/// Longer paths are not compared letter by letter.
const MAX_PATH_BYTES: usize = 120;
const MAX_SHOWN_BYTES: usize = 8 << 10;
/// Below this, on a scale to 1, lines are not alike at all.
const MIN_LIKENESS: f64 = 0.4;

/// The reason and the nearest lines for a passage that is not in the file.
pub(super) fn hint(lines: &Lines<'_>, search: &str, replace: &str) -> (String, String) {
    let mut reason = "no such passage in the file".to_owned();
    if let Some(line) = inside_a_line(lines, search) {
        reason.push_str(&format!(": it is part of line {line}; give whole lines"));
    } else if !replace.trim().is_empty() && matches!(lines.find(replace), Found::Once(_)) {
        reason.push_str("; the replacement is there already");
    }
    let wanted = passage::bodies(search);
    match most_similar(lines.bodies(), &wanted) {
        Some(first) => {
            let last = (first + wanted.len()).min(lines.bodies().len());
            reason.push_str(&format!("; the lines {} to {last} are the most similar", first + 1));
            (reason, shown(&lines.bodies()[first..last]))
        }
        None => (reason, String::new()),
    }
}

fn inside_a_line(lines: &Lines<'_>, search: &str) -> Option<usize> {
    let part = search.trim();
    if part.is_empty() || part.contains('\n') {
        return None;
    }
    lines.bodies().iter().position(|line| line.contains(part)).map(|at| at + 1)
}

/// The first line of the window that is most like `wanted`.
fn most_similar(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    let lines = &lines[..lines.len().min(MAX_LINES)];
    let words: HashSet<&str> = wanted.iter().flat_map(|line| words(line)).collect();
    let whole: HashSet<&str> =
        wanted.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let rough: Vec<usize> = lines
        .iter()
        .map(|line| if whole.contains(line.trim()) { 8 } else { words_shared(line, &words) })
        .collect();
    let size = wanted.len().clamp(1, lines.len().max(1));
    let mut sum: usize = rough.iter().take(size).sum();
    let mut windows = vec![(sum, 0)];
    for first in 1..=lines.len().saturating_sub(size) {
        sum = sum + rough[first + size - 1] - rough[first - 1];
        windows.push((sum, first));
    }
    windows.sort_by_key(|(sum, first)| (std::cmp::Reverse(*sum), *first));
    windows
        .iter()
        .take(MAX_WINDOWS)
        .filter(|(sum, _)| *sum > 0)
        .map(|(_, first)| (likeness(&lines[*first..], wanted), *first))
        .filter(|(likeness, _)| *likeness >= MIN_LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .map(|(_, first)| first)
}

fn likeness(there: &[&str], wanted: &[&str]) -> f64 {
    let pairs = there.iter().zip(wanted).take(MAX_WINDOW_LINES);
    let start = |line: &str| line.trim().chars().take(MAX_LINE_CHARS).collect::<String>();
    let total: f64 = pairs.map(|(a, b)| strsim::normalized_levenshtein(&start(a), &start(b))).sum();
    total / wanted.len().min(MAX_WINDOW_LINES) as f64
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    // A line of a minified file is as long as the file.
    let end = line.char_indices().nth(400).map_or(line.len(), |(at, _)| at);
    line[..end].split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.len() > 1)
}

fn words_shared(line: &str, wanted: &HashSet<&str>) -> usize {
    words(line).filter(|word| wanted.contains(word)).take(6).count()
}

fn shown(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        if text.len() + line.len() + 1 > MAX_SHOWN_BYTES {
            text.push_str("…\n");
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The known path that was most likely meant: the same file name elsewhere, else a similar path.
pub(in crate::workspace) fn path<'a>(known: &[&'a str], wanted: &str) -> Option<&'a str> {
    let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let wanted_name = name(wanted);
    let mut same_name = known.iter().filter(|path| name(path) == wanted_name);
    if let (Some(only), None) = (same_name.next(), same_name.next()) {
        return Some(only);
    }
    known
        .iter()
        .filter(|path| path.len() <= MAX_PATH_BYTES && wanted.len() <= MAX_PATH_BYTES)
        .map(|path| (strsim::jaro_winkler(path, wanted), *path))
        .filter(|(likeness, _)| *likeness > 0.9)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, path)| path)
}
