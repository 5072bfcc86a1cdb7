//! Builders and fixers; what also holds for checkers is shared with them.

use super::bench::{Bench, Run, Said};
use super::script::{Model, Scene};
use super::{Check, Fault, Judged, check, passed, samples, skipped};
use crate::plugin::{Decision, Failure, Kind, StepError};

/// A plugin that asks again and again after an error wastes what the host's own retries have spared.
const PATIENCE: usize = 8;
const NO_SUCH_SETTING: &str = "no-such-setting";

pub(super) async fn run(bench: &Bench) -> Vec<Check> {
    let mut checks = vec![
        check("works", works(bench).await),
        check("repeatable", repeatable(bench).await),
        check("resumable", resumable(bench).await),
        check("model-errors", model_errors(bench).await),
        check("poor-answers", poor_answers(bench).await),
        check("odd-trees", odd_trees(bench).await),
        check("protected-files", protected_files(bench).await),
        check("unknown-setting", unknown_setting(bench).await),
    ];
    if bench.kind == Kind::Fixer {
        checks.push(check("histories", histories(bench).await));
    }
    checks
}

async fn works(bench: &Bench) -> Judged {
    let scene = bench.scene();
    let run = bench.call(&scene).await;
    bench.sound("a plain task", &scene, &run)?;
    match run.result {
        Ok(Said::Built(text) | Said::Decided(Decision::Proposed(text))) => passed(format!("says: {text}")),
        Ok(Said::Decided(Decision::Rebuild(text) | Decision::Stop(text))) => {
            passed(format!("decides to change nothing: {text}"))
        }
        Ok(Said::Reported(report)) => passed(format!("{:?}", report.verdict)),
        Err(Failure::Step(StepError::Settings(text))) => {
            Err(Fault::new(format!("it needs settings: {text}"), "give them with --set KEY=VALUE"))
        }
        Err(failure) => Err(Fault::new(
            format!("a plain task ends with: {failure}"),
            "give the scripted model words that the plugin understands: --answer FILE, once per question",
        )),
    }
}

/// The same step with the same answers: on one host twice, and on another.
pub(super) async fn repeatable(bench: &Bench) -> Judged {
    let scene = bench.scene();
    let first = bench.call(&scene).await;
    for (host, again) in
        [("again", bench.call(&scene).await), ("on another host", bench.call_on(1, &scene).await)]
    {
        if let Some(what) = differs(&first, &again) {
            return Err(Fault::new(
                format!("run {host}, {what}"),
                "let nothing depend on time, chance, addresses or the order of a set; draw from task.seed",
            ));
        }
    }
    passed("the same result, files, questions and log lines, twice and on two hosts")
}

fn differs(first: &Run, again: &Run) -> Option<String> {
    if first.result != again.result {
        return Some(format!("it ends otherwise: {:?}, then {:?}", first.result, again.result));
    }
    if first.tree.digest() != again.tree.digest() {
        return Some("it leaves other files".to_owned());
    }
    let lines = |run: &Run| run.heard.asked.iter().chain(&run.heard.logged).cloned().collect::<Vec<_>>();
    let (one, other) = (lines(first), lines(again));
    let at = one.iter().zip(&other).find(|(one, other)| one != other);
    match at {
        Some((one, other)) => Some(format!("it asks or logs otherwise: {}, then {}", clip(one), clip(other))),
        None => (one.len() != other.len()).then(|| "it asks or logs more or less often".to_owned()),
    }
}

fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(120)]
}

/// A host that dies after any of the answers, and another that goes on from the journal.
async fn resumable(bench: &Bench) -> Judged {
    let scene = bench.scene();
    let whole = bench.call(&scene).await;
    let asked = &whole.heard.asked;
    if asked.is_empty() {
        return skipped("it asks nothing of the outside");
    }
    for answers in 0..asked.len() {
        let broken_off = bench.call(&Scene { answers, ..scene.clone() }).await;
        let run = bench.call_on(1, &scene).await;
        if broken_off.heard.asked[..] != asked[..=answers] || run.heard.asked != *asked {
            return Err(Fault::new(
                format!("broken off after {answers} answers and run again, it asks something else"),
                "ask the same things in the same order when given the same answers",
            ));
        }
    }
    passed(format!("broken off at each of its {} questions, it asks the same again", asked.len()))
}

async fn model_errors(bench: &Bench) -> Judged {
    let mut asks = false;
    for error in samples::model_errors() {
        let scene = Scene { model: Model::Fails(error.clone()), ..bench.scene() };
        let run = bench.call(&scene).await;
        let case = format!("the model's error \"{error}\"");
        bench.sound(&case, &scene, &run)?;
        asks |= !run.heard.asked.is_empty();
        if run.heard.asked.len() > PATIENCE {
            return Err(Fault::new(
                format!("with {case}: it asks {} times", run.heard.asked.len()),
                "give up: the host has already retried what is worth it",
            ));
        }
        match &run.result {
            Err(Failure::Step(StepError::Model(passed_on))) if *passed_on == error => {}
            // It got by without the model.
            Ok(_) => {}
            Err(_) if run.heard.asked.is_empty() => {}
            Err(other) => {
                return Err(Fault::new(
                    format!("with {case}: it returns \"{other}\" instead"),
                    "pass on what model.complete returned as step-error.model: it decides whether the task ends",
                ));
            }
        }
    }
    match asks {
        true => passed("each of the contract's is passed on"),
        false => skipped("it never asks the model"),
    }
}

async fn poor_answers(bench: &Bench) -> Judged {
    let answers = samples::poor_answers();
    for (case, model) in &answers {
        let scene = Scene { model: model.clone(), ..bench.scene() };
        bench.sound(case, &scene, &bench.call(&scene).await)?;
    }
    passed(format!("{} of them end as typed results", answers.len()))
}

pub(super) async fn odd_trees(bench: &Bench) -> Judged {
    let trees = samples::odd_trees();
    for (case, tree) in &trees {
        let scene = Scene { tree: tree.clone(), ..bench.scene() };
        bench.sound(case, &scene, &bench.call(&scene).await)?;
    }
    passed(format!("{} of them end as typed results", trees.len()))
}

async fn protected_files(bench: &Bench) -> Judged {
    let scene = Scene { protected: vec!["**".to_owned()], ..bench.scene() };
    let run = bench.call(&scene).await;
    bench.sound("every file protected", &scene, &run)?;
    passed("where every file is protected it changes nothing and says so")
}

pub(super) async fn unknown_setting(bench: &Bench) -> Judged {
    let mut scene = bench.scene();
    scene.settings.push((NO_SUCH_SETTING.to_owned(), "1".to_owned()));
    scene.settings.sort();
    let run = bench.call(&scene).await;
    let remedy = "return step-error.settings with the key and what is allowed, before anything else";
    match run.result {
        Err(Failure::Step(StepError::Settings(text))) if text.contains(NO_SUCH_SETTING) => passed(text),
        Err(Failure::Step(StepError::Settings(text))) => {
            Err(Fault::new(format!("does not name the key {NO_SUCH_SETTING}: {text}"), remedy))
        }
        Ok(_) => Err(Fault::new(format!("takes the setting {NO_SUCH_SETTING} without a word"), remedy)),
        Err(other) => {
            Err(Fault::new(format!("with the setting {NO_SUCH_SETTING} it ends with: {other}"), remedy))
        }
    }
}

async fn histories(bench: &Bench) -> Judged {
    let histories = samples::histories();
    for (case, attempts) in &histories {
        let scene = Scene { attempts: attempts.clone(), ..bench.scene() };
        bench.sound(case, &scene, &bench.call(&scene).await)?;
    }
    passed(format!("{} of them end as typed results", histories.len()))
}
