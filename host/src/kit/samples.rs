//! What a step must survive: nothing here is unusual in real repositories, real models or long tasks.

use super::script::{Model, red};
use crate::exec::{Ending, ExecError, Output};
use crate::model::ModelError;
use crate::task::{Attempt, Problem, Report, RoundKind, Verdict};
use crate::workspace::{Blob, Mode, Tree, TreePath};

pub(super) const GOAL: &str = "Write slug.py with slugify(text): lower case, words joined by hyphens.";
pub(super) const TEST: &str = "test_slug.py";
const TEST_TEXT: &str =
    "from slug import slugify\n\n\ndef test_words():\n    assert slugify('Two Words') == 'two-words'\n";
const BROKEN: &str = "def slugify(text):\n    return text\n";
const GOOD: &str = "def slugify(text):\n    return \"-\".join(text.lower().split())\n";

fn tree(files: &[(&str, &[u8], Mode)]) -> Tree {
    let mut tree = Tree::default();
    for (path, bytes, mode) in files {
        put(&mut tree, path, bytes, *mode);
    }
    tree
}

fn put(tree: &mut Tree, path: &str, bytes: &[u8], mode: Mode) {
    let path = TreePath::parse(path).expect("the samples' paths are valid");
    tree.put(path, Blob::new(bytes.to_vec()), Some(mode)).expect("the samples are small");
}

/// The task's test, and with `code` a slug.py that is not good yet.
pub(super) fn plain(code: bool) -> Tree {
    let test = (TEST, TEST_TEXT.as_bytes(), Mode::Regular);
    match code {
        true => tree(&[("slug.py", BROKEN.as_bytes(), Mode::Regular), test]),
        false => tree(&[test]),
    }
}

pub(super) fn answer() -> String {
    format!("Here is the file slug.py:\n\n```python\n{GOOD}```\n")
}

/// Trees with what they are about.
pub(super) fn odd_trees() -> Vec<(&'static str, Tree)> {
    let regular = Mode::Regular;
    let test = (TEST, TEST_TEXT.as_bytes(), regular);
    let mut many = plain(true);
    for number in 0..2_000 {
        put(&mut many, &format!("data/{}/{number}.txt", number % 50), b"x\n", regular);
    }
    let long = "x = 1;".repeat(350_000);
    let deep = format!("{}slug.py", "d/".repeat(60));
    let all: Vec<u8> = (0..=255).collect();
    vec![
        ("a tree without a file", Tree::default()),
        ("files that are not text", tree(&[("slug.py", &all, regular), ("data.bin", &all, regular), test])),
        ("an empty file", tree(&[("slug.py", b"", regular), test])),
        ("a file of 2 MB in one line", tree(&[("slug.py", long.as_bytes(), regular), test])),
        ("2,000 files", many),
        (
            "a link",
            tree(&[("real.py", BROKEN.as_bytes(), regular), ("slug.py", b"real.py", Mode::Link), test]),
        ),
        (
            "names with blanks, accents and a dash in front",
            tree(&[("-ä ö/ü .py", b"x = 1\n", regular), test]),
        ),
        (
            "line ends of Windows and none at the end",
            tree(&[("slug.py", b"def slugify(text):\r\n    return text", regular), test]),
        ),
        ("folders 60 deep", tree(&[(&deep, BROKEN.as_bytes(), regular), test])),
        ("a test that is not text", tree(&[("slug.py", BROKEN.as_bytes(), regular), (TEST, &all, regular)])),
    ]
}

/// Answers of a model that are no use, or a trap.
pub(super) fn poor_answers() -> Vec<(&'static str, Model)> {
    let says = |text: &str| Model::Says(vec![text.to_owned()]);
    vec![
        ("an empty answer", says("")),
        ("blanks", says("  \n\n\t\n")),
        ("words without code", says("I am sorry, but I can't help with that.")),
        (
            "an answer that is cut",
            Model::Cut("```python\ndef slugify(text):\n    return \"-\".jo".to_owned()),
        ),
        ("a fence and nothing else", says("```")),
        ("an empty code block", says("slug.py\n```python\n```\n")),
        ("1 MiB of one letter", says(&"a".repeat(1 << 20))),
        ("5,000 fences", says(&"```\n".repeat(5_000))),
        (
            "control characters",
            says("slug.py\n```python\n\u{0}\u{7}\u{1b}[31m\r\u{2028}\u{202e}\u{feff}\n```\n"),
        ),
        ("a path outside of the tree", says("../../etc/passwd\n```\nroot::0:0\n```\n")),
        ("an absolute path", says("/etc/passwd\n```\nroot::0:0\n```\n")),
        ("a change of a protected file", says("test_slug.py\n```python\ndef test_words():\n    pass\n```\n")),
        (
            "an edit of a passage that is not there",
            says("slug.py\n<<<<<<< SEARCH\nnothing like this\n=======\nx\n>>>>>>> REPLACE\n"),
        ),
        ("JSON", says(r#"{"path": "slug.py", "content": "x = 1"}"#)),
    ]
}

/// One of each of the contract's.
pub(super) fn model_errors() -> Vec<ModelError> {
    let text = || "the kit says so".to_owned();
    vec![
        ModelError::RateLimited(Some(1_000)),
        ModelError::ContextTooLong(text()),
        ModelError::Auth(text()),
        ModelError::ContentFilter(text()),
        ModelError::Overloaded(None),
        ModelError::Malformed(text()),
        ModelError::InvalidRequest(text()),
        ModelError::Timeout(text()),
        ModelError::Unreachable(text()),
        ModelError::Budget(text()),
        ModelError::Other(text()),
    ]
}

/// The first build, whose tree the workspace holds.
pub(super) fn attempt(report: Option<Report>) -> Attempt {
    let failure = report.is_none().then(|| "unusable answer: no code in it".to_owned());
    Attempt {
        number: 1,
        kind: RoundKind::Build,
        summary: "wrote slug.py".to_owned(),
        diff: "--- a/slug.py\n+++ b/slug.py\n@@ -0,0 +1,2 @@\n+def slugify(text):\n+    return text\n"
            .to_owned(),
        current: report.is_some(),
        report,
        failure,
        temperature: None,
    }
}

pub(super) fn histories() -> Vec<(&'static str, Vec<Attempt>)> {
    let with = |change: &dyn Fn(&mut Report)| {
        let mut report = red();
        change(&mut report);
        vec![attempt(Some(report))]
    };
    let nowhere = Problem {
        test: None,
        path: Some("no/such file.py".to_owned()),
        line: Some(u32::MAX),
        message: String::new(),
    };
    let long = Problem { message: "ä".repeat(4 << 10), ..nowhere.clone() };
    let many = (1..=40).map(|number| Attempt {
        number,
        kind: if number % 2 == 0 { RoundKind::Fix } else { RoundKind::Build },
        current: number == 40,
        diff: "+x\n".repeat(2_000),
        ..attempt(Some(red()))
    });
    vec![
        ("an attempt without a tree", vec![attempt(None)]),
        ("a report without a problem", with(&|report| report.problems.clear())),
        ("a problem nowhere", with(&|report| report.problems = vec![nowhere.clone()])),
        ("200 long problems", with(&|report| report.problems = vec![long.clone(); 200])),
        ("a check that was broken", with(&|report| report.verdict = Verdict::Broken)),
        ("40 attempts", many.collect()),
    ]
}

/// How a command may end, and whether a checker may call that green.
pub(super) fn commands() -> Vec<(&'static str, Result<Output, ExecError>, bool)> {
    let ended = |ending, stdout: &[u8]| {
        Ok(Output { ending, stdout: stdout.to_vec(), stderr: Vec::new(), dropped: 0, duration_ms: 5 })
    };
    let all: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    vec![
        ("a command that is denied", Err(ExecError::Denied("no sandbox here".to_owned())), false),
        ("a program that is missing", Err(ExecError::NotFound("pytest".to_owned())), false),
        ("an invalid command", Err(ExecError::Invalid("argv is empty".to_owned())), false),
        ("a command that can't be run", Err(ExecError::Other("out of files".to_owned())), false),
        ("exit code 0", ended(Ending::Exited(0), b"ok\n"), true),
        ("exit code 1", ended(Ending::Exited(1), b"boom\n"), false),
        (
            "exit code 1 with words of success",
            ended(Ending::Exited(1), b"test result: ok. 3 passed; 0 failed\n3 passed in 0.1s\nOK\n"),
            false,
        ),
        ("an end by a signal", ended(Ending::Signalled(9), b"3 passed in 0.1s\n"), false),
        ("the timeout", ended(Ending::TimedOut, b"3 passed in 0.1s\n"), false),
        ("output that is not text", ended(Ending::Exited(2), &all), false),
    ]
}
