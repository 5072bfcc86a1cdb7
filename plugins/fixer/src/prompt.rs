//! What the model is told about a failure.
use answer::bindings::types::{Attempt, Problem, Report};
use answer::prompt::{Draft, Section, form, overview};
use answer::question;
use answer::scene::Scene;
use answer::settings::{Format, Settings, Start};

use crate::decide::Approach;

/// Problems told in full; a model that mends these mostly mends the others.
const MOST_PROBLEMS: usize = 5;
/// The same where the code is not shown: more only confuses.
const MOST_AFRESH: usize = 2;
/// Bytes of one message, of the tool's output and of one earlier diff.
const MOST_MESSAGE: usize = 1500;
const MOST_OUTPUT: usize = 2000;
const MOST_DIFF: usize = 3000;
/// Lines shown around a problem's line, before and after.
const AROUND: (usize, usize) = (6, 3);

/// `own` are the files that the task itself has created.
pub(crate) fn draft(
    scene: &Scene,
    settings: &Settings,
    attempt: &Attempt,
    approach: &Approach<'_>,
    own: &[&str],
) -> Draft {
    let all_own =
        !scene.wanted.is_empty() && scene.wanted.iter().all(|wanted| own.contains(&wanted.path.as_str()));
    let again = matches!(approach, Approach::Differently(_)) || settings.approach == Start::Afresh;
    if again && all_own && settings.format == Format::Whole {
        return afresh(scene, settings, attempt);
    }
    let mut draft = Draft {
        system: "You are an expert programmer who repairs code. You find out why the tests fail and answer with the \
                 corrected code, in exactly the form you are asked for."
            .into(),
        opening: scene.goal.trim().to_owned(),
        ..Draft::default()
    };
    for wanted in &scene.wanted {
        if let Some(text) = scene.text(&wanted.path) {
            let title = format!("This is `{}`. It is wrong:\n", wanted.path);
            draft.must.push(Section::file(&title, &wanted.path, text));
        }
    }
    if let Some(report) = &attempt.report {
        draft.must.push(Section { name: "the failures".into(), text: failures(scene, report) });
    }
    if let Approach::Differently(failed) = approach {
        draft.must.push(Section { name: "earlier repairs".into(), text: earlier(failed) });
    }
    for path in &scene.tests {
        if let Some(text) = scene.text(path) {
            draft.may.push(Section::file(&format!("The tests (`{path}`):\n"), path, text));
        }
    }
    for path in &scene.shown {
        if let Some(text) = scene.text(path) {
            draft.may.push(Section::file(&format!("For your information, `{path}`:\n"), path, text));
        }
    }
    draft.may.extend(overview(scene));
    let how = match (approach, settings.format) {
        (Approach::Plain, Format::Whole) => {
            "Correct the code so that these tests and all others pass; do not change the tests."
        }
        (Approach::Plain, Format::SearchReplace) => {
            "Correct the code so that all tests pass; change no more than that needs, and not the tests."
        }
        (Approach::Differently(_), _) => {
            "Think again about what the goal asks, then write the code in another way: do not repeat any of the \
             tries above."
        }
    };
    draft.closing = format!("{how} {}", form(scene, settings.format));
    draft
}

/// The builder's question again, with what went wrong and without the code that did: measured with a model of
/// 1.5B parameters, showing it brings the same mistake back.
fn afresh(scene: &Scene, settings: &Settings, attempt: &Attempt) -> Draft {
    let mut draft = question::draft(scene, settings, false);
    let mut notes = String::from("\n\nAn earlier attempt failed; take care of this:\n\n");
    let problems = attempt.report.iter().flat_map(|report| &report.problems);
    for problem in problems.take(MOST_AFRESH) {
        let test = problem.test.as_ref().map_or(String::new(), |test| format!("`{test}`: "));
        notes.push_str(&format!("- {test}{}\n", first(problem.message.trim(), MOST_MESSAGE)));
    }
    notes.push_str("\nTake a different approach.");
    draft.closing.push_str(&notes);
    draft
}

fn failures(scene: &Scene, report: &Report) -> String {
    let count = report.problems.len();
    let total = report.counts.passed + report.counts.failed;
    let mut text = if report.counts.failed > 0 && total > 0 {
        format!("{} of {total} tests fail:\n", report.counts.failed)
    } else {
        "The check fails:\n".to_owned()
    };
    for problem in report.problems.iter().take(MOST_PROBLEMS) {
        text.push_str(&one(scene, problem));
    }
    if count > MOST_PROBLEMS {
        text.push_str(&format!("\nand {} more like these.\n", count - MOST_PROBLEMS));
    }
    if count == 0 {
        text.push_str(&format!("```\n{}\n```\n", last(report.output.trim(), MOST_OUTPUT)));
    }
    text
}

fn one(scene: &Scene, problem: &Problem) -> String {
    let mut text = String::from("\n- ");
    if let Some(test) = &problem.test {
        text.push_str(&format!("{test}: "));
    }
    text.push_str(first(problem.message.trim(), MOST_MESSAGE));
    text.push('\n');
    let (Some(path), Some(line)) = (&problem.path, problem.line) else { return text };
    let Some(source) = scene.text(path) else { return text };
    let Some(excerpt) = excerpt(source, line) else { return text };
    text.push_str(&format!("  at line {line} of {path}:\n```\n{excerpt}```\n"));
    text
}

/// The lines around `line`, which is marked.
fn excerpt(source: &str, line: u32) -> Option<String> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let lines: Vec<&str> = source.lines().collect();
    lines.get(at)?;
    let start = at.saturating_sub(AROUND.0);
    let end = (at + AROUND.1 + 1).min(lines.len());
    let marked = |(offset, text): (usize, &&str)| {
        let mark = if start + offset == at { ">" } else { " " };
        format!("{mark} {text}\n")
    };
    Some(lines[start..end].iter().enumerate().map(marked).collect())
}

fn earlier(failed: &[&Attempt]) -> String {
    let mut text =
        String::from("These changes were tried before and did not work; the same tests failed after each:\n");
    // The latest is the one most likely to be repeated.
    for attempt in failed.iter().rev().take(2) {
        text.push_str(&format!("```diff\n{}\n```\n", first(attempt.diff.trim_end(), MOST_DIFF)));
    }
    text
}

/// The start of a text, at a line's end where it has one.
fn first(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let cut = &text[..text.floor_char_boundary(most)];
    cut.rfind('\n').map_or(cut, |at| &cut[..at])
}

/// The end of a text, where tools put what matters.
fn last(text: &str, most: usize) -> &str {
    let Some(over) = text.len().checked_sub(most) else { return text };
    let cut = &text[text.ceil_char_boundary(over)..];
    cut.find('\n').map_or(cut, |at| &cut[at + 1..])
}
