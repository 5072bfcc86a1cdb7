use crate::places::Places;
use crate::report::{Findings, Problem};
use crate::runner::dedent;

/// Reads the output of `node --test`, in its TAP and its spec form.
pub fn parse(output: &str, places: &Places) -> Option<Findings> {
    let lines: Vec<&str> = output.lines().collect();
    // Both forms end with the same list, each line after a `#` or an `ℹ`.
    let total = |key: &str| {
        let lines = lines.iter().rev().filter_map(|l| l.strip_prefix("# ").or_else(|| l.strip_prefix("ℹ ")));
        lines.filter_map(|l| l.strip_prefix(key)?.trim().parse::<u32>().ok()).next()
    };
    total("tests ")?;
    let mut findings = Findings {
        passed: total("pass ")?,
        failed: total("fail ").unwrap_or(0) + total("cancelled ").unwrap_or(0),
        skipped: total("skipped ").unwrap_or(0) + total("todo ").unwrap_or(0),
        ..Findings::default()
    };
    findings.problems = if lines.iter().any(|l| l.starts_with("TAP version")) {
        tap(&lines, places)
    } else {
        spec(&lines, places)
    };
    Some(findings)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn tap(lines: &[&str], places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    // The names of the tests around a line, with their indentation.
    let mut around: Vec<(usize, &str)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let depth = indent(line);
        let text = line.trim_start();
        if let Some(name) = text.strip_prefix("# Subtest: ") {
            around.retain(|(d, _)| *d < depth);
            around.push((depth, name));
        }
        let Some(name) = text.strip_prefix("not ok ").and_then(|t| t.split_once(" - ")).map(|(_, n)| n)
        else {
            continue;
        };
        if name.contains("# SKIP")
            || name.contains("# TODO")
            || lines.get(at + 1).is_none_or(|l| l.trim() != "---")
        {
            continue;
        }
        let block: Vec<&str> = lines[at + 2..].iter().copied().take_while(|l| l.trim() != "...").collect();
        // A suite fails with its tests, which are listed themselves.
        if value(&block, "failureType").as_deref() == Some("subtestsFailed") {
            continue;
        }
        let parents = around.iter().filter(|(d, _)| *d < depth).map(|(_, n)| *n);
        let test = parents.chain([name]).collect::<Vec<_>>().join(" > ");
        let stack = value(&block, "stack").unwrap_or_default();
        let location = value(&block, "location");
        let place = frames(&stack, places).or_else(|| location.and_then(|l| places.place(&l)));
        let (path, line) = place.unzip();
        let mut message = value(&block, "error").unwrap_or_default();
        // A file that can't be loaded says why in comments before its line.
        if path.is_none() || message == "test failed" {
            let comments = lines[..at].iter().rev().skip_while(|l| l.starts_with("# Subtest"));
            let mut comments: Vec<&str> = comments.map_while(|l| l.strip_prefix("# ")).collect();
            comments.reverse();
            message = format!("{message}\n{}", comments.join("\n")).trim_end().to_string();
        }
        problems.push(Problem { test: Some(test), path, line, message });
    }
    problems
}

/// A key of the YAML below a TAP line: quoted on its line, or a block below it.
fn value(block: &[&str], key: &str) -> Option<String> {
    let depth = indent(block.first()?);
    let at =
        block.iter().position(|l| indent(l) == depth && l.trim_start().starts_with(&format!("{key}:")))?;
    let text = block[at].trim_start()[key.len() + 1..].trim();
    if text.starts_with('|') {
        let below: Vec<&str> = block[at + 1..]
            .iter()
            .copied()
            .take_while(|l| l.trim().is_empty() || indent(l) > depth)
            .collect();
        return Some(dedent(&below));
    }
    let text = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(text);
    Some(text.replace("''", "'"))
}

/// The first frame of a stack that is in the workspace: `f (/box/slug.js:2:31)` or `/box/slug.js:2:31`.
fn frames(stack: &str, places: &Places) -> Option<(String, u32)> {
    stack.lines().find_map(|l| {
        let place = l.rsplit_once('(').map_or(l, |(_, p)| p).trim().trim_start_matches("at ");
        places.place(place)
    })
}

fn spec(lines: &[&str], places: &Places) -> Vec<Problem> {
    let Some(start) = lines.iter().position(|l| l.starts_with("✖ failing tests:")) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let lines = &lines[start..];
    for (at, line) in lines.iter().enumerate() {
        let Some(location) = line.strip_prefix("test at ") else { continue };
        let Some(title) = lines.get(at + 1).and_then(|l| l.strip_prefix("✖ ")) else { continue };
        let name = title.rsplit_once(" (").map_or(title, |(name, _)| name);
        let block: Vec<&str> =
            lines[at + 2..].iter().copied().take_while(|l| !l.starts_with("test at ")).collect();
        let stack: Vec<&str> = block.iter().copied().filter(|l| l.trim_start().starts_with("at ")).collect();
        let place = frames(&stack.join("\n"), places).or_else(|| places.place(location));
        let shown: Vec<&str> =
            block.iter().copied().take_while(|l| !l.trim_start().starts_with("at ")).collect();
        let (path, line) = place.unzip();
        problems.push(Problem { test: Some(name.into()), path, line, message: dedent(&shown) });
    }
    problems
}
