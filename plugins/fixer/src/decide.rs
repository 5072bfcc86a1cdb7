//! The choice between repairing, building afresh and giving up; pure.
use answer::bindings::types::{Attempt, AttemptKind, Report, Verdict};

/// Repairs of one build after which its code is given up when it does not even parse.
const SYNTAX_FIXES: usize = 2;
/// The same failure this often in a row: other words don't help any more, other code may.
const SAME_FAILURES: usize = 3;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way<'a> {
    Repair {
        /// The attempt whose tree the workspace holds.
        attempt: &'a Attempt,
        approach: Approach<'a>,
    },
    /// With a hint for the builder.
    Rebuild(String),
    /// With the reason for the user.
    Stop(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Approach<'a> {
    /// The failure is new: show it and ask for a repair.
    Plain,
    /// The last repairs left the same failure: show them as what did not work and ask for another way.
    Differently(Vec<&'a Attempt>),
}

/// Decides from the history alone. The attempts are the oldest first, as the contract gives them.
pub(crate) fn decide(attempts: &[Attempt]) -> Way<'_> {
    let Some(at) = attempts.iter().rposition(|attempt| attempt.current).or(attempts.len().checked_sub(1))
    else {
        return Way::Stop("there is no attempt to repair".into());
    };
    let attempt = &attempts[at];
    let Some(report) = &attempt.report else {
        let why = attempt.failure.as_deref().unwrap_or("the last attempt left nothing to check");
        return Way::Rebuild(why.to_owned());
    };
    match report.verdict {
        Verdict::Broken => {
            return Way::Stop(format!("the check could not judge the code: {}", first_words(report)));
        }
        Verdict::Passed => return Way::Stop("the check has passed; nothing is left to repair".into()),
        Verdict::Failed => {}
    }
    // Only repairs of the same build say anything about its code.
    let build = attempts[..=at].iter().rposition(|attempt| attempt.kind == AttemptKind::Build).unwrap_or(0);
    let since = &attempts[build..];
    let fixes = since.iter().filter(|attempt| attempt.kind == AttemptKind::Fix).count();
    if fixes >= SYNTAX_FIXES && !parses(report) {
        return Way::Rebuild(format!(
            "after {fixes} repairs the code still has a syntax error: {}",
            first_words(report)
        ));
    }
    let same: Vec<&Attempt> = since
        .iter()
        .filter(|other| {
            other.report.as_ref().is_some_and(|other| same(&fingerprint(other), &fingerprint(report)))
        })
        .collect();
    if same.len() >= SAME_FAILURES {
        return Way::Rebuild(format!(
            "{} tries in a row failed in the same way: {}",
            same.len(),
            first_words(report)
        ));
    }
    let again = same.len() > 1;
    let failed: Vec<&Attempt> = same.into_iter().filter(|attempt| attempt.kind == AttemptKind::Fix).collect();
    let approach = if again { Approach::Differently(failed) } else { Approach::Plain };
    Way::Repair { attempt, approach }
}

/// The files that the task itself has created, by the attempts' diffs: no one else's work is in them.
pub(crate) fn own_files(attempts: &[Attempt]) -> Vec<&str> {
    let mut found = Vec::new();
    for attempt in attempts {
        let lines: Vec<&str> = attempt.diff.lines().collect();
        for pair in lines.windows(2) {
            if let [from, to] = pair
                && from.starts_with("--- /dev/null")
                && let Some(path) = to.strip_prefix("+++ ")
            {
                let path = path.split('\t').next().unwrap_or(path).trim();
                found.push(path.strip_prefix("b/").unwrap_or(path));
            }
        }
    }
    found
}

/// What makes two failures the same: the tests and what they say.
fn fingerprint(report: &Report) -> Vec<(Option<&str>, String)> {
    let mut found: Vec<_> =
        report.problems.iter().map(|problem| (problem.test.as_deref(), steady(&problem.message))).collect();
    if found.is_empty() {
        found.push((None, steady(&report.output)));
    }
    found
}

/// In any order.
fn same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.len() == other.len() && one.iter().all(|item| other.contains(item))
}

/// A message without what changes from run to run though the failure is the same: line numbers, addresses, times.
fn steady(message: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in message.split_whitespace() {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        let line = words.last() == Some(&"line") && number;
        let time = number && matches!(&word[digits.len()..], "s" | "ms" | "s." | "ms.");
        let end = word.find("0x").or_else(|| {
            // `slug.py:12:5:`
            word.find(':').filter(|at| *at > 0 && word[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
        });
        words.push(if line || time { "#" } else { &word[..end.unwrap_or(word.len())] });
    }
    words.join(" ")
}

/// Whether the code is read at all by its language.
pub(crate) fn parses(report: &Report) -> bool {
    const SIGNS: &[&str] =
        &["SyntaxError", "IndentationError", "TabError", "syntax error", "Unexpected token"];
    !report.problems.iter().any(|problem| SIGNS.iter().any(|sign| problem.message.contains(sign)))
}

fn first_words(report: &Report) -> String {
    let text = report.problems.first().map_or(report.output.as_str(), |problem| &problem.message);
    let words: String = text.trim().lines().take(4).collect::<Vec<_>>().join(" ");
    if words.is_empty() { "it says nothing more".into() } else { words.chars().take(400).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use answer::bindings::types::{Counts, Problem};

    enum Word {
        Is(Approach<'static>),
        Again(usize),
        Rebuild(&'static str),
        Stop(&'static str),
    }

    fn report(verdict: Verdict, message: &str) -> Report {
        let problem = Problem { test: Some("t".into()), path: None, line: None, message: message.into() };
        let problems = if message.is_empty() { vec![] } else { vec![problem] };
        Report {
            verdict,
            counts: Counts { passed: 0, failed: 1, skipped: 0 },
            problems,
            output: String::new(),
        }
    }

    /// `b:message` a build, `f:message` a fix, `!` in front of the message: no report but this failure.
    fn history(words: &[&str]) -> Vec<Attempt> {
        let last = words.len();
        let attempt = |(at, word): (usize, &&str)| {
            let (kind, message) = word.split_once(':').expect("kind:message");
            let failure = message.strip_prefix('!').map(str::to_owned);
            Attempt {
                number: u32::try_from(at + 1).expect("few"),
                kind: if kind == "b" { AttemptKind::Build } else { AttemptKind::Fix },
                summary: String::new(),
                diff: format!("diff {at}"),
                report: failure.is_none().then(|| report(Verdict::Failed, message)),
                failure,
                temperature: None,
                current: at + 1 == last,
            }
        };
        words.iter().enumerate().map(attempt).collect()
    }

    #[test]
    fn the_table() {
        for (words, want) in [
            (&["b:1 != 2"][..], Word::Is(Approach::Plain)),
            (&["b:1 != 2", "f:other"], Word::Is(Approach::Plain)),
            (&["b:a", "f:b"], Word::Is(Approach::Plain)),
            (&["b:a", "f:a"], Word::Again(1)),
            // Lines, addresses and times don't make a failure new; values do.
            (&["b:a at line 3, <T at 0x7f1>", "f:a at line 14, <T at 0x8a2>"], Word::Again(1)),
            (&["b:x.py:3: a, 0.2s", "f:x.py:14: a, 1.5s"], Word::Again(1)),
            (&["b:returned 3, expected 5", "f:returned 4, expected 5"], Word::Is(Approach::Plain)),
            (&["b:a", "f:b", "f:a"], Word::Again(1)),
            (&["b:a", "f:a", "f:a"], Word::Rebuild("3 tries in a row")),
            // A fresh build starts the count anew.
            (&["b:a", "f:a", "f:a", "b:a"], Word::Is(Approach::Plain)),
            (&["b:a", "f:a", "f:a", "b:a", "f:a"], Word::Again(1)),
            (&["b:SyntaxError: x"], Word::Is(Approach::Plain)),
            (&["b:SyntaxError: x", "f:SyntaxError: y"], Word::Is(Approach::Plain)),
            (
                &["b:a", "f:SyntaxError: x", "f:IndentationError: y"],
                Word::Rebuild("still has a syntax error"),
            ),
            (&["b:!the answer holds no code"], Word::Rebuild("the answer holds no code")),
            (&[], Word::Stop("no attempt")),
        ] {
            let attempts = history(words);
            match (decide(&attempts), want) {
                (Way::Repair { approach, .. }, Word::Is(want)) => assert_eq!(approach, want, "{words:?}"),
                (Way::Repair { approach: Approach::Differently(failed), .. }, Word::Again(count)) => {
                    assert_eq!(failed.len(), count, "{words:?}");
                }
                (Way::Rebuild(text), Word::Rebuild(part)) | (Way::Stop(text), Word::Stop(part)) => {
                    assert!(text.contains(part), "{words:?}: {text}");
                }
                (way, _) => panic!("{words:?}: {way:?}"),
            }
        }
    }

    #[test]
    fn a_check_that_cannot_judge_stops_the_task() {
        for (verdict, message) in [(Verdict::Broken, "no tests found"), (Verdict::Passed, "")] {
            let mut attempts = history(&["b:x"]);
            attempts[0].report = Some(report(verdict, message));
            let Way::Stop(reason) = decide(&attempts) else { panic!("{verdict:?}") };
            assert!(reason.contains(message), "{reason}");
        }
    }

    #[test]
    fn the_current_attempt_counts_not_the_last() {
        let mut attempts = history(&["b:a", "f:SyntaxError: x"]);
        attempts[0].current = true;
        attempts[1].current = false;
        let Way::Repair { attempt, approach } = decide(&attempts) else { panic!("repairable") };
        assert_eq!((attempt.number, approach), (1, Approach::Plain));
    }
}
