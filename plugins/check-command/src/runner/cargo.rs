use crate::places::Places;
use crate::report::{Findings, Problem};
use crate::runner::number_before;

/// Reads the output of `cargo test`, `cargo build` or `cargo clippy` in rustc's and libtest's plain form.
pub fn parse(output: &str, places: &Places) -> Option<Findings> {
    let lines: Vec<&str> = output.lines().collect();
    let results: Vec<&str> = lines.iter().filter_map(|l| l.strip_prefix("test result: ")).collect();
    let compiled = lines.iter().any(|l| l.starts_with("error: could not compile"));
    if results.is_empty() && !compiled {
        return None;
    }
    let mut findings = Findings::default();
    for result in results {
        let counts = result.split_once(". ").map_or(result, |(_, counts)| counts);
        findings.passed += number_before(counts, "passed");
        findings.failed += number_before(counts, "failed");
        findings.skipped += number_before(counts, "ignored");
    }
    findings.problems = failures(&lines, places);
    if compiled {
        findings.problems.extend(errors(&lines, places));
    }
    Some(findings)
}

/// The blocks that begin with `---- NAME stdout ----`.
fn failures(lines: &[&str], places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rest = lines.iter().peekable();
    while let Some(line) = rest.next() {
        let Some(test) = line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----")) else {
            continue;
        };
        let mut message = String::new();
        let mut place = None;
        let mut in_backtrace = false;
        while let Some(line) = rest.peek() {
            if line.starts_with("---- ") || **line == "failures:" || line.starts_with("test result: ") {
                break;
            }
            let line = rest.next().expect("just peeked");
            in_backtrace = (in_backtrace || *line == "stack backtrace:") && !line.starts_with("note: ");
            if in_backtrace || line.starts_with("note: ") {
                continue;
            }
            // Without the thread's number: the same failure must read the same each time.
            if let Some((_, at)) = line.split_once(" panicked at ") {
                place = place.or_else(|| places.place(at));
                message.push_str("panicked at ");
                message.push_str(at);
            } else {
                message.push_str(line);
            }
            message.push('\n');
        }
        let (path, line) = place.or_else(|| doctest_place(test, places)).unzip();
        problems.push(Problem { test: Some(test.into()), path, line, message: message.trim().into() });
    }
    problems
}

/// A doctest is called `src/lib.rs - slugify (line 3)`.
fn doctest_place(test: &str, places: &Places) -> Option<(String, u32)> {
    let (path, rest) = test.split_once(" - ")?;
    let line = rest.rsplit_once("(line ")?.1.strip_suffix(')')?.parse().ok()?;
    Some((places.find(path)?, line))
}

/// The compiler's errors: a headline, a place, and the lines up to the next blank one.
fn errors(lines: &[&str], places: &Places) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !(line.starts_with("error[") || line.starts_with("error: ")) {
            continue;
        }
        let block: Vec<&str> = lines[start..].iter().copied().take_while(|l| !l.is_empty()).collect();
        let arrow = block.iter().find_map(|l| l.trim_start().strip_prefix("--> "));
        let Some(arrow) = arrow else { continue };
        let (path, line) = places.place(arrow).unzip();
        let problem = Problem { test: None, path, line, message: block.join("\n") };
        // A library is compiled twice: for itself, and for its tests.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}
