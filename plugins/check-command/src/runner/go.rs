use std::collections::BTreeMap;

use crate::places::Places;
use crate::report::{Findings, Problem};
use crate::runner::dedent;

/// Reads the plain output of `go test`, with or without `-v`.
pub fn parse(output: &str, places: &Places) -> Option<Findings> {
    let lines: Vec<&str> = output.lines().collect();
    // One line per package: `ok  \tPACKAGE\t0.1s`, `FAIL\tPACKAGE\t0.1s`, `?   \tPACKAGE\t[no test files]`.
    let package = |l: &&str| ["ok  \t", "FAIL\t", "?   \t"].iter().any(|p| l.starts_with(p));
    if !lines.iter().any(package) {
        return None;
    }
    let some_passed = lines.iter().any(|l| l.starts_with("ok  \t") && !l.contains("[no test"));
    let mut findings = Findings { some_passed, ..Findings::default() };
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        if text.starts_with("--- PASS: ") {
            findings.passed += 1;
        } else if text.starts_with("--- SKIP: ") {
            findings.skipped += 1;
        } else if let Some(rest) = text.strip_prefix("--- FAIL: ") {
            let name = rest.split(" (").next().unwrap_or(rest);
            let next = lines.get(at + 1).map(|l| l.trim_start()).unwrap_or_default();
            // A test fails with its sub-tests, which are listed themselves.
            if next.starts_with(&format!("--- FAIL: {name}/")) {
                continue;
            }
            let body: Vec<&str> = lines[at + 1..]
                .iter()
                .copied()
                .take_while(|l| {
                    !l.trim_start().starts_with("--- ") && !l.starts_with("FAIL") && !l.starts_with("=== ")
                })
                .collect();
            findings.failed += 1;
            findings.problems.push(problem(name, &body, places));
        }
    }
    findings.problems.extend(build_errors(&lines, places));
    Some(findings)
}

fn problem(test: &str, body: &[&str], places: &Places) -> Problem {
    let place = body.iter().find_map(|l| places.place(l));
    let (path, line) = place.unzip();
    Problem { test: Some(test.into()), path, line, message: dedent(body) }
}

/// What the compiler says follows a line `# PACKAGE`.
fn build_errors(lines: &[&str], places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, l)| l.starts_with("# ")) {
        for line in lines[at + 1..].iter().take_while(|l| !l.starts_with("FAIL") && !l.starts_with("# ")) {
            if let Some((path, number)) = places.place(line) {
                let message = line.splitn(4, ':').nth(3).unwrap_or(line).trim().to_string();
                problems.push(Problem { test: None, path: Some(path), line: Some(number), message });
            }
        }
    }
    problems
}

#[derive(Default)]
struct Test {
    output: String,
    action: String,
}

/// Reads the output of `go test -json`.
pub fn parse_json(output: &str, places: &Places) -> Option<Findings> {
    let mut tests: BTreeMap<(String, String), Test> = BTreeMap::new();
    let mut rest = String::new();
    let mut seen = false;
    for line in output.lines().filter(|l| l.starts_with('{') && l.contains("\"Action\"")) {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let text = |key: &str| event.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_string();
        seen = true;
        let (action, name) = (text("Action"), text("Test"));
        if name.is_empty() {
            rest.push_str(&text("Output"));
            continue;
        }
        let test = tests.entry((text("Package"), name)).or_default();
        match action.as_str() {
            "output" => test.output.push_str(&text("Output")),
            "pass" | "fail" | "skip" => test.action = action,
            _ => {}
        }
    }
    if !seen {
        return None;
    }
    let mut findings = Findings::default();
    for ((package, name), test) in &tests {
        match test.action.as_str() {
            "pass" => findings.passed += 1,
            "skip" => findings.skipped += 1,
            _ => {
                let below = format!("{name}/");
                if tests.iter().any(|((p, n), t)| p == package && n.starts_with(&below) && t.action == "fail")
                {
                    continue;
                }
                let marks = ["=== ", "--- "];
                let body: Vec<&str> = test
                    .output
                    .lines()
                    .filter(|l| !marks.iter().any(|m| l.trim_start().starts_with(m)))
                    .collect();
                findings.failed += 1;
                findings.problems.push(problem(name, &body, places));
            }
        }
    }
    let lines: Vec<&str> = rest.lines().collect();
    findings.problems.extend(build_errors(&lines, places));
    Some(findings)
}
