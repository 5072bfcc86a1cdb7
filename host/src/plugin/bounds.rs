//! The sizes that `wit/types.wit` promises for a report, and the size of what a call returns.

use super::bindings::types as wit;
use crate::task::{Problem, Report, Verdict};

const MAX_PROBLEMS: usize = 200;
const MAX_MESSAGE_BYTES: usize = 8 << 10;
const MAX_OUTPUT_BYTES: usize = 64 << 10;

/// Cuts what is too long, and says so in the text. Whoever names a failure has not passed.
pub(super) fn bound(mut report: Report) -> Report {
    if report.verdict == Verdict::Passed && (report.counts.failed > 0 || !report.problems.is_empty()) {
        report.verdict = Verdict::Failed;
    }
    let found = report.problems.len();
    if found > MAX_PROBLEMS {
        report.problems.truncate(MAX_PROBLEMS);
        report.output =
            format!("[{found} problems were found; the first {MAX_PROBLEMS} are kept]\n{}", report.output);
    }
    for problem in &mut report.problems {
        cut_middle(&mut problem.message, MAX_MESSAGE_BYTES);
        for name in [&mut problem.test, &mut problem.path].into_iter().flatten() {
            cut_middle(name, MAX_MESSAGE_BYTES);
        }
    }
    cut_middle(&mut report.output, MAX_OUTPUT_BYTES);
    report
}

/// Leaves at most `max` bytes: the beginning, a note of what is missing, and the end.
pub(super) fn cut_middle(text: &mut String, max: usize) {
    if text.len() <= max {
        return;
    }
    // Room for the note, whatever its number.
    let half = max.saturating_sub(64) / 2;
    let head = text.floor_char_boundary(half);
    let tail = text.ceil_char_boundary(text.len() - half);
    let note = format!("\n[… {} bytes left out …]\n", tail - head);
    text.replace_range(head..tail, &note);
}

/// The bytes of text in a report as the guest returned it.
pub(super) fn report_bytes(report: &wit::Report) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let problem = |problem: &wit::Problem| {
        problem.message.len() + optional(&problem.test) + optional(&problem.path) + size_of::<Problem>()
    };
    report.output.len() + report.problems.iter().map(problem).sum::<usize>()
}
