//! One row per rule, and a property over all of them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::task::{Budget, Pipeline, PluginRef, Spec, TaskId};

fn task(candidates: u32, max_rounds: u32, fixer: bool) -> Task {
    let plugin = |name: &str| PluginRef { name: name.to_owned(), settings: BTreeMap::new() };
    let pipeline = Pipeline {
        name: "p".to_owned(),
        builder: plugin("builder"),
        checker: plugin("checker"),
        fixer: fixer.then(|| plugin("fixer")),
        model: None,
        protected: Vec::new(),
        candidates,
        max_rounds,
        temperatures: vec![0.0, 0.8],
    };
    let budget = Budget {
        rounds: 100,
        tokens: Some(1000),
        cost_micros: Some(500),
        wall_ms: 10_000,
        compute_ms: 5_000,
        deadline: None,
    };
    let spec = Spec {
        goal: "g".to_owned(),
        tree: Digest::of(b"start"),
        tests: Vec::new(),
        pipeline,
        budget,
        parent: None,
        trace: None,
        changes: Default::default(),
    };
    Task::new(TaskId::fresh(), spec, 0)
}

fn report(passed: u32, failed: u32, message: &str) -> Report {
    let problem = Problem { test: None, path: None, line: None, message: message.to_owned() };
    Report {
        verdict: if failed == 0 { Verdict::Passed } else { Verdict::Failed },
        counts: Counts { passed, failed, skipped: 0 },
        problems: if failed == 0 { Vec::new() } else { vec![problem] },
        output: String::new(),
    }
}

/// The steps of the table tests, one letter of prose each.
#[derive(Clone, Debug)]
enum Do {
    /// A proposal whose tree is named by this text.
    Tree(&'static str),
    Trouble(Trouble),
    Rebuild,
    Stop,
    Check(u32, u32, &'static str),
    Broken,
    CheckTrouble(Trouble),
    Spend(Spend),
}

fn play(mut task: Task, moves: &[Do]) -> Task {
    let mut spent = Spend::default();
    for (at, step) in moves.iter().enumerate() {
        assert!(task.outcome.is_none(), "ended before move {at} {step:?}: {:?}", task.outcome);
        let proposal = |name: &str| Proposal { tree: Digest::of(name.as_bytes()), summary: name.to_owned() };
        let building = matches!(task.next, Next::Build { .. });
        let result = match step.clone() {
            Do::Spend(more) => {
                spent = more;
                continue;
            }
            Do::Tree(name) if building => StepResult::Built(Ok(proposal(name))),
            Do::Tree(name) => StepResult::Fixed(Ok(FixDecision::Proposed(proposal(name)))),
            Do::Trouble(trouble) if building => StepResult::Built(Err(trouble)),
            Do::Trouble(trouble) => StepResult::Fixed(Err(trouble)),
            Do::Rebuild => StepResult::Fixed(Ok(FixDecision::Rebuild("afresh".to_owned()))),
            Do::Stop => StepResult::Fixed(Ok(FixDecision::Stop("no way".to_owned()))),
            Do::Check(passed, failed, message) => StepResult::Checked(Ok(report(passed, failed, message))),
            Do::Broken => {
                StepResult::Checked(Ok(Report { verdict: Verdict::Broken, ..report(0, 1, "no tests") }))
            }
            Do::CheckTrouble(trouble) => StepResult::Checked(Err(trouble)),
        };
        task = advance(&task, StepDone { record: None, spent: std::mem::take(&mut spent), result });
    }
    task
}

fn ended(task: &Task) -> (&Reason, &Digest) {
    let outcome = task.outcome.as_ref().expect("the task has ended");
    (&outcome.reason, &outcome.tree)
}

fn tree(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

#[test]
fn the_first_green_ends_the_task() {
    let task = play(task(3, 4, true), &[Do::Tree("a"), Do::Check(2, 0, "")]);
    assert_eq!(ended(&task), (&Reason::Green, &tree("a")));
}

#[test]
fn candidates_come_before_fixes_and_fixes_start_from_the_best() {
    let task =
        play(task(2, 4, true), &[Do::Tree("a"), Do::Check(2, 1, "x"), Do::Tree("b"), Do::Check(1, 2, "y")]);
    assert_eq!(task.next, Next::Fix { from: 0 });
    assert_eq!(task.rounds[1].base, tree("start"), "a candidate starts from the submitted tree");
}

#[test]
fn the_best_tree_is_kept_and_not_the_last() {
    let moves = [
        Do::Tree("a"),
        Do::Check(5, 1, "x"),
        Do::Tree("b"),
        Do::Check(3, 3, "y"),
        Do::Tree("c"),
        Do::Check(0, 1, "z"),
    ];
    let task = play(task(1, 3, true), &moves);
    assert_eq!(ended(&task), (&Reason::Budget { limit: Limit::Rounds }, &tree("a")));
    assert_eq!(task.outcome.as_ref().and_then(|o| o.report.as_ref()).map(|r| r.counts.passed), Some(5));
}

#[test]
fn at_a_tie_the_later_tree_wins_only_with_another_failure() {
    let same =
        play(task(1, 9, true), &[Do::Tree("a"), Do::Check(0, 1, "x"), Do::Tree("b"), Do::Check(0, 1, "x")]);
    assert_eq!(same.best, Some(0));
    let other =
        play(task(1, 9, true), &[Do::Tree("a"), Do::Check(0, 1, "x"), Do::Tree("b"), Do::Check(0, 1, "y")]);
    assert_eq!(other.best, Some(1));
}

#[test]
fn the_same_failure_twice_raises_the_temperature_and_three_times_stops() {
    let moves = [
        Do::Tree("a"),
        Do::Check(0, 1, "x at 0x7f3a2b4c5d6e"),
        Do::Tree("b"),
        Do::Check(0, 1, "x at 0x7fffffffffff"),
    ];
    let twice = play(task(1, 9, true), &moves);
    assert_eq!(temperature(&twice), Some(0.8 + plan::RAISE));
    let thrice = play(twice, &[Do::Tree("c"), Do::Check(0, 1, "x at 0x123456789")]);
    assert!(matches!(ended(&thrice).0, Reason::Stuck { .. }));
}

#[test]
fn being_stuck_does_not_cut_the_candidates_short() {
    let same = [Do::Tree("a"), Do::Check(0, 1, "x")];
    let moves: Vec<Do> = same.iter().cycle().take(6).cloned().collect();
    let task = play(task(4, 9, true), &moves);
    assert_eq!(task.next, Next::Build { hint: None });
    let task = play(task, &same);
    assert_eq!(task.next, Next::Fix { from: 0 }, "the fixer has its turn");
    let task = play(task, &same);
    assert!(matches!(ended(&task).0, Reason::Stuck { .. }));
    let alone = play(super::tests::task(3, 9, false), &moves);
    assert!(matches!(ended(&alone).0, Reason::Stuck { .. }));
}

#[test]
fn without_a_fixer_every_round_is_a_build() {
    let task = play(task(1, 9, false), &[Do::Tree("a"), Do::Check(0, 1, "x")]);
    assert_eq!(task.next, Next::Build { hint: None });
}

#[test]
fn a_rebuild_carries_its_hint_and_makes_no_round() {
    let task = play(task(1, 9, true), &[Do::Tree("a"), Do::Check(0, 1, "x"), Do::Rebuild]);
    assert_eq!(task.next, Next::Build { hint: Some("afresh".to_owned()) });
    assert_eq!(task.rounds.len(), 1);
}

#[test]
fn an_unusable_answer_is_a_round_without_a_tree() {
    let task = play(task(1, 9, true), &[Do::Trouble(Trouble::Retry("no code".to_owned()))]);
    assert_eq!((task.rounds.len(), &task.next), (1, &Next::Build { hint: None }));
    assert_eq!(task.rounds[0].failure.as_deref(), Some("no code"));
}

#[test]
fn every_end_is_typed() {
    let built = [Do::Tree("a"), Do::Check(1, 1, "x")];
    let after = |last: Do| [built.as_slice(), &[last]].concat();
    let trap = || Do::Trouble(Trouble::Broke("trapped".to_owned()));
    let rows: Vec<(Vec<Do>, Reason)> = vec![
        (after(Do::Stop), Reason::Stopped { reason: "no way".to_owned() }),
        (after(Do::Trouble(Trouble::Cancelled)), Reason::Cancelled),
        (
            after(Do::Trouble(Trouble::Model("401".to_owned()))),
            Reason::ModelFailed { message: "401".to_owned() },
        ),
        (
            after(Do::Trouble(Trouble::Hopeless("bad setting".to_owned()))),
            Reason::StepFailed { plugin: "fixer".to_owned(), message: "bad setting".to_owned() },
        ),
        (after(Do::Trouble(Trouble::Budget(Limit::Tokens))), Reason::Budget { limit: Limit::Tokens }),
        (
            [built.as_slice(), &[trap(), trap()]].concat(),
            Reason::StepFailed { plugin: "fixer".to_owned(), message: "trapped".to_owned() },
        ),
        (
            vec![Do::Tree("a"), Do::CheckTrouble(Trouble::Hopeless("no exec".to_owned()))],
            Reason::StepFailed { plugin: "checker".to_owned(), message: "no exec".to_owned() },
        ),
    ];
    for (moves, reason) in rows {
        let task = play(task(1, 9, true), &moves);
        assert_eq!(ended(&task).0, &reason, "{moves:?}");
    }
    let broken = play(task(1, 9, true), &[Do::Tree("a"), Do::Broken]);
    assert_eq!(ended(&broken).0, &Reason::ChecksBroken { message: "no tests".to_owned() });
}

#[test]
fn checks_that_were_judged_before_break_by_the_trees_fault() {
    let lost = [Do::Tree("a"), Do::Check(0, 1, "x"), Do::Tree("b"), Do::Broken];
    let task = play(task(1, 9, true), &lost);
    assert_eq!((&task.next, task.best), (&Next::Fix { from: 0 }, Some(0)));
    let task = play(task, &[Do::Tree("c"), Do::Check(2, 0, "")]);
    assert_eq!(ended(&task), (&Reason::Green, &tree("c")));
}

#[test]
fn a_checker_that_breaks_on_a_tree_blames_the_tree() {
    let broke = Trouble::Broke("used up its compute budget".to_owned());
    let task = play(task(1, 9, true), &[Do::Tree("a"), Do::CheckTrouble(broke)]);
    assert_eq!(task.next, Next::Fix { from: 0 });
    let report = task.rounds[0].report.as_ref().expect("a report was made");
    assert_eq!(report.problems[0].message, "the check used up its compute budget");
}

#[test]
fn a_spent_budget_ends_the_task_after_its_check() {
    let rows = [
        (
            Spend {
                input_tokens: 600,
                output_tokens: 400,
                model_calls: 1,
                cost_micros: Some(0),
                ..Spend::default()
            },
            Limit::Tokens,
        ),
        (Spend { cost_micros: Some(500), model_calls: 1, ..Spend::default() }, Limit::Cost),
    ];
    for (spend, limit) in rows {
        let task = play(task(1, 9, true), &[Do::Spend(spend), Do::Tree("a"), Do::Check(1, 1, "x")]);
        assert_eq!(ended(&task), (&Reason::Budget { limit }, &tree("a")));
    }
    for (spend, limit) in [
        (Spend { wall_ms: 10_000, ..Spend::default() }, Limit::Wall),
        (Spend { compute_ms: 5_000, ..Spend::default() }, Limit::Compute),
    ] {
        let task = play(task(1, 9, true), &[Do::Spend(spend), Do::Tree("a")]);
        assert_eq!(ended(&task), (&Reason::Budget { limit }, &tree("start")));
    }
}

#[test]
fn the_cost_is_unknown_once_one_call_had_no_price() {
    let call = |cost_micros| Do::Spend(Spend { model_calls: 1, cost_micros, ..Spend::default() });
    let priced = play(
        task(1, 9, true),
        &[call(Some(5)), Do::Tree("a"), Do::Check(1, 1, "x"), call(Some(7)), Do::Tree("b")],
    );
    assert_eq!(priced.spend.cost_micros, Some(12));
    let unpriced = play(
        task(1, 9, true),
        &[call(None), Do::Tree("a"), Do::Check(1, 1, "x"), call(Some(7)), Do::Tree("b")],
    );
    assert_eq!(unpriced.spend.cost_micros, None);
}

proptest! {
    /// Whatever the steps answer, a task ends within its rounds and always with an outcome.
    #[test]
    fn no_sequence_runs_past_its_budget(
        moves in prop::collection::vec((0..14u8, 0..400u64), 0..200),
        candidates in 1..6u32,
        max_rounds in 1..8u32,
        fixer in any::<bool>(),
    ) {
        let mut task = task(candidates, max_rounds, fixer);
        let mut rebuilds = 0;
        // When the moves run out, every further step fails in a new way: the slowest end there is.
        let moves = moves.into_iter().chain((0..).map(|_| (3, 0)));
        for (at, (choice, tokens)) in moves.enumerate() {
            if task.outcome.is_some() {
                break;
            }
            prop_assert!(at < 2 * (max_rounds as usize) + 2 * rebuilds + 2, "no end in sight");
            prop_assert!(task.spend.tokens() < 1000 || task.next == Next::Check, "a step past the token budget");
            let names = ["a", "b", "c", "d"];
            let name = names[at % names.len()];
            let step = match (&task.next, choice) {
                (Next::Check, 0) => Do::Check(3, 0, ""),
                (Next::Check, 1) => Do::Broken,
                (Next::Check, 2) => Do::CheckTrouble(Trouble::Broke(name.to_owned())),
                (Next::Check, _) => Do::Check(u32::from(choice % 3), u32::from(choice % 4) + 1, name),
                (Next::Fix { .. }, 4) => { rebuilds += 1; Do::Rebuild }
                (Next::Fix { .. }, 5) => Do::Stop,
                (_, 6) => Do::Trouble(Trouble::Retry(name.to_owned())),
                (_, 7) => Do::Trouble(Trouble::Broke(name.to_owned())),
                (_, 8) => Do::Trouble(Trouble::Model(name.to_owned())),
                _ => Do::Tree(name),
            };
            let spend = Spend { output_tokens: tokens, model_calls: 1, ..Spend::default() };
            task = play(task, &[Do::Spend(spend), step]);
            prop_assert!(task.rounds.len() <= max_rounds as usize);
        }
        let outcome = task.outcome.as_ref().expect("every sequence ends");
        prop_assert_eq!(&outcome.tree, task.best_tree());
        if outcome.is_green() {
            let best = task.best.and_then(|best| task.rounds[best].report.as_ref());
            prop_assert_eq!(best.map(|report| report.verdict), Some(Verdict::Passed));
        }
    }
}
