//! When two failures are the same.

use crate::task::Round;

/// What went wrong in a round, without what changes from run to run (addresses, times, line
/// numbers). `None` for a round that passed or was not checked.
pub fn fingerprint(round: &Round) -> Option<String> {
    if let Some(failure) = &round.failure {
        return Some(steady(failure));
    }
    let report = round.report.as_ref()?;
    let mut problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.test.as_deref().unwrap_or("-"), steady(&problem.message)))
        .collect();
    if problems.is_empty() {
        problems.push(steady(&report.output));
    }
    problems.sort();
    problems.dedup();
    Some(problems.join("\n"))
}

/// The failure that the last `times` rounds share, in one line for people.
pub(super) fn repeated(rounds: &[Round], times: usize) -> Option<String> {
    let tail = rounds.len().checked_sub(times).map(|from| &rounds[from..])?;
    let first = fingerprint(tail.first()?)?;
    tail.iter().all(|round| fingerprint(round).as_ref() == Some(&first)).then(|| {
        let line = first.lines().next().unwrap_or(&first);
        line.chars().take(300).collect()
    })
}

/// Replaces long hexadecimal numbers, which are addresses, so that only
/// what the code did remains.
fn steady(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("0x") {
        out.push_str(&rest[..at]);
        let digits = rest[at + 2..].chars().take_while(char::is_ascii_hexdigit).count();
        out.push_str(if digits >= 6 { "0x…" } else { &rest[at..at + 2 + digits] });
        rest = &rest[at + 2 + digits..];
    }
    out.push_str(rest);
    out
}
