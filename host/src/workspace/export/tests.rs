use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::workspace::{Blob, Limits, import_archive, import_folder};

fn tree(files: &[(&str, &str, Mode)]) -> Tree {
    let mut tree = Tree::new(Limits::default());
    for (path, text, mode) in files {
        tree.put(TreePath::parse(path).unwrap(), Blob::new(text.as_bytes().to_vec()), Some(*mode)).unwrap();
    }
    tree
}

const R: Mode = Mode::Regular;
const X: Mode = Mode::Executable;
const L: Mode = Mode::Link;

fn sample() -> Tree {
    let long = format!("{}/file", ["folder"; 40].join("/"));
    tree(&[("a/b", "b\r\n", R), ("a/run", "#!", X), ("a/to-b", "b", L), ("é x", "\0", R), (&long, "deep", R)])
}

#[test]
fn archives_and_folders_give_the_tree_back() {
    let tree = sample();
    let packed = to_tar_gz(&tree).unwrap();
    assert_eq!(import_archive(&packed, Limits::default(), false).unwrap().tree, tree);
    assert_eq!(to_tar_gz(&sample()).unwrap(), packed);

    let dir = tempfile::tempdir().unwrap();
    write_into(&tree, dir.path()).unwrap();
    assert_eq!(import_folder(dir.path(), Limits::default()).unwrap().tree, tree);
    let again = write_into(&tree, dir.path()).unwrap_err().to_string();
    assert!(again.ends_with("is not an empty folder; nothing was written"), "{again}");
}

#[test]
fn a_link_out_of_the_tree_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let bad = tree(&[("l", "../x", L)]);
    let error = write_into(&bad, dir.path()).unwrap_err().to_string();
    assert_eq!(error, "\"l\" is a link to \"../x\", which leads out of the tree; nothing was written");
    assert!(apply_to_folder(&Tree::default(), &bad, dir.path()).is_err());
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn only_what_changed_is_written() {
    let old = tree(&[
        ("edit", "1", R),
        ("gone/deep/x", "x", R),
        ("keep", "k", R),
        ("now-x", "n", R),
        ("turn", "edit", L),
        ("was-dir/x", "x", R),
        ("was-file", "f", R),
    ]);
    let new = tree(&[
        ("edit", "2", R),
        ("keep", "k", R),
        ("new/run", "r", X),
        ("now-x", "n", X),
        ("turn", "a file", R),
        ("was-dir", "d", R),
        ("was-file/x", "x", R),
        ("to-edit", "edit", L),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    write_into(&old, at).unwrap();
    std::fs::write(at.join("of-the-user"), "u").unwrap();
    let set = |path: &str, bits| {
        std::fs::set_permissions(at.join(path), std::fs::Permissions::from_mode(bits)).unwrap()
    };
    set("edit", 0o600);
    set("now-x", 0o640);
    let kept = std::fs::metadata(at.join("keep")).unwrap().modified().unwrap();

    let done = apply_to_folder(&old, &new, at).unwrap();
    let removed = |path: &str| FolderChange::Removed(path.into());
    let written = |path: &str| FolderChange::Written(path.into());
    let mut expected = vec![removed("gone/deep/x"), removed("was-dir/x"), removed("was-file")];
    expected.extend(["edit", "new/run", "now-x", "to-edit", "turn", "was-dir", "was-file/x"].map(written));
    assert_eq!(done, expected);
    let mut whole = new.clone();
    whole.put(TreePath::parse("of-the-user").unwrap(), Blob::new("u"), None).unwrap();
    assert_eq!(import_folder(at, Limits::default()).unwrap().tree, whole);
    assert!(!at.join("gone").exists());
    assert_eq!((mode(&at.join("edit")), mode(&at.join("now-x"))), (0o600, 0o750));
    assert_eq!(std::fs::metadata(at.join("keep")).unwrap().modified().unwrap(), kept);

    // As after an interruption: what is done already is no conflict.
    apply_to_folder(&old, &new, at).unwrap();
    assert_eq!(import_folder(at, Limits::default()).unwrap().tree, whole);
}

#[test]
fn what_changed_meanwhile_stops_everything() {
    let old = tree(&[("a", "1", R), ("b", "1", R), ("c", "1", R), ("d", "1", R), ("keep", "k", R)]);
    let new = tree(&[("a", "2", R), ("b", "2", R), ("d", "2", R), ("e", "new", R), ("keep", "k", R)]);
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    write_into(&old, at).unwrap();
    std::fs::write(at.join("b"), "by the user").unwrap();
    std::fs::write(at.join("c"), "by the user").unwrap();
    std::fs::set_permissions(at.join("d"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(at.join("e"), "by the user").unwrap();
    std::fs::write(at.join("keep"), "not touched by the task").unwrap();
    let before = import_folder(at, Limits::default()).unwrap().tree;
    let error = apply_to_folder(&old, &new, at).unwrap_err().to_string();
    assert_eq!(error, "changed on disk meanwhile, so nothing was written: b, c, d, e");
    assert_eq!(import_folder(at, Limits::default()).unwrap().tree, before);
}

#[test]
fn no_link_is_followed_and_git_is_left_alone() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x"), "1").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    symlink(outside.path(), at.join("d")).unwrap();
    symlink("inside", at.join("e")).unwrap();
    std::fs::create_dir(at.join("inside")).unwrap();
    std::fs::write(at.join("inside/x"), "1").unwrap();
    symlink(outside.path().join("x"), at.join("f")).unwrap();
    let empty = Tree::default();
    let cases = [
        (tree(&[("d/x", "1", R)]), tree(&[("d/x", "2", R)])),
        (empty.clone(), tree(&[("d/new", "2", R)])),
        (tree(&[("d/x", "1", R)]), empty.clone()),
        (tree(&[("e/x", "1", R)]), tree(&[("e/x", "2", R)])),
        (tree(&[("f", "1", R)]), tree(&[("f", "2", R)])),
        (empty.clone(), tree(&[(".git/hooks/pre-commit", "x", X)])),
        (empty, tree(&[("sub/.GIT/config", "x", R)])),
    ];
    for (old, new) in cases {
        let error = apply_to_folder(&old, &new, at).unwrap_err();
        assert!(matches!(error, ExportError::Refused { .. } | ExportError::Changed(_)), "{error}");
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(outside.path().join("x")).unwrap(), "1");
    assert!(!at.join(".git").exists() && !at.join("sub").exists());
}
