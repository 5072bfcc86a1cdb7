use proptest::prelude::*;

use super::*;
use crate::workspace::Limits;

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::new(Limits::default());
    for (path, text) in files {
        tree.put(TreePath::parse(path).unwrap(), Blob::new(text.as_bytes().to_vec()), None).unwrap();
    }
    tree
}

fn replace(path: &str, search: &str, replace: &str) -> Edit {
    Edit::Replace { path: path.into(), search: search.into(), replace: replace.into() }
}

fn whole(path: &str, content: &str) -> Edit {
    Edit::Whole { path: path.into(), content: content.into() }
}

fn remove(path: &str) -> Edit {
    Edit::Remove { path: path.into() }
}

fn none() -> Globs {
    Globs::default()
}

/// What one replacement makes of one file.
fn edited(old: &str, search: &str, new: &str) -> Result<String, String> {
    let mut tree = tree(&[("f", old)]);
    match tree.apply(&[replace("f", search, new)], &none()) {
        Ok(()) => Ok(tree.get("f").unwrap().text().unwrap().to_owned()),
        Err(ApplyError::Rejected(all)) => Err(all[0].reason.clone()),
        Err(ApplyError::Tree(error)) => Err(error.to_string()),
    }
}

#[test]
fn a_passage_is_found_by_the_strictest_rung_that_finds_it() {
    let cases = [
        ("exact", "a\nb\nc\n", "b\n", "x\ny\n", "a\nx\ny\nc\n"),
        ("no final newline in the search", "a\nb\nc\n", "b", "x", "a\nx\nc\n"),
        ("exact wins over trailing blanks", "b  \nb\n", "b", "x", "b  \nx\n"),
        ("trailing blanks", "a\nb  \t\nc\n", "b", "x", "a\nx\nc\n"),
        ("trailing blanks in the search", "a\nb\nc\n", "a \nb ", "x", "x\nc\n"),
        ("removal", "a\nb\nc\n", "b\n", "", "a\nc\n"),
        ("no newline at the end stays so", "a\nb", "b\n", "x\ny\n", "a\nx\ny"),
        ("the last lines go", "a\nb", "b", "", "a\n"),
        ("crlf", "a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n", "x\r\ny\r\nc\r\n"),
        ("lf file, crlf edit", "a\nb\n", "b\r\n", "x\r\n", "a\nx\n"),
        ("mixed endings: the place's own", "a\r\nb\nc\r\n", "c", "x\ny", "a\r\nb\nx\r\ny\r\n"),
        ("byte order mark", "\u{feff}a\nb\n", "a", "x", "\u{feff}x\nb\n"),
        ("empty search appends", "a\n", "", "b\n", "a\nb\n"),
        ("empty search appends on a line of its own", "a", "", "b", "a\nb"),
        ("empty search appends crlf", "a\r\nb", "", "c\n", "a\r\nb\r\nc\r\n"),
        ("blank lines count", "a\n\nb\na\nb\n", "a\n\nb", "x", "x\na\nb\n"),
        (
            "indented",
            "class A:\n    def f(self):\n        return 1\n",
            "def f(self):\n    return 1\n",
            "def f(self):\n    if self:\n        return 2\n    return 3\n",
            "class A:\n    def f(self):\n        if self:\n            return 2\n        return 3\n",
        ),
        (
            "less indented than given",
            "if a:\n  b\n",
            "    if a:\n      b\n",
            "    if a:\n      c\n    d\n",
            "if a:\n  c\nd\n",
        ),
        (
            "tabs in the file, spaces in the answer",
            "\tif (a) {\n\t\tb();\n\t}\n",
            "    if (a) {\n        b();\n    }\n",
            "    if (a) {\n        if (c) {\n            b();\n        }\n    }\n",
            "\tif (a) {\n\t\tif (c) {\n\t\t\tb();\n\t\t}\n\t}\n",
        ),
        ("a replacement that leaves the block", "x\n        y\n", "    y\n", "z\n", "x\n    z\n"),
    ];
    for (name, old, search, new, expected) in cases {
        assert_eq!(edited(old, search, new).as_deref(), Ok(expected), "{name}");
    }
}

#[test]
fn a_rejection_says_why() {
    let text = "fn total(items: &[u32]) -> u32 {\n    items.iter().sum()\n}\n";
    let mut with_binary =
        tree(&[("a.rs", text), ("twice", "x\ny\nx\n"), ("src/b.rs", "b\n"), ("t/test.py", "t\n")]);
    with_binary.put(TreePath::parse("bin").unwrap(), Blob::new(vec![0, 159]), None).unwrap();
    with_binary.put(TreePath::parse("link").unwrap(), Blob::new("a.rs"), Some(Mode::Link)).unwrap();
    let before = with_binary.clone();
    let protected = Globs::new(["t/**"]).unwrap();
    let edits = [
        replace("a.rs", "fn total(items: &[u64]) -> u64 {\n    items.iter().sum()", "x"),
        replace("twice", "x\n", "z"),
        replace("t/test.py", "t", "pass"),
        remove("t/test.py"),
        whole("t/new.py", ""),
        replace("b.rs", "b", "c"),
        replace("bin", "x", "y"),
        whole("link", "../../etc/passwd"),
        whole("../x", ""),
        whole("src", ""),
        whole("a.rs/b", ""),
        remove("gone"),
        replace("a.rs", "iter().sum", "x"),
        replace("a.rs", "nothing like it at all", "x"),
        replace("twice", "q", "y"),
        whole(".git/hooks/pre-commit", "#!/bin/sh"),
        replace("sub/.GIT/config", "", "[core]"),
    ];
    let Err(ApplyError::Rejected(rejected)) = with_binary.apply(&edits, &protected) else {
        panic!("all must be rejected")
    };
    let said: Vec<_> = rejected.iter().map(|r| (r.index, r.reason.as_str(), r.nearest.as_str())).collect();
    let expected = [
        (
            0,
            "no such passage in the file; the lines 1 to 2 are the most similar",
            "fn total(items: &[u32]) -> u32 {\n    items.iter().sum()\n",
        ),
        (
            1,
            "the passage is in the file 2 times, from the lines 1, 3; add lines before or after it until it is unique",
            "",
        ),
        (2, "denied: t/test.py is protected (by the glob \"t/**\")", ""),
        (3, "denied: t/test.py is protected (by the glob \"t/**\")", ""),
        (4, "denied: t/new.py is protected (by the glob \"t/**\")", ""),
        (5, "no such file; did you mean src/b.rs?", ""),
        (6, "the file is not text", ""),
        (7, "denied: link is a link; write to its target, or remove it first", ""),
        (8, "invalid path: \"../x\" climbs out with ..", ""),
        (9, "src is a folder: it holds src/b.rs", ""),
        (10, "a.rs is a file, not a folder", ""),
        (11, "no such file", ""),
        (
            12,
            "no such passage in the file: it is part of line 2; give whole lines; the lines 2 to 2 are the most similar",
            "    items.iter().sum()\n",
        ),
        (13, "no such passage in the file", ""),
        (14, "no such passage in the file; the replacement is there already", ""),
        (15, "denied: .git/hooks/pre-commit is in git's own folder", ""),
        (16, "denied: sub/.GIT/config is in git's own folder", ""),
    ];
    assert_eq!(said, expected);
    assert_eq!(with_binary, before);
}

#[test]
fn later_edits_see_earlier_ones() {
    let mut tree = tree(&[("a", "1\n"), ("d/x", "x\n"), ("crlf", "a\r\nb\r\n")]);
    let edits = [
        replace("a", "1", "2"),
        replace("a", "2", "3"),
        whole("new", "n\n"),
        replace("new", "n", "m"),
        replace("fresh/f", "", "made\n"),
        remove("d/x"),
        whole("d", "a file now\n"),
        whole("crlf", "a\nc\n"),
    ];
    tree.apply(&edits, &none()).unwrap();
    let now: Vec<_> = tree.iter().map(|(path, file)| (path.as_str(), file.text().unwrap())).collect();
    let expected =
        [("a", "3\n"), ("crlf", "a\r\nc\r\n"), ("d", "a file now\n"), ("fresh/f", "made\n"), ("new", "m\n")];
    assert_eq!(now, expected);

    let Err(ApplyError::Rejected(rejected)) = tree.apply(&[remove("a"), replace("a", "3", "4")], &none())
    else {
        panic!("the file is gone by then")
    };
    assert_eq!((rejected.len(), rejected[0].index), (1, 1));
}

#[test]
fn a_tree_over_its_limit_is_left_alone() {
    let mut small = Tree::new(Limits { bytes: 10, files: 2 });
    let error = small.apply(&[whole("a", "12345"), whole("b", "123456")], &none()).unwrap_err();
    assert!(matches!(error, ApplyError::Tree(TreeError::TooLarge(_))), "{error:?}");
    assert!(small.is_empty());
}

#[test]
fn protected_files_come_back() {
    let base = tree(&[("t/a", "a"), ("t/b", "b"), ("src", "s")]);
    let mut changed = tree(&[("t", "not a folder"), ("src", "changed")]);
    let protected = Globs::new(["t/**"]).unwrap();
    let restored = changed.restore_protected(&base, &protected).unwrap();
    assert_eq!(restored.iter().map(TreePath::as_str).collect::<Vec<_>>(), ["t/a", "t/b"]);
    assert_eq!(changed, tree(&[("t/a", "a"), ("t/b", "b"), ("src", "changed")]));

    let mut added = tree(&[("t/a", "a"), ("t/b", "b"), ("t/conftest.py", "cheat"), ("src", "s")]);
    added.restore_protected(&base, &protected).unwrap();
    assert_eq!(added, base);
}

#[test]
fn nearest_lines_of_a_huge_file_take_no_time() {
    let line = "let value = compute(value, other);\n";
    let old = line.repeat(1_000_000);
    let search = "let valve = compute(value, other);\n".repeat(2_000);
    let started = std::time::Instant::now();
    assert!(edited(&old, &search, "x").is_err());
    let took = started.elapsed();
    assert!(took.as_secs() < 3, "{took:?}");
}

/// Text in which lines repeat, differ only in blanks, and end in every way.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        "[ab]{1,2}",
        "[ \t]{0,4}[ab]{1,2}[ \t]{0,2}",
        "[ ]{0,8}(if|let|é漢|\u{feff}|\r)? ?[a-z]{0,3}"
    ];
    let ending = prop_oneof![4 => Just("\n"), 2 => Just("\r\n")];
    (proptest::collection::vec((line, ending), 0..12), any::<bool>()).prop_map(|(lines, cut)| {
        let text: String = lines.into_iter().map(|(line, ending)| line + ending).collect();
        if cut { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = prop_oneof![4 => "[ab](/[ab])?", 1 => "(\\.\\./)?[a-c/\\\\]{0,3}"];
    prop_oneof![
        1 => (path.clone(), text()).prop_map(|(path, content)| Edit::Whole { path, content }),
        4 => (path.clone(), text(), text())
            .prop_map(|(path, search, replace)| Edit::Replace { path, search, replace }),
        1 => path.prop_map(|path| Edit::Remove { path }),
    ]
}

proptest! {
    #[test]
    fn apply_changes_all_or_nothing(
        a in text(), b in text(), edits in proptest::collection::vec(edit(), 1..5),
    ) {
        let before = tree(&[("a", &a), ("b/a", &b)]);
        let protected = Globs::new(["b/b"]).unwrap();
        let mut all = before.clone();
        let result = all.apply(&edits, &protected);
        prop_assert!(all.get("b/b").is_none());

        let mut one_by_one = before.clone();
        let every = edits.iter().all(|edit| one_by_one.apply(std::slice::from_ref(edit), &protected).is_ok());
        prop_assert_eq!(result.is_ok(), every);
        prop_assert_eq!(all, if every { one_by_one } else { before });
    }

    #[test]
    fn a_unique_passage_of_the_file_applies(old in text(), from in 0_usize..12, count in 1_usize..4, crlf: bool) {
        // A mark or a lone CR at either end is neither content nor line ending to everyone.
        let old = old.replace('\u{feff}', "").replace("\r\n", "\0").replace('\r', "").replace('\0', "\r\n");
        let lines: Vec<&str> = old.split_inclusive('\n').collect();
        prop_assume!(!lines.is_empty());
        let from = from % lines.len();
        let count = count.min(lines.len() - from);
        let search: String = lines[from..from + count].concat();
        let search = if crlf { search } else { search.replace("\r\n", "\n") };
        let body = |line: &str| line.trim_end_matches(['\n', '\r']).to_owned();
        let bodies: Vec<String> = lines.iter().map(|line| body(line)).collect();
        let same = bodies.windows(count).filter(|window| *window == &bodies[from..from + count]).count();
        let new = edited(&old, &search, "REPLACED\n");
        if same > 1 {
            let said = format!("the passage is in the file {same} times");
            prop_assert!(new.is_err_and(|why| why.starts_with(&said)));
            return Ok(());
        }
        let mut expected = bodies;
        expected.splice(from..from + count, ["REPLACED".to_owned()]);
        let new = new.map(|text| text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect::<Vec<_>>());
        prop_assert_eq!(new, Ok(expected));
    }
}
