//! check-python: CPython in a component.

use std::time::Duration;

use aiagent_host::plugin::{Call, Ended, Failure, StepError};
use aiagent_host::task::Report;
use aiagent_host::workspace::{Blob, Tree, TreePath};

use crate::case;
use crate::first_party::{block_on, runtime};
use crate::outside::{Model, World};

/// The host cuts a report's output there; the checker itself stays below.
const MOST_OUTPUT: usize = 64 << 10;

fn call(tree: Tree, settings: &[(String, String)]) -> Call {
    let call = World::new(Model::Never).call();
    Call { tree, tests: Vec::new(), settings: settings.to_vec(), ..call }
}

fn check(call: Call) -> Ended<Report> {
    block_on(runtime().check("check-python", call))
}

fn file(path: &str, text: &str) -> Tree {
    let mut tree = Tree::default();
    let path = TreePath::parse(path).expect("a path");
    tree.put(path, Blob::new(text.as_bytes().to_vec()), None).expect("it fits");
    tree
}

#[test]
fn every_tree_gets_its_report() {
    let cases = case::all("python");
    assert!(cases.len() > 35, "only {} cases", cases.len());
    let mut wrong = String::new();
    for case in cases {
        let call = Call { tests: case.tests.clone(), ..call(case.tree.clone(), &case.settings) };
        let report = match check(call).result {
            Ok(report) => report,
            Err(failure) => {
                wrong += &format!("##### {}: {failure}\n", case.name());
                continue;
            }
        };
        wrong += &case.differs(&report).unwrap_or_default();
        let counts = &report.counts;
        let summary =
            format!("{} passed, {} failed, {} skipped\n", counts.passed, counts.failed, counts.skipped);
        assert!(report.output.ends_with(&summary), "{}: {}", case.name(), report.output);
        assert!(report.output.len() < MOST_OUTPUT, "{}: {}", case.name(), report.output.len());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// C code takes no steps and enters no frames that Python could count: there the host's limits end the check.
#[test]
fn loops_and_recursion_in_c_code_end_as_typed_failures() {
    let test = "import itertools\n\n\ndef test_x():\n    sum(itertools.repeat(1))\n";
    let budget = Duration::from_millis(500);
    let ended = check(Call { compute_left: budget, ..call(file("test_x.py", test), &[]) });
    assert_eq!(ended.result, Err(Failure::Compute(budget)));

    let test = "a, b = [], []\na.append(a)\nb.append(b)\n\n\ndef test_x():\n    assert a == b\n";
    let ended = check(call(file("test_x.py", test), &[]));
    let Err(Failure::Trap(why)) = ended.result else { panic!("{:?}", ended.result) };
    assert!(why.starts_with("call stack exhausted (endless recursion?)"), "{why}");
}

#[test]
fn what_is_wrong_with_a_setting_is_said() {
    for (key, value, said) in [
        ("patern", "a*.py", "unknown setting 'patern': allowed are pattern, doctests, paths, steps_per_test"),
        ("pattern", " ", "pattern is empty; example: test_*.py"),
        ("doctests", "yes", "doctests = 'yes': allowed are auto, always, never"),
        ("steps_per_test", "12", "steps_per_test = '12': a number from 1000"),
    ] {
        let setting = (key.to_owned(), value.to_owned());
        let ended = check(call(file("test_x.py", "def test_x(): pass\n"), &[setting]));
        assert_eq!(ended.result, Err(Failure::Step(StepError::Settings(said.to_owned()))));
    }
}

/// One check leaves nothing behind for the next: each has an interpreter of its own.
#[test]
fn checks_are_apart() {
    let spoil = "import unittest\nunittest.TestCase.run = None\nopen('left', 'w').close()\n";
    let first = check(call(file("test_x.py", spoil), &[])).result.expect("a report");
    assert_eq!((first.counts.passed, &first.problems[..]), (1, &[][..]));
    let look = "import os, unittest\n\n\nclass T(unittest.TestCase):\n    def test_x(self):\n        \
                self.assertFalse(os.path.exists('left'))\n";
    let second = check(call(file("test_x.py", look), &[])).result.expect("a report");
    assert_eq!((second.counts.passed, &second.problems[..]), (1, &[][..]));
}
