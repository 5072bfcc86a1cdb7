use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::workspace::{Blob, Limits, TreePath};

type Files<'a> = [(&'a str, &'a str, Mode)];

fn tree(files: &Files<'_>) -> Tree {
    let mut tree = Tree::new(Limits::default());
    for (path, text, mode) in files {
        tree.put(TreePath::parse(path).unwrap(), Blob::new(text.as_bytes().to_vec()), Some(*mode)).unwrap();
    }
    tree
}

const R: Mode = Mode::Regular;
const X: Mode = Mode::Executable;
const L: Mode = Mode::Link;

/// Applies the patch to a folder that holds `old` and reads it back.
fn patched(old: &Tree, patch: &str, program: &[&str]) -> Tree {
    let dir = tempfile::tempdir().unwrap();
    crate::workspace::write_into(old, dir.path()).unwrap();
    run(dir.path(), program, patch);
    crate::workspace::import_folder(dir.path(), Limits::default()).unwrap().tree
}

fn run(dir: &Path, program: &[&str], input: &str) {
    use std::io::Write as _;
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(dir).env("GIT_CEILING_DIRECTORIES", "/");
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}: {output:?}\n{input}");
}

const GIT: [&str; 4] = ["git", "apply", "--whitespace=nowarn", "-"];
const PATCH: [&str; 3] = ["patch", "-p1", "-s"];

#[test]
fn reads_like_git_diff() {
    let old = tree(&[
        ("changed", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", R),
        ("gone", "x\n", R),
        ("mode", "m\n", R),
        ("same", "s\n", R),
        ("turned", "target", L),
        ("é \"q\"\t", "a", R),
    ]);
    let mut new = tree(&[
        ("added", "a\nb", X),
        ("binary", "\0", R),
        ("changed", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", R),
        ("empty", "", R),
        ("mode", "m\n", X),
        ("same", "s\n", R),
        ("turned", "a file\n", R),
    ]);
    new.put(TreePath::parse("é \"q\"\t").unwrap(), Blob::new("b\n"), None).unwrap();
    let expected = r#"diff --git a/added b/added
new file mode 100755
--- /dev/null
+++ b/added
@@ -0,0 +1,2 @@
+a
+b
\ No newline at end of file
diff --git a/binary b/binary
new file mode 100644
Binary files /dev/null and b/binary differ
diff --git a/changed b/changed
--- a/changed
+++ b/changed
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
diff --git a/empty b/empty
new file mode 100644
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/mode b/mode
old mode 100644
new mode 100755
diff --git a/turned b/turned
deleted file mode 120000
--- a/turned
+++ /dev/null
@@ -1 +0,0 @@
-target
\ No newline at end of file
diff --git a/turned b/turned
new file mode 100644
--- /dev/null
+++ b/turned
@@ -0,0 +1 @@
+a file
diff --git "a/é \"q\"\t" "b/é \"q\"\t"
--- "a/é \"q\"\t"	
+++ "b/é \"q\"\t"	
@@ -1 +1 @@
-a
\ No newline at end of file
+b
"#;
    assert_eq!(diff(&old, &new), expected);
    let stat: Vec<_> = diff_stat(&old, &new)
        .into_iter()
        .map(|stat| (stat.path, stat.status, stat.added, stat.removed, stat.binary))
        .collect();
    let expected = [
        ("added", Status::Added, 2, 0, false),
        ("binary", Status::Added, 0, 0, true),
        ("changed", Status::Changed, 1, 1, false),
        ("empty", Status::Added, 0, 0, false),
        ("gone", Status::Removed, 0, 1, false),
        ("mode", Status::Changed, 0, 0, false),
        ("turned", Status::Changed, 1, 1, false),
        ("é \"q\"\t", Status::Changed, 1, 1, false),
    ]
    .map(|(path, status, added, removed, binary)| (path.to_owned(), status, added, removed, binary));
    assert_eq!(stat, expected);
}

#[test]
fn git_and_patch_apply_it() {
    let old = tree(&[
        ("crlf", "a\r\nb\r\nc\r\n", R),
        ("d/gone", "x\n", R),
        ("mode", "m\n", R),
        ("with blank", "a\nb", R),
        ("é \"q\"\t", "a", R),
        ("cr", "a\rb\nc\n", R),
        ("one\nline", "1\n", R),
    ]);
    let new = tree(&[
        ("crlf", "a\r\nx\r\nc\r\n", R),
        ("d/new", "x\n", X),
        ("empty", "", R),
        ("mode", "m\nn\n", X),
        ("with blank", "a\nb\n", R),
        ("é \"q\"\t", "b\n", R),
        ("cr", "a\rb\nc", R),
        ("one\nline", "2\n", R),
    ]);
    let patch = diff(&old, &new);
    assert_eq!(patched(&old, &patch, &GIT), new);
    let back = diff(&new, &old);
    assert_eq!(patched(&new, &back, &GIT), old);
    assert_eq!(patched(&old, &patch, &PATCH), new);

    let linked = tree(&[("d/new", "x\n", R), ("link", "d/new", L)]);
    let unlinked = tree(&[("d/new", "x\n", R), ("link", "now a file\n", R)]);
    assert_eq!(patched(&linked, &diff(&linked, &unlinked), &GIT), unlinked);
    assert_eq!(patched(&unlinked, &diff(&unlinked, &linked), &GIT), linked);
}

#[test]
fn large_files_with_nothing_in_common_take_bounded_time() {
    let text = |seed: u64| -> String {
        let mut state = seed;
        (0..300_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                format!("{}\n", state >> 50)
            })
            .collect()
    };
    let old = tree(&[("f", &text(1), R), ("g", &text(3), R)]);
    let new = tree(&[("f", &text(2), R), ("g", &text(4), R)]);
    let started = Instant::now();
    let patch = diff(&old, &new);
    let took = started.elapsed();
    assert!(took < TIME + Duration::from_secs(3), "{took:?}");
    assert_eq!(patched(&old, &patch, &GIT), new);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn git_takes_every_text(
        old in "([ab\r ]{0,2}\n){0,14}[ab\r ]{0,2}", new in "([ab\r ]{0,2}\n){0,14}[ab\r ]{0,2}",
    ) {
        let (old, new) = (tree(&[("f", &old, R)]), tree(&[("f", &new, R)]));
        let patch = diff(&old, &new);
        prop_assert_eq!(patch.is_empty(), old == new);
        if !patch.is_empty() {
            prop_assert_eq!(patched(&old, &patch, &GIT), new);
        }
    }
}
