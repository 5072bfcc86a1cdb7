use crate::places::Places;
use crate::report::{Findings, Problem};
use crate::runner::number_before;

const WORDS: [&str; 9] =
    ["passed", "failed", "skipped", "error", "errors", "xfailed", "xpassed", "warning", "warnings"];

/// Reads pytest's output, in any of its `--tb` styles.
pub fn parse(output: &str, places: &Places) -> Option<Findings> {
    let lines: Vec<&str> = output.lines().collect();
    let last = lines.iter().rev().find(|l| is_summary(l))?.trim_matches('=');
    let mut findings = Findings {
        passed: number_before(last, "passed") + number_before(last, "xpassed"),
        failed: number_before(last, "failed") + number_before(last, "error") + number_before(last, "errors"),
        skipped: number_before(last, "skipped") + number_before(last, "xfailed"),
        ..Findings::default()
    };
    let listed: Vec<(&str, &str)> = lines.iter().filter_map(|l| listed(l)).collect();
    let mut inside = false;
    let mut at = 0;
    while at < lines.len() {
        if let Some(title) = banner(lines[at], '=') {
            inside = title == "FAILURES" || title == "ERRORS";
        } else if let Some(title) = banner(lines[at], '_').filter(|_| inside) {
            let body: Vec<&str> = lines[at + 1..]
                .iter()
                .copied()
                .take_while(|l| banner(l, '=').is_none() && banner(l, '_').is_none())
                .collect();
            at += body.len();
            findings.problems.push(problem(title, &body, &listed, places));
        }
        at += 1;
    }
    if findings.problems.is_empty() {
        findings.problems = listed
            .iter()
            .map(|(id, message)| Problem {
                test: Some((*id).into()),
                path: id.split("::").next().and_then(|p| places.find(p)),
                line: None,
                message: (*message).into(),
            })
            .collect();
    }
    Some(findings)
}

/// `=== 2 failed, 1 error in 0.11s ===`, with -q without the signs; `no tests ran in 0.01s`.
fn is_summary(line: &str) -> bool {
    let line = line.trim_matches('=').trim();
    let Some((counts, time)) = line.rsplit_once(" in ") else { return false };
    let seconds = time.split('s').next().is_some_and(|t| t.parse::<f64>().is_ok());
    let counted =
        |c: &str| c.split_once(' ').is_some_and(|(n, w)| n.parse::<u32>().is_ok() && WORDS.contains(&w));
    seconds
        && (counts == "no tests ran" || counts.split(", ").all(|c| counted(c) || c.ends_with("deselected")))
}

/// The title in `==== title ====`. A line of signs and blanks only, as between frames, is none.
fn banner(line: &str, sign: char) -> Option<&str> {
    let title = line.strip_prefix(&format!("{sign}{sign}"))?.strip_suffix(sign)?.trim_matches(sign);
    let title = title.strip_prefix(' ')?.strip_suffix(' ')?;
    (!title.chars().all(|c| c == sign || c == ' ')).then_some(title)
}

/// `FAILED test_pt.py::test_half - ZeroDivisionError: …` of the short summary.
fn listed(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "))?;
    let (id, message) = rest.split_once(" - ").unwrap_or((rest, ""));
    (id.contains(".py") && !id.starts_with(' ')).then_some((id, message))
}

fn problem(title: &str, body: &[&str], listed: &[(&str, &str)], places: &Places) -> Problem {
    let name = ["ERROR at setup of ", "ERROR at teardown of ", "ERROR collecting "]
        .iter()
        .find_map(|p| title.strip_prefix(p))
        .unwrap_or(title);
    // The title has dots where the id has colons, and no file.
    let id = listed.iter().map(|(id, _)| *id).find(|id| {
        *id == name || id.split_once("::").is_some_and(|(_, inner)| inner.replace("::", ".") == name)
    });
    let captured =
        body.iter().position(|l| l.starts_with("---") && l.contains(" Captured ")).unwrap_or(body.len());
    let trace = &body[..captured];
    let errors: Vec<&str> = trace.iter().filter_map(|l| l.strip_prefix("E ")).collect();
    let mut message = super::dedent(&errors);
    if message.is_empty() {
        message = trace.join("\n").trim().to_string();
    }
    let place = trace.iter().rev().find_map(|l| places.place(l));
    if captured < body.len() {
        message = format!("{message}\n\n{}", body[captured..].join("\n").trim_end());
    }
    let (path, line) = place.unzip();
    let collecting = title.starts_with("ERROR collecting ");
    let path = path.or_else(|| places.find(name));
    Problem { test: (!collecting).then(|| id.unwrap_or(name).to_string()), path, line, message }
}
