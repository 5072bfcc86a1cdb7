//! What happens to a task, told on standard error as it happens.

use std::io::IsTerminal as _;

use super::paint::{BAD, FAINT, GOOD, STEP};
use crate::task::{EventBody, Level, Outcome, Problem, Report, Spend, Verdict};

/// Problems of one report that are shown; the JSON holds all.
const SHOWN_PROBLEMS: usize = 5;

pub(super) struct Progress {
    terminal: bool,
    /// Bytes of the answer so far, while a model writes.
    writing: usize,
    rounds: Option<u32>,
}

impl Progress {
    pub(super) fn new(rounds: Option<u32>) -> Self {
        Self { terminal: std::io::stderr().is_terminal(), writing: 0, rounds }
    }

    pub(super) fn show(&mut self, event: &EventBody) {
        if let EventBody::Tokens { text, .. } = event {
            self.writing += text.len();
            if self.terminal {
                anstream::eprint!("\r  {FAINT}model: {} bytes …{FAINT:#}", self.writing);
            }
            return;
        }
        if std::mem::take(&mut self.writing) > 0 && self.terminal {
            anstream::eprint!("\r\x1b[2K");
        }
        match event {
            EventBody::StepStarted { round, kind, plugin, replayed, .. } => {
                let of = self.rounds.map(|rounds| format!(" of {rounds}")).unwrap_or_default();
                let again = if *replayed > 0 {
                    format!(", {replayed} answers from the journal")
                } else {
                    String::new()
                };
                anstream::eprintln!(
                    "{STEP}▶ {kind:<5}{STEP:#} {plugin} {FAINT}(round {round}{of}{again}){FAINT:#}"
                );
            }
            EventBody::StepEnded { error: Some(error), .. } => anstream::eprintln!("  {BAD}✗{BAD:#} {error}"),
            EventBody::ModelEnded { input_tokens, output_tokens, estimated, wall_ms, error, .. } => {
                match error {
                    None => anstream::eprintln!(
                        "  {FAINT}model: {}{input_tokens} tokens in, {output_tokens} out, {:.1} s{FAINT:#}",
                        if *estimated { "about " } else { "" },
                        *wall_ms as f64 / 1000.0
                    ),
                    Some(error) => anstream::eprintln!("  {BAD}✗{BAD:#} model: {error}"),
                }
            }
            EventBody::ModelRetried { error, wait_ms, .. } => {
                anstream::eprintln!(
                    "  {FAINT}model: {error}; again in {:.1} s{FAINT:#}",
                    *wait_ms as f64 / 1000.0
                );
            }
            EventBody::Proposed { summary, .. } => anstream::eprintln!("  {summary}"),
            EventBody::Checked { report, .. } => show_report(report),
            EventBody::Log { level: level @ (Level::Warn | Level::Error), source, message } => {
                let style = if *level == Level::Error { BAD } else { FAINT };
                anstream::eprintln!("  {style}{source}: {message}{style:#}");
            }
            EventBody::Requeued { why, wait_ms: None } => {
                anstream::eprintln!("  {FAINT}back in the queue: {why}{FAINT:#}");
            }
            EventBody::Requeued { why, wait_ms: Some(wait_ms) } => {
                let seconds = *wait_ms as f64 / 1000.0;
                anstream::eprintln!("  {FAINT}waits for {seconds:.1} s: {why}{FAINT:#}");
            }
            EventBody::StepRestarted { why, .. } => {
                anstream::eprintln!("  {FAINT}step restarted: {why}{FAINT:#}")
            }
            EventBody::PluginWithdrawn { plugin, digest, restored, .. } => anstream::eprintln!(
                "  {BAD}{plugin} {} is withdrawn{BAD:#} {FAINT}after three traps; {} serves again{FAINT:#}",
                digest.short(),
                restored.short()
            ),
            EventBody::CancelRequested => anstream::eprintln!("  {FAINT}cancel requested{FAINT:#}"),
            EventBody::Ended { outcome, spend } => show_end(outcome, spend),
            EventBody::Submitted
            | EventBody::Claimed { .. }
            | EventBody::StepEnded { error: None, .. }
            | EventBody::ModelStarted { .. }
            | EventBody::Tokens { .. }
            | EventBody::Log { .. } => {}
        }
    }
}

fn show_report(report: &Report) {
    let counts = report.counts;
    let skipped = if counts.skipped > 0 { format!(", {} skipped", counts.skipped) } else { String::new() };
    let (style, mark) = match report.verdict {
        Verdict::Passed => (GOOD, "✓"),
        Verdict::Failed => (BAD, "✗"),
        Verdict::Broken => (BAD, "!"),
    };
    anstream::eprintln!(
        "  {style}{mark}{style:#} {} passed, {} failed{skipped}",
        counts.passed,
        counts.failed
    );
    for problem in report.problems.iter().take(SHOWN_PROBLEMS) {
        show_problem(problem);
    }
    let more = report.problems.len().saturating_sub(SHOWN_PROBLEMS);
    if more > 0 {
        anstream::eprintln!("    {FAINT}… and {more} more{FAINT:#}");
    }
}

fn show_problem(problem: &Problem) {
    let place = match (&problem.path, problem.line) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    let test = problem.test.as_deref().map(|test| format!("{test}: ")).unwrap_or_default();
    let mut lines = problem.message.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut first = lines.next().unwrap_or("").to_owned();
    // A heading, such as doctest's `Example:`.
    if first.ends_with(':')
        && let Some(next) = lines.next()
    {
        first = format!("{first} {next}");
    }
    anstream::eprintln!("    {place}{test}{first}");
}

fn show_end(outcome: &Outcome, spend: &Spend) {
    let style = if outcome.is_green() { GOOD } else { BAD };
    let money = spend.cost_micros.filter(|micros| *micros > 0);
    let money = money.map(|micros| format!(", cost {:.4}", micros as f64 / 1e6)).unwrap_or_default();
    let rounds = if spend.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", spend.rounds) };
    anstream::eprintln!(
        "{style}■ {}{style:#} {FAINT}({rounds}, {} tokens{money}, {:.1} s){FAINT:#}",
        outcome.reason,
        spend.tokens(),
        spend.wall_ms as f64 / 1000.0
    );
}
