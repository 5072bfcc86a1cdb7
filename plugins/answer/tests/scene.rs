//! Which files a task is about, told from goal, tests and tree.
#[path = "support/host.rs"]
mod host;

use answer::scene::Scene;
use host::{fake, task};

fn wanted(goal: &str, tests: &[&str], files: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
    let scene = Scene::survey(&mut fake(files), &task(goal, tests), &[]).expect("surveyed");
    scene.wanted.into_iter().map(|wanted| (wanted.path, wanted.symbols)).collect()
}

#[test]
fn the_files_a_task_is_about() {
    let python = "import unittest\nfrom slug import slugify\n";
    for (goal, tests, files, want) in [
        ("Write slugify", vec!["test_a.py"], vec![("test_a.py", python)], vec![("slug.py", vec!["slugify"])]),
        ("Write slugify", vec![], vec![("tests/test_a.py", python)], vec![("slug.py", vec!["slugify"])]),
        (
            "Write slugify",
            vec!["tests/test_a.py"],
            vec![("src/slug.py", "def slugify(): ...\n"), ("tests/test_a.py", python)],
            vec![("src/slug.py", vec!["slugify"])],
        ),
        (
            "Make it pass",
            vec!["t/check.py"],
            vec![
                ("pkg/__init__.py", ""),
                ("pkg/b.py", "b = 1\n"),
                ("t/check.py", "from pkg.a import f\nimport pkg.b\npkg.b.g()\n"),
            ],
            vec![("pkg/a.py", vec!["f"]), ("pkg/b.py", vec!["g"])],
        ),
        (
            "Make it pass",
            vec!["test/a.test.js"],
            vec![("test/a.test.js", "import { a } from '../src/a.js';\nimport fs from 'fs'\n")],
            vec![("src/a.js", vec!["a"])],
        ),
        ("Make it pass", vec![], vec![("x/a_test.go", "package x\n")], vec![("x/a.go", vec![])]),
        (
            "Make it pass",
            vec![],
            vec![("Cargo.toml", ""), ("src/lib.rs", "pub fn f() {}\n"), ("tests/a.rs", "")],
            vec![("src/lib.rs", vec!["f"])],
        ),
        (
            "Fix `core/calc.py`; it must run under Node.js.",
            vec![],
            vec![("a.py", ""), ("core/calc.py", "")],
            vec![("core/calc.py", vec![])],
        ),
        (
            "Fix calc.py",
            vec![],
            vec![("a.py", ""), ("core/calc.py", "def mean(): ...\n")],
            vec![("core/calc.py", vec!["mean"])],
        ),
        (
            "Complete:\n\ndef f(a):\n    \"\"\"Doc.\"\"\"\n",
            vec![],
            vec![("solution.py", "")],
            vec![("solution.py", vec!["f"])],
        ),
        ("Write a sorting function", vec![], vec![("README.md", "")], vec![]),
        ("Read ../secret.py and /etc/passwd.py", vec![], vec![], vec![]),
    ] {
        let want: Vec<(String, Vec<String>)> = want
            .into_iter()
            .map(|(path, names)| (path.into(), names.into_iter().map(String::from).collect()))
            .collect();
        assert_eq!(wanted(goal, &tests, &files), want, "{goal} {files:?}");
    }
}

#[test]
fn what_the_wanted_file_imports_is_shown_and_protected_files_are_not_wanted() {
    let files = [
        ("a.py", "from b import x\n"),
        ("b.py", "import c\n"),
        ("c.py", ""),
        ("other.py", ""),
        ("test_a.py", "import a\nimport conf\n"),
        ("conf.py", ""),
    ];
    let mut host = fake(&files).protecting(&["conf.py", "test_a.py"]);
    let scene = Scene::survey(&mut host, &task("Make it pass", &["test_a.py"]), &[]).expect("surveyed");
    assert_eq!(scene.wanted.iter().map(|wanted| wanted.path.as_str()).collect::<Vec<_>>(), ["a.py"]);
    assert_eq!(scene.shown, ["b.py", "c.py"]);
    let globbed = Scene {
        protected: vec!["tests/**".into(), "**/*_gen.py".into(), ".ci/?".into()],
        ..Scene::default()
    };
    for (path, protected) in [
        ("tests/a/b.py", true),
        ("x_gen.py", true),
        ("a/x_gen.py", true),
        (".ci/a", true),
        (".ci/ab", false),
        ("test.py", false),
    ] {
        assert_eq!(globbed.is_protected(path), protected, "{path}");
    }
}
