use crate::places::Places;
use crate::report::{Findings, Problem, Report, Verdict, middle_cut, tail};
use crate::runner;

/// The host cuts a report's output after 64 KiB.
const OUTPUT: usize = 60 * 1024;
/// For a problem that is nothing but the end of the output.
const TAIL: usize = 4 * 1024;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Exited(i32),
    Signalled(i32),
    TimedOut,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Run<'a> {
    /// The command as a person would write it.
    pub command: &'a str,
    pub ending: Ending,
    pub stdout: &'a [u8],
    pub stderr: &'a [u8],
    /// Bytes of both that were not kept.
    pub dropped: u64,
    /// In milliseconds.
    pub duration: u64,
}

/// A command that is not there: nothing in the code to change.
pub fn not_found(text: &str) -> Report {
    broken(format!("the command can't be run: {text}"), String::new())
}

/// From a command's end and output to a report.
pub fn judge(run: &Run, places: &Places) -> Report {
    let output = combine(run);
    let known = runner::parse(&output, places);
    let tests_are_counted = known.is_some();
    let mut found = known.unwrap_or_default();
    let ran = found.passed + found.failed > 0 || found.some_passed;
    let verdict = match run.ending {
        Ending::TimedOut => {
            let seconds = run.duration as f64 / 1000.0;
            unshift(
                &mut found,
                format!(
                    "{} was stopped after {seconds:.1} s: an endless loop, or timeout_s is too short",
                    run.command
                ),
                &output,
            );
            Verdict::Failed
        }
        Ending::Signalled(signal) => {
            unshift(&mut found, format!("{} was killed by {}", run.command, signal_name(signal)), &output);
            Verdict::Failed
        }
        Ending::Exited(0) if found.failed > 0 || !found.problems.is_empty() => Verdict::Failed,
        Ending::Exited(0) if tests_are_counted && !ran => {
            return broken(format!("{} ran no tests", run.command), middle_cut(&output, OUTPUT));
        }
        Ending::Exited(0) => Verdict::Passed,
        // pytest ends so when it finds no tests; a shell, when it finds no program.
        Ending::Exited(5) if tests_are_counted && !ran && found.problems.is_empty() => {
            return broken(format!("{} ran no tests", run.command), middle_cut(&output, OUTPUT));
        }
        Ending::Exited(code @ (126 | 127)) if !tests_are_counted => {
            let end = tail(&output, TAIL);
            return broken(
                format!("{} exited with {code}: a program is missing or can't be run\n{end}", run.command),
                middle_cut(&output, OUTPUT),
            );
        }
        Ending::Exited(code) => {
            if found.problems.is_empty() {
                unshift(&mut found, format!("{} exited with {code}", run.command), &output);
            }
            Verdict::Failed
        }
    };
    Report {
        verdict,
        passed: found.passed,
        failed: found.failed,
        skipped: found.skipped,
        problems: found.problems,
        output: middle_cut(&output, OUTPUT),
    }
}

/// Puts a problem of the whole command first, with the end of its output.
fn unshift(found: &mut Findings, headline: String, output: &str) {
    let end = tail(output, TAIL);
    let message = if end.is_empty() { headline } else { format!("{headline}\n{end}") };
    found.problems.insert(0, Problem { message, ..Problem::default() });
}

fn broken(message: String, output: String) -> Report {
    let problems = vec![Problem { message, ..Problem::default() }];
    Report { verdict: Verdict::Broken, passed: 0, failed: 0, skipped: 0, problems, output }
}

fn combine(run: &Run) -> String {
    let mut output = plain(run.stdout);
    if !output.is_empty() && !output.ends_with('\n') {
        output.push('\n');
    }
    output.push_str(&plain(run.stderr));
    if run.dropped > 0 {
        output.push_str(&format!("\n[{} bytes of output were not kept]\n", run.dropped));
    }
    output
}

/// As text, without colours and carriage returns.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                for c in chars.by_ref() {
                    if ('\u{40}'..='\u{7e}').contains(&c) {
                        break;
                    }
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            c => plain.push(c),
        }
    }
    plain
}

fn signal_name(signal: i32) -> String {
    match signal {
        4 => "signal 4 (SIGILL)".into(),
        6 => "signal 6 (SIGABRT)".into(),
        8 => "signal 8 (SIGFPE)".into(),
        9 => "signal 9 (SIGKILL): it may have used more memory than allowed".into(),
        11 => "signal 11 (SIGSEGV)".into(),
        other => format!("signal {other}"),
    }
}
