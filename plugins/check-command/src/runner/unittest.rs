use crate::places::Places;
use crate::report::{Findings, Problem};

/// Reads the output of Python's `unittest`.
pub fn parse(output: &str, places: &Places) -> Option<Findings> {
    let lines: Vec<&str> = output.lines().collect();
    let mut findings: Option<Findings> = None;
    for (at, line) in lines.iter().enumerate() {
        let Some(ran) = line.strip_prefix("Ran ") else { continue };
        let Some((ran, _)) = ran.split_once(" test") else { continue };
        let Ok(ran) = ran.parse::<u32>() else { continue };
        let end = lines[at..].iter().find(|l| l.starts_with("FAILED") || l.starts_with("OK")).unwrap_or(&"");
        let all = findings.get_or_insert_default();
        let count = |key: &str| {
            let inner = end.split_once('(').map_or("", |(_, inner)| inner.trim_end_matches(')'));
            inner
                .split(", ")
                .filter_map(|pair| pair.split_once('='))
                .find(|(k, _)| *k == key)
                .and_then(|(_, n)| n.parse().ok())
        };
        let failed = count("failures").unwrap_or(0u32)
            + count("errors").unwrap_or(0)
            + count("unexpected successes").unwrap_or(0);
        let skipped = count("skipped").unwrap_or(0) + count("expected failures").unwrap_or(0);
        all.failed += failed;
        all.skipped += skipped;
        all.passed += ran.saturating_sub(failed + skipped);
    }
    let mut findings = findings?;
    let double = |l: &str| l.len() >= 70 && l.bytes().all(|b| b == b'=');
    let single = |l: &str| l.len() >= 70 && l.bytes().all(|b| b == b'-');
    for (at, _) in lines.iter().enumerate().filter(|(_, l)| double(l)) {
        let Some((_, name)) =
            lines.get(at + 1).and_then(|l| l.split_once(": ")).filter(|(k, _)| *k == "FAIL" || *k == "ERROR")
        else {
            continue;
        };
        let Some(body) = lines[at + 1..].iter().position(|l| single(l)).map(|n| at + 2 + n) else { continue };
        let body: Vec<&str> =
            lines[body..].iter().copied().take_while(|l| !double(l) && !single(l)).collect();
        findings.problems.push(problem(name, &body, places));
    }
    Some(findings)
}

/// `test_x (mod.Class.test_x)`, or before Python 3.11 `test_x (mod.Class)`; sub-tests add ` (i=1)`.
fn full_name(name: &str) -> String {
    let Some((method, rest)) = name.split_once(" (") else { return name.to_string() };
    let Some((class, sub)) = rest.split_once(')') else { return name.to_string() };
    if class.rsplit('.').next() == Some(method) {
        format!("{class}{sub}")
    } else {
        format!("{class}.{method}{sub}")
    }
}

fn problem(name: &str, body: &[&str], places: &Places) -> Problem {
    // The innermost frame that is in the workspace.
    let place = body.iter().rev().find_map(|l| frame(l, places));
    // The exception follows the last frame: the first line that is not indented again.
    let last = body.iter().rposition(|l| l.trim_start().starts_with("File \"")).unwrap_or(0);
    let start = body[last..]
        .iter()
        .skip(1)
        .position(|l| !l.is_empty() && !l.starts_with(' '))
        .map_or(0, |n| last + 1 + n);
    let mut message = body[start..].join("\n").trim_end().to_string();
    if start > 1 {
        message = format!("{message}\n\n{}", body[1..start].join("\n"));
    }
    let (path, line) = place.unzip();
    Problem { test: Some(full_name(name)), path, line, message }
}

/// `  File "/box/test_slug.py", line 12, in test_spaces`
fn frame(line: &str, places: &Places) -> Option<(String, u32)> {
    let (path, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    let line = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((places.find(path)?, line))
}
