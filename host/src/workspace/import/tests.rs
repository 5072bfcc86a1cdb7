mod hostile;

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::*;

const LIMITS: Limits = Limits { bytes: 10_000, files: 10 };

fn soon() -> Deadline {
    Deadline::new(std::time::Duration::from_secs(60), tokio_util::sync::CancellationToken::new())
}

/// A tree as lines: mode, path, content.
fn shown(tree: &Tree) -> Vec<String> {
    let line = |(path, file): (&TreePath, &crate::workspace::File)| {
        let mode = match file.mode {
            Mode::Regular => '-',
            Mode::Executable => 'x',
            Mode::Link => 'l',
        };
        format!("{mode} {path}: {}", file.blob.bytes().escape_ascii())
    };
    tree.iter().map(line).collect()
}

fn write(dir: &Path, path: &str, text: &[u8], mode: u32) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_comes_whole_and_nothing_from_outside() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret", b"s", 0o600);
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    write(at, "a/bin", b"\0\xff\r\n", 0o600);
    write(at, "a/run", b"#!/bin/sh\r\n", 0o755);
    write(at, ".gitignore", b"a\n", 0o644);
    write(at, ".git/config", b"[core]", 0o644);
    write(at, "sub/.git", b"gitdir: elsewhere", 0o644);
    std::fs::create_dir(at.join("empty")).unwrap();
    symlink("../a/run", at.join("sub/inner")).unwrap();
    symlink("nowhere", at.join("dangling")).unwrap();
    symlink(outside.path(), at.join("outer")).unwrap();
    symlink("../secret", at.join("climbs")).unwrap();
    symlink("a/../../secret", at.join("winds")).unwrap();
    assert!(Command::new("mkfifo").arg(at.join("pipe")).status().unwrap().success());
    let imported = import_folder(at, LIMITS).unwrap();
    let expected = [
        "- .gitignore: a\\n",
        "- a/bin: \\x00\\xff\\r\\n",
        "x a/run: #!/bin/sh\\r\\n",
        "l dangling: nowhere",
        "l sub/inner: ../a/run",
    ];
    assert_eq!(shown(&imported.tree), expected);
    let notes = [
        "left out .git".to_owned(),
        "left out climbs: it is a link to \"../secret\", which leads out of the tree".to_owned(),
        format!("left out outer: it is a link to {:?}, which is absolute", outside.path()),
        "left out pipe: it is neither a file nor a folder nor a link".to_owned(),
        "left out sub/.git".to_owned(),
        "left out winds: it is a link to \"a/../../secret\", which goes down and up again".to_owned(),
    ];
    assert_eq!(imported.notes, notes);
}

#[test]
fn a_folder_that_a_tree_cannot_hold_is_refused_by_name() {
    type Make<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Make<'_>, &str); 5] = [
        (
            "name",
            &|at| std::fs::write(at.join(std::ffi::OsStr::from_bytes(b"a\xff\n")), "").unwrap(),
            "\"a\\xff\\n\" is not a UTF-8 name",
        ),
        (
            "backslash",
            &|at| std::fs::write(at.join("a\\b"), "").unwrap(),
            "\"a\\\\b\" can't be in a tree: invalid path: \"a\\\\b\" holds a backslash; use / between folders",
        ),
        (
            "bytes",
            &|at| write(at, "big", &[b'x'; 10_001], 0o644),
            "too large at \"big\": all files together hold more than 10000 bytes",
        ),
        (
            "files",
            &|at| (0..11).for_each(|n| write(at, &format!("f{n:02}"), b"", 0o644)),
            "too large at \"f10\": the tree holds 10 files, its limit; f10 would be one more",
        ),
        (
            "folders",
            &|at| (0..1_200).for_each(|n| std::fs::create_dir(at.join(format!("d{n:04}"))).unwrap()),
            "too large at the folder: too many folders and files to look at",
        ),
    ];
    for (name, make, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path());
        assert_eq!(import_folder(dir.path(), LIMITS).unwrap_err().to_string(), expected, "{name}");
    }
    let gone = import_folder(Path::new("/no/such/folder"), LIMITS).unwrap_err().to_string();
    assert_eq!(gone, "can't read the folder /no/such/folder: No such file or directory (os error 2)");
}

type Entry<'a> = (&'a str, tar::EntryType, &'a [u8], u32);

/// A tar in which nothing is checked: the crate's own builder refuses what these tests need.
fn tar_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, content, mode) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        let link = matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link);
        if link {
            header.set_link_name_literal(content).unwrap();
        }
        let content: &[u8] = if link { b"" } else { content };
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap()
}

fn zip_of(entries: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content, mode) in entries {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode & 0o7777);
        if name.ends_with('/') {
            archive.add_directory(*name, options).unwrap();
        } else if mode & 0o170_000 == 0o120_000 {
            archive.add_symlink(*name, std::str::from_utf8(content).unwrap(), options).unwrap();
        } else {
            archive.start_file(*name, options).unwrap();
            archive.write_all(content).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};

#[test]
fn archives_keep_content_modes_and_links() {
    let tar = tar_of(&[
        ("./", Directory, b"", 0o755),
        ("./top/", Directory, b"", 0o755),
        ("./top/a", Regular, b"\0\r\n", 0o644),
        ("./top/bin/run", Regular, b"x", 0o755),
        ("./top/bin/link", Symlink, b"../a", 0o777),
        ("./top/.git/config", Regular, b"x", 0o644),
        ("./top/empty/", Directory, b"", 0o755),
    ]);
    let zip = zip_of(&[
        ("top/", b"", 0o755),
        ("top/a", b"\0\r\n", 0o644),
        ("top/bin/run", b"x", 0o755),
        ("top/bin/link", b"../a", 0o120_777),
        ("top/.git/config", b"x", 0o644),
    ]);
    let whole = ["- top/a: \\x00\\r\\n", "l top/bin/link: ../a", "x top/bin/run: x"];
    let stripped = ["- a: \\x00\\r\\n", "l bin/link: ../a", "x bin/run: x"];
    for archive in [&tar, &gz(&tar), &zip] {
        assert_eq!(shown(&import_archive(archive, LIMITS, false).unwrap().tree), whole);
        assert_eq!(shown(&import_archive(archive, LIMITS, true).unwrap().tree), stripped);
    }
    let two = tar_of(&[("a/x", Regular, b"", 0o644), ("b/x", Regular, b"", 0o644)]);
    assert_eq!(shown(&import_archive(&two, LIMITS, true).unwrap().tree), ["- a/x: ", "- b/x: "]);
}

#[test]
fn hostile_archives_are_refused_by_entry() {
    let file = |name| tar_of(&[(name, Regular, b"x", 0o644)]);
    let one = |name, kind, content| tar_of(&[(name, kind, content, 0o644)]);
    let zeros = vec![0; 50 << 20];
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (file("/etc/x"), "\"/etc/x\" can't be in a tree: invalid path: \"/etc/x\" is absolute"),
        (
            file("a/../../x"),
            "\"a/../../x\" can't be in a tree: invalid path: \"a/../../x\" climbs out with ..",
        ),
        (file("a\\x"), "\"a\\\\x\" can't be in a tree"),
        (one("l", Symlink, b"/etc/passwd"), "\"l\" is a link to \"/etc/passwd\", which is absolute"),
        (one("d/l", Symlink, b"../../x"), "\"d/l\" is a link to \"../../x\", which leads out of the tree"),
        (one("d/l", Symlink, b"a/../x"), "\"d/l\" is a link to \"a/../x\", which goes down and up again"),
        (one("h", Link, b"a"), "\"h\" is a hard link"),
        (one("c", Char, b""), "\"c\" is a device"),
        (one("b", Block, b""), "\"b\" is a device"),
        (one("p", Fifo, b""), "\"p\" is a pipe"),
        (tar_of(&[("a", Regular, b"", 0o644), ("./a", Regular, b"", 0o644)]), "\"a\" is there twice"),
        (
            tar_of(&[("l", Symlink, b"d", 0o644), ("l/x", Regular, b"", 0o644)]),
            "\"l/x\" has no place: invalid path: \"l/x\": \"l\" is a file, not a folder",
        ),
        (one("big", Regular, &zeros), "too large at \"big\": all files together hold more than 10000 bytes"),
        (
            gz(&one("big", Regular, &zeros)),
            "too large at \"big\": all files together hold more than 10000 bytes",
        ),
        (
            zip_of(&[("big", &zeros, 0o644)]),
            "too large at \"big\": all files together hold more than 10000 bytes",
        ),
        (zip_of(&[("../x", b"", 0o644)]), "\"../x\" can't be in a tree"),
        (
            zip_of(&[("l", b"/etc/passwd", 0o120_777)]),
            "\"l\" is a link to \"/etc/passwd\", which is absolute",
        ),
        (
            tar_of(&(0..11).map(|_| ("x", Regular, &b""[..], 0o644)).collect::<Vec<_>>()),
            "\"x\" is there twice",
        ),
        (gz(&file("a"))[..30].to_vec(), "the archive is damaged"),
        (gz(b"no tar at all"), "the archive is damaged"),
        (b"PK\x03\x04 and no more".to_vec(), "the archive is damaged"),
        (
            [&b"PK\x03\x04"[..], &b"PK\x01\x02".repeat(2_000)].concat(),
            "too large at the archive: too many entries; the limit is 10 files",
        ),
        (Vec::new(), "this is no .tar.gz, .tar or .zip archive"),
        (vec![b'x'; 2_000], "the archive is damaged"),
    ];
    for (archive, expected) in cases {
        let error = import_archive(&archive, LIMITS, false).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error:?} instead of {expected:?}");
    }
    // A long name takes memory before it is a name.
    let long = gz(&one("././@LongLink", tar::EntryType::GNULongName, &zeros));
    let error = import_archive(&long, LIMITS, false).unwrap_err().to_string();
    assert_eq!(
        error,
        "too large at the archive: it unpacks to more than the limits on bytes and files allow"
    );
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(dir).args([
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.invalid",
        "-c",
        "protocol.file.allow=always",
    ]);
    let output = git.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_repository_comes_at_a_revision_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (other, at) = (dir.path().join("other"), dir.path().join("repo"));
    for repository in [&other, &at] {
        std::fs::create_dir(repository).unwrap();
        git(repository, &["init", "-q"]);
        write(repository, "a", b"first\r\n", 0o644);
        git(repository, &["add", "."]);
        git(repository, &["commit", "-qm", "1"]);
    }
    let first = git(&at, &["rev-parse", "HEAD"]);
    write(&at, "a", b"second\n", 0o644);
    write(&at, "d/run", b"\0", 0o755);
    write(&at, "d/\"odd\"\t\n", b"", 0o644);
    symlink("../a", at.join("d/in")).unwrap();
    symlink("/etc/passwd", at.join("out")).unwrap();
    git(&at, &["submodule", "--quiet", "add", other.to_str().unwrap(), "sub"]);
    git(&at, &["add", "."]);
    git(&at, &["commit", "-qm", "2"]);
    // Whatever the repository would run leaves a mark.
    let mark = dir.path().join("mark");
    let touch = format!("touch {}", mark.display());
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "filter.x.smudge",
        "core.pager",
        "alias.ls-tree",
    ] {
        git(&at, &["config", key, &touch]);
    }
    write(&at, ".git/info/attributes", b"* filter=x\n", 0o644);
    write(&at, "a", b"not committed", 0o644);
    // Somebody else's, where this user may give it away: nothing of it is run, so it may be read.
    for path in [at.join(".git"), at.clone()] {
        let _ = std::os::unix::fs::chown(path, Some(1234), None);
    }

    let now = import_git(&at, "HEAD", &soon(), LIMITS).unwrap();
    let tree: Vec<_> = shown(&now.tree).into_iter().filter(|line| !line.contains(".gitmodules")).collect();
    assert_eq!(tree, ["- a: second\\n", "- d/\"odd\"\t\n: ", "l d/in: ../a", "x d/run: \\x00"]);
    let notes = [
        "left out sub: it is a submodule",
        "left out out: it is a link to \"/etc/passwd\", which is absolute",
    ];
    assert_eq!(now.notes, notes);
    assert_eq!(shown(&import_git(&at, &first, &soon(), LIMITS).unwrap().tree), ["- a: first\\r\\n"]);
    assert_eq!(
        shown(&import_git(&at.join(".git"), "HEAD~1", &soon(), LIMITS).unwrap().tree),
        ["- a: first\\r\\n"]
    );
    assert!(!mark.exists());

    let small = Limits { bytes: 8, files: 10 };
    let cases = [
        (&at, "--all", LIMITS, "git: \"--all\" is not a revision".to_owned()),
        (&at, "", LIMITS, "git: \"\" is not a revision".to_owned()),
        (&at, "gone", LIMITS, format!("git: no revision \"gone\" in {}", at.display())),
        (&at, "HEAD:a", LIMITS, format!("git: no revision \"HEAD:a\" in {}", at.display())),
        (&at, "HEAD", small, "too large at \"a\": all files together hold more than 8 bytes".to_owned()),
        (
            &at.join("d"),
            "HEAD",
            LIMITS,
            "git: not a git repository (or any of the parent directories): .git".to_owned(),
        ),
    ];
    for (repository, revision, limits, expected) in cases {
        let error = import_git(repository, revision, &soon(), limits).unwrap_err().to_string();
        if revision == "HEAD" && limits == small {
            assert!(error.starts_with("too large at"), "{error}");
        } else {
            assert_eq!(error, expected);
        }
    }
}
