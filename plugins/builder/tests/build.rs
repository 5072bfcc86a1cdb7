//! The builder through its front door, with a scripted model.
#[path = "../../answer/tests/support/host.rs"]
mod host;

use answer::bindings::types::{Attempt, AttemptKind, FinishReason, ModelError, StepError};
use builder::build;
use host::{completion, fake, task};

const TEST: (&str, &str) =
    ("test_slug.py", "from slug import slugify\n\ndef test_a():\n    assert slugify('A') == 'a'\n");
const ANSWER: &str = "```python\ndef slugify(text):\n    return text.lower()\n```";

#[test]
fn builds_what_the_tests_import() {
    let mut host = fake(&[TEST]).protecting(&["test_slug.py"]).answering(&[ANSWER]);
    let summary = build(&mut host, &task("Write slugify.", &["test_slug.py"]), &[]);
    assert_eq!(summary, Ok("wrote slug.py".into()));
    assert_eq!(host.files["slug.py"], "def slugify(text):\n    return text.lower()\n");
    let request = &host.requests[0];
    assert_eq!((request.temperature, request.seed, request.max_tokens), (Some(0.5), Some(7), Some(2048)));
    let want = "Write slugify.\n\nIt must pass these tests (`test_slug.py`):\n\n```python\nfrom slug import slugify\n\n\
        def test_a():\n    assert slugify('A') == 'a'\n```\n\nAnswer with the complete content of `slug.py` in one \
        ```python block. Do not repeat the tests.";
    assert_eq!(host.asked(), want);
}

#[test]
fn settings_change_the_request() {
    let mut task = task("Fix x in a.py.", &[]);
    let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    task.settings =
        vec![set("format", "search-replace"), set("max_tokens", "99"), set("system", "Use tabs.")];
    let mut host =
        fake(&[("a.py", "x = 1\n")]).answering(&["<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE"]);
    assert_eq!(build(&mut host, &task, &[]), Ok("changed a.py".into()));
    assert_eq!(host.files["a.py"], "x = 2\n");
    assert!(host.asked().contains("<<<<<<< SEARCH") && host.asked().contains("most likely in `a.py`"));
    assert!(host.requests[0].messages[0].content.ends_with("Use tabs."));
    assert_eq!(host.requests[0].max_tokens, Some(99));
    task.settings = vec![set("formt", "whole")];
    assert!(
        matches!(build(&mut host, &task, &[]), Err(StepError::Settings(text)) if text.contains("format"))
    );
}

#[test]
fn asks_again_once_with_the_rejection() {
    let files = [("a.py", "x = 1\n")];
    let wrong = "a.py\n<<<<<<< SEARCH\ny = 1\n=======\ny = 2\n>>>>>>> REPLACE";
    let mut host = fake(&files).answering(&[wrong, "a.py\n```python\nx = 2\n```"]);
    assert_eq!(build(&mut host, &task("Fix a.py.", &[]), &[]), Ok("rewrote a.py".into()));
    assert_eq!(host.requests[1].messages.len(), host.requests[0].messages.len() + 2);
    assert!(
        host.asked().contains("the passage was not found") && host.asked().contains("x = 1"),
        "{}",
        host.asked()
    );
    assert_ne!(host.requests[0].seed, host.requests[1].seed);

    let mut host = fake(&files).answering(&[wrong, wrong]);
    let error = build(&mut host, &task("Fix a.py.", &[]), &[]);
    assert!(matches!(error, Err(StepError::UnusableAnswer(why)) if why.contains("not found")));
    assert_eq!(host.files["a.py"], "x = 1\n");
}

#[test]
fn an_answer_without_code_is_asked_for_afresh_and_hotter() {
    let mut host = fake(&[TEST]).answering(&["I can't.", ANSWER]);
    assert_eq!(build(&mut host, &task("Write slugify.", &["test_slug.py"]), &[]), Ok("wrote slug.py".into()));
    assert_eq!(host.requests[1].messages.len(), host.requests[0].messages.len());
    assert_eq!((host.requests[0].temperature, host.requests[1].temperature), (Some(0.5), Some(0.9)));
    assert!(host.asked().ends_with("An earlier answer could not be used: the answer holds no code."));
}

#[test]
fn a_cut_answer_and_a_model_error_end_the_step() {
    let mut host = fake(&[TEST]);
    host.answers.push_back(Ok(completion("```python\ndef slugify(t", FinishReason::Length)));
    let error = build(&mut host, &task("Write slugify.", &[]), &[]);
    assert!(matches!(error, Err(StepError::UnusableAnswer(why)) if why.contains("max_tokens")));
    host.answers.push_back(Err(ModelError::Budget("spent".into())));
    let error = build(&mut host, &task("Write slugify.", &[]), &[]);
    assert_eq!(error, Err(StepError::Model(ModelError::Budget("spent".into()))));
}

#[test]
fn a_prompt_is_never_cut_in_silence() {
    let long = "# words\n".repeat(1000);
    let files = [
        ("a.py", "import b\nimport c\n"),
        ("b.py", long.as_str()),
        ("c.py", "c = 1\n"),
        ("test_a.py", "import a\n"),
    ];
    let mut host = fake(&files).answering(&["```python\nimport c\n```"]);
    host.window = 2000;
    assert_eq!(build(&mut host, &task("Improve a.py.", &[]), &[]), Ok("rewrote a.py".into()));
    assert!(host.asked().contains("c = 1") && !host.asked().contains("# words"));
    assert!(
        host.asked().contains("Not shown here, for lack of room (the less related files): b.py"),
        "{}",
        host.asked()
    );
    assert!(host.log.iter().any(|line| line.contains("no room in the prompt for b.py")), "{:?}", host.log);

    let mut host = fake(&[("a.py", long.as_str())]);
    host.window = 2000;
    let error = build(&mut host, &task("Improve a.py.", &[]), &[]);
    assert!(
        matches!(error, Err(StepError::Model(ModelError::ContextTooLong(text))) if text.contains("2000"))
    );
    assert!(host.requests.is_empty());
}

#[test]
fn a_hint_to_build_afresh_reaches_the_model() {
    let attempt = |kind, diff: &str, summary: &str, failure: Option<&str>| Attempt {
        number: 1,
        kind,
        summary: summary.into(),
        diff: diff.into(),
        report: None,
        failure: failure.map(str::to_owned),
        temperature: None,
        current: false,
    };
    for (attempt, said) in [
        (attempt(AttemptKind::Fix, "", "mind the accents", None), Some("mind the accents")),
        (
            attempt(AttemptKind::Build, "", "", Some("the answer holds no code")),
            Some("the answer holds no code"),
        ),
        (attempt(AttemptKind::Build, "diff", "wrote slug.py", None), None),
    ] {
        let mut host = fake(&[TEST]).answering(&[ANSWER]);
        build(&mut host, &task("Write slugify.", &[]), &[attempt]).expect("built");
        assert_eq!(host.asked().contains("An earlier attempt failed"), said.is_some());
        assert!(said.is_none_or(|said| host.asked().contains(said)));
    }
}
