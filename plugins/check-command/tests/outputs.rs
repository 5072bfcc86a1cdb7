//! Real outputs of test runners (Go's after its documentation) and the reports read from them.
//!
//! `tests/outputs/NAME.txt` is what a runner printed, `NAME.report` what must be read from it.
//! With `BLESS=1` in the environment the reports are written instead of compared; read the diff.

use std::fmt::Write as _;
use std::path::Path;

use check_command::judge::{Ending, Run, judge};
use check_command::places::Places;
use check_command::report::Report;

const FILES: [&str; 8] = [
    "src/lib.rs",
    "slug.py",
    "test_slug.py",
    "test_pt.py",
    "test_imp.py",
    "slug.js",
    "slug.test.js",
    "slug_test.go",
];

fn run<'a>(ending: Ending, stdout: &'a [u8]) -> Run<'a> {
    Run { command: "run-tests", ending, stdout, stderr: b"", dropped: 0, duration: 1500 }
}

fn places() -> Places {
    Places::new(FILES.map(String::from).into_iter().chain(["slug.go".into(), "bad.test.js".into()]), None)
}

/// Everything but the output, which is the input.
fn render(report: &Report) -> String {
    let mut text = format!(
        "{:?}: {} passed, {} failed, {} skipped\n",
        report.verdict, report.passed, report.failed, report.skipped
    );
    for problem in &report.problems {
        let path = problem.path.as_deref().unwrap_or("-");
        let line = problem.line.map_or("-".into(), |l| l.to_string());
        writeln!(text, "\n== {} at {path}:{line}", problem.test.as_deref().unwrap_or("-"))
            .expect("to a String");
        writeln!(text, "{}", problem.message).expect("to a String");
    }
    text
}

#[test]
fn outputs_are_read_into_reports() {
    let folder = Path::new("tests/outputs");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of outputs")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    names.sort();
    assert!(names.len() >= 20, "only {} outputs", names.len());
    let mut wrong = String::new();
    for path in names {
        let name = path.file_stem().and_then(|n| n.to_str()).expect("a plain name").to_string();
        let code = match name.as_str() {
            "pytest_none" => 5,
            "unittest_none" => 0,
            "cargo_fail" | "cargo_compile" => 101,
            n if n.ends_with("_pass") => 0,
            _ => 1,
        };
        let output = std::fs::read(&path).expect("an output");
        let read = render(&judge(&run(Ending::Exited(code), &output), &places()));
        let expected = path.with_extension("report");
        #[expect(clippy::disallowed_methods, reason = "a switch of this test, not a setting")]
        let bless = std::env::var_os("BLESS").is_some();
        if bless {
            std::fs::write(&expected, &read).expect("write the report");
        } else if std::fs::read_to_string(&expected).expect("the report") != read {
            writeln!(wrong, "{name}:\n{read}").expect("to a String");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn how_a_command_ends_decides_when_its_output_says_nothing() {
    let cases = [
        (Ending::Exited(0), "all good", "Passed: 0 passed, 0 failed, 0 skipped\n"),
        (
            Ending::Exited(3),
            "lint: bad\n",
            "Failed: 0 passed, 0 failed, 0 skipped\n\n== - at -:-\nrun-tests exited with 3\nlint: bad\n",
        ),
        (
            Ending::Exited(127),
            "sh: nope: not found",
            "Broken: 0 passed, 0 failed, 0 skipped\n\n== - at -:-\nrun-tests exited with 127: a program is missing or can't be run\nsh: nope: not found\n",
        ),
        (
            Ending::TimedOut,
            "",
            "Failed: 0 passed, 0 failed, 0 skipped\n\n== - at -:-\nrun-tests was stopped after 1.5 s: an endless loop, or timeout_s is too short\n",
        ),
        (
            Ending::Signalled(9),
            "x",
            "Failed: 0 passed, 0 failed, 0 skipped\n\n== - at -:-\nrun-tests was killed by signal 9 (SIGKILL): it may have used more memory than allowed\nx\n",
        ),
    ];
    for (ending, output, expected) in cases {
        assert_eq!(render(&judge(&run(ending, output.as_bytes()), &places())), expected, "{ending:?}");
    }
}

#[test]
fn output_is_bounded_plain_text() {
    let mut stdout = b"\x1b[31mred\x1b[0m\r\n".to_vec();
    stdout.extend(std::iter::repeat_n(b'x', 1 << 20));
    stdout.extend(b"\xff\n");
    let report = judge(&Run { dropped: 7, ..run(Ending::Exited(1), &stdout) }, &places());
    assert!(report.output.starts_with("red\n"));
    assert!(report.output.len() < 62 * 1024, "{}", report.output.len());
    assert!(report.output.ends_with("[7 bytes of output were not kept]\n"));
    assert!(report.problems[0].message.len() < 5 * 1024);
}

#[test]
fn two_tools_in_one_output_are_added() {
    let folder = Path::new("tests/outputs");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("an output");
    let both = [read("cargo_pass.txt"), read("pytest_fail.txt")].concat();
    let report = judge(&run(Ending::Exited(1), &both), &places());
    assert_eq!((report.passed, report.failed, report.skipped), (3, 3, 1));
}
