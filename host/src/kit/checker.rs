//! Checkers.

use super::bench::{Bench, Said};
use super::script::Scene;
use super::steps::{odd_trees, repeatable, unknown_setting};
use super::{Check, Fault, Judged, check, passed, samples, skipped};
use crate::exec::{Ending, Output};
use crate::plugin::{Failure, StepError};
use crate::task::Verdict;
use crate::workspace::Tree;

pub(super) async fn run(bench: &Bench) -> Vec<Check> {
    vec![
        check("works", works(bench).await),
        check("nothing-to-check", nothing_to_check(bench).await),
        check("repeatable", repeatable(bench).await),
        check("odd-trees", odd_trees(bench).await),
        check("commands", commands(bench).await),
        check("unknown-setting", unknown_setting(bench).await),
    ]
}

async fn works(bench: &Bench) -> Judged {
    let output = Output {
        ending: Ending::Exited(0),
        stdout: b"1 passed in 0.01s\n".to_vec(),
        stderr: Vec::new(),
        dropped: 0,
        duration_ms: 5,
    };
    let scene = Scene { command: Ok(output), ..bench.scene() };
    let run = bench.call(&scene).await;
    bench.sound("a plain tree", &scene, &run)?;
    match run.result {
        Ok(Said::Reported(report)) => {
            let counts = &report.counts;
            passed(format!("{:?}: {} passed, {} failed", report.verdict, counts.passed, counts.failed))
        }
        Ok(Said::Built(_) | Said::Decided(_)) => skipped("it is no checker"),
        Err(Failure::Step(StepError::Settings(text))) => {
            Err(Fault::new(format!("it needs settings: {text}"), "give them with --set KEY=VALUE"))
        }
        Err(failure) => Err(Fault::new(
            format!("a plain tree ends with: {failure}"),
            "return a report: a failing test is no error",
        )),
    }
}

async fn nothing_to_check(bench: &Bench) -> Judged {
    let scene = Scene { tree: Tree::default(), ..bench.scene() };
    let run = bench.call(&scene).await;
    bench.sound("a tree without a file", &scene, &run)?;
    match run.result {
        Ok(Said::Reported(report)) if report.verdict == Verdict::Passed => Err(Fault::new(
            "a tree without a file passes",
            "the verdict is broken where there is nothing to judge",
        )),
        _ => passed("a tree without a file does not pass"),
    }
}

/// Whatever comes of a command, only exit code 0 may be green.
async fn commands(bench: &Bench) -> Judged {
    if !bench.uses_exec {
        return skipped("it runs none");
    }
    let commands = samples::commands();
    for (case, command, may_pass) in &commands {
        let scene = Scene { command: command.clone(), ..bench.scene() };
        let run = bench.call(&scene).await;
        bench.sound(case, &scene, &run)?;
        if let Ok(Said::Reported(report)) = &run.result
            && report.verdict == Verdict::Passed
            && !may_pass
        {
            return Err(Fault::new(
                format!("with {case}: the verdict is passed"),
                "a command that did not exit with 0 has not passed, whatever it printed",
            ));
        }
    }
    passed(format!("{} endings, of which only exit code 0 may pass", commands.len()))
}
