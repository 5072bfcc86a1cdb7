//! The fixer through its front door, with a scripted model.
#[path = "../../answer/tests/support/host.rs"]
mod host;

use answer::bindings::types::{Attempt, AttemptKind, Counts, Problem, Report, StepError, Verdict};
use fixer::{Outcome, fix};
use host::{Fake, fake, task};

const TEST: (&str, &str) =
    ("test_slug.py", "from slug import slugify\n\ndef test_a():\n    assert slugify('A') == 'a'\n");
const CODE: (&str, &str) = ("slug.py", "def slugify(text):\n    return text\n");
const ANSWER: &str = "It must lower the text.\n```python\ndef slugify(text):\n    return text.lower()\n```";

fn tree() -> Fake {
    fake(&[TEST, CODE]).protecting(&["test_slug.py"])
}

fn attempt(number: u32, kind: AttemptKind, verdict: Verdict, message: &str) -> Attempt {
    let problem = Problem {
        test: Some("test_slug.test_a".into()),
        path: Some("test_slug.py".into()),
        line: Some(4),
        message: message.into(),
    };
    let counts = Counts { passed: 2, failed: 1, skipped: 0 };
    Attempt {
        number,
        kind,
        summary: "wrote slug.py".into(),
        diff: format!("-old\n+try {number}\n"),
        report: Some(Report { verdict, counts, problems: vec![problem], output: String::new() }),
        failure: None,
        temperature: None,
        current: true,
    }
}

#[test]
fn a_repair_is_asked_for_with_all_that_is_known() {
    let mut host = tree().answering(&[ANSWER]);
    let attempts =
        [attempt(1, AttemptKind::Build, Verdict::Failed, "slugify('A') returned 'A', expected 'a'")];
    let outcome = fix(&mut host, &task("Write slugify.", &["test_slug.py"]), &attempts);
    assert_eq!(outcome, Ok(Outcome::Proposed("rewrote slug.py".into())));
    assert_eq!(host.files["slug.py"], "def slugify(text):\n    return text.lower()\n");
    for part in [
        "Write slugify.",
        "This is `slug.py`. It is wrong:\n\n```python\ndef slugify(text):\n    return text\n```",
        "1 of 3 tests fail:",
        "- test_slug.test_a: slugify('A') returned 'A', expected 'a'",
        "at line 4 of test_slug.py:\n```\n  from slug import slugify\n",
        ">     assert slugify('A') == 'a'\n",
    ] {
        assert!(host.asked().contains(part), "{part}\n---\n{}", host.asked());
    }
    assert!(!host.asked().contains("did not work"));
}

#[test]
fn the_same_failure_changes_the_approach() {
    let same = |number, kind| attempt(number, kind, Verdict::Failed, "returned 'A', expected 'a'");
    let mut attempts = vec![same(1, AttemptKind::Build), same(2, AttemptKind::Fix)];
    let mut host = tree().answering(&[ANSWER]);
    fix(&mut host, &task("Write slugify.", &[]), &attempts).expect("asked");
    assert!(
        host.asked().contains("did not work")
            && host.asked().contains("+try 2")
            && !host.asked().contains("+try 1")
    );
    assert!(host.asked().contains("in another way"));

    attempts.push(same(3, AttemptKind::Fix));
    let mut host = tree();
    let outcome = fix(&mut host, &task("Write slugify.", &[]), &attempts);
    assert!(matches!(outcome, Ok(Outcome::Rebuild(hint)) if hint.contains("expected 'a'")));
}

#[test]
fn code_of_the_task_itself_is_written_afresh_instead() {
    let made = |number, kind, diff: &str| Attempt {
        diff: diff.into(),
        ..attempt(number, kind, Verdict::Failed, "returned 'A', expected 'a'")
    };
    let new = "--- /dev/null\n+++ b/slug.py\n@@ -0,0 +1 @@\n+x\n";
    let attempts = [made(1, AttemptKind::Build, new), made(2, AttemptKind::Fix, "-a\n+b\n")];
    let afresh = |host: &Fake| {
        let asked = host.asked();
        assert!(
            asked.contains("An earlier attempt failed") && asked.ends_with("Take a different approach."),
            "{asked}"
        );
        assert!(asked.contains("expected 'a'") && !asked.contains("def slugify(text)"), "{asked}");
    };
    let mut host = tree().answering(&[ANSWER]);
    fix(&mut host, &task("Write slugify.", &[]), &attempts).expect("asked");
    afresh(&host);

    // As a setting already at the first failure.
    let mut task = task("Write slugify.", &[]);
    task.settings = vec![("approach".into(), "afresh".into())];
    let mut host = tree().answering(&[ANSWER]);
    fix(&mut host, &task, &attempts[..1]).expect("asked");
    afresh(&host);
    let foreign = [made(1, AttemptKind::Build, "--- a/slug.py\n+++ b/slug.py\n")];
    let mut host = tree().answering(&[ANSWER]);
    fix(&mut host, &task, &foreign).expect("asked");
    assert!(host.asked().contains("It is wrong"));
}

#[test]
fn a_check_that_can_not_judge_stops_and_an_unchanged_answer_is_unusable() {
    let broken = attempt(1, AttemptKind::Build, Verdict::Broken, "no tests found");
    let outcome = fix(&mut tree(), &task("Write slugify.", &[]), &[broken]);
    assert!(matches!(outcome, Ok(Outcome::Stop(reason)) if reason.contains("no tests found")));

    let same = format!("```python\n{}```", CODE.1);
    let mut host = tree().answering(&[&same, &same]);
    let failed = attempt(1, AttemptKind::Build, Verdict::Failed, "x");
    let outcome = fix(&mut host, &task("Write slugify.", &[]), &[failed]);
    assert!(matches!(outcome, Err(StepError::UnusableAnswer(why)) if why.contains("changes nothing")));
}

#[test]
fn a_problem_points_at_the_file_to_repair() {
    let files = [("app.py", "import core\n"), ("core.py", "def f():\n    return 1 +\n"), ("util.py", "")];
    let mut failed = attempt(1, AttemptKind::Build, Verdict::Failed, "SyntaxError: invalid syntax");
    let report = failed.report.as_mut().expect("has one");
    report.problems[0] = Problem {
        test: None,
        path: Some("core.py".into()),
        line: Some(2),
        message: "SyntaxError: invalid syntax".into(),
    };
    let mut host = fake(&files).answering(&["```python\ndef f():\n    return 1 + 1\n```"]);
    assert_eq!(
        fix(&mut host, &task("Make it run.", &[]), &[failed]),
        Ok(Outcome::Proposed("rewrote core.py".into()))
    );
    assert!(host.asked().contains(">     return 1 +\n"));
}
