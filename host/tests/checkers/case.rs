//! A tree and the report it must get, in one file:
//!
//! ```text
//! What the case is about.
//! test test_a.py              a test that the task names
//! set pattern = check_*.py    a setting of the checker
//! show output                 compare the report's output as well
//! -- test_a.py --
//! the file's text; after `-- test_a.py hex --` its bytes
//! -- report --
//! ```
//!
//! With `BLESS=1` in the environment the reports are written instead of compared; read the diff.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aiagent_host::task::Report;
use aiagent_host::workspace::{Blob, Tree, TreePath};

pub(crate) struct Case {
    file: PathBuf,
    /// All of the file before the report.
    given: String,
    expected: String,
    pub(crate) tests: Vec<String>,
    pub(crate) settings: Vec<(String, String)>,
    show_output: bool,
    pub(crate) tree: Tree,
}

const REPORT: &str = "-- report --\n";

/// The cases of `host/tests/checkers/FOLDER`, in order.
pub(crate) fn all(folder: &str) -> Vec<Case> {
    let folder = Path::new("tests/checkers").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder of cases");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(file: PathBuf) -> Self {
        let text = std::fs::read_to_string(&file).expect("a case");
        let (given, expected) = text.split_once(REPORT).expect("a case ends with its report");
        let (mut tests, mut settings, mut show_output) = (Vec::new(), Vec::new(), false);
        let mut files: Vec<(&str, String)> = Vec::new();
        for line in given.split_inclusive('\n') {
            let name = line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --"));
            match (name, files.last_mut()) {
                (Some(name), _) => files.push((name, String::new())),
                (None, Some((_, content))) => content.push_str(line),
                (None, None) => match line.trim_end().split_once(' ') {
                    Some(("test", path)) => tests.push(path.to_owned()),
                    Some(("set", pair)) => {
                        let (key, value) = pair.split_once(" = ").expect("set KEY = VALUE");
                        settings.push((key.to_owned(), value.to_owned()));
                    }
                    Some(("show", "output")) => show_output = true,
                    _ => {}
                },
            }
        }
        let mut tree = Tree::default();
        for (name, content) in files {
            let (name, bytes) = match name.strip_suffix(" hex") {
                Some(name) => (name, hex::decode(content.trim()).expect("hexadecimal digits")),
                None => (name, content.into_bytes()),
            };
            let path = TreePath::parse(name).expect("a path of the workspace");
            tree.put(path, Blob::new(bytes), None).expect("it fits");
        }
        let (given, expected) = (given.to_owned(), expected.to_owned());
        Self { file, given, expected, tests, settings, show_output, tree }
    }

    pub(crate) fn name(&self) -> &str {
        self.file.file_stem().and_then(|stem| stem.to_str()).expect("a plain name")
    }

    /// `None` where the report is the expected one, else what it is.
    pub(crate) fn differs(&self, report: &Report) -> Option<String> {
        let rendered = render(report, self.show_output);
        #[expect(clippy::disallowed_methods, reason = "a switch of this test, not a setting")]
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&self.file, format!("{}{REPORT}{rendered}", self.given)).expect("written");
            return None;
        }
        (rendered != self.expected).then(|| {
            let Self { file, expected, .. } = self;
            format!("##### {}\n{rendered}\n##### instead of\n{expected}\n", file.display())
        })
    }
}

fn render(report: &Report, show_output: bool) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "{:?}: {} passed, {} failed, {} skipped\n",
        report.verdict, counts.passed, counts.failed, counts.skipped
    );
    for problem in &report.problems {
        let path = problem.path.as_deref().unwrap_or("-");
        let line = problem.line.map_or("-".into(), |line| line.to_string());
        let test = problem.test.as_deref().unwrap_or("-");
        write!(text, "\n== {test} at {path}:{line}\n{}\n", problem.message).expect("to a String");
    }
    if show_output {
        write!(text, "\n== output\n{}", report.output).expect("to a String");
    }
    text
}
