//! Archives and repositories that nobody made by mistake.

use std::io::Read;
use std::process::Stdio;

use super::*;

fn refusal(archive: &[u8]) -> String {
    import_archive(archive, LIMITS, false).map(|imported| shown(&imported.tree)).unwrap_err().to_string()
}

/// A tar whose extended header says these things of the file that follows.
fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_pax_extensions(records.iter().copied()).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("harmless").unwrap();
    if records[0].0 == "linkpath" {
        header.set_entry_type(Symlink);
        header.set_link_name("harmless-too").unwrap();
    }
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    archive.append(&header, &b""[..]).unwrap();
    archive.into_inner().unwrap()
}

/// A name as it stands in a header, without any check.
fn raw_name(name: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    archive.append(&header, &b""[..]).unwrap();
    archive.into_inner().unwrap()
}

/// A hole of a tebibyte.
fn sparse() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("hole").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    let tebibyte = *b"20000000000\0\0";
    gnu.realsize.copy_from_slice(&tebibyte[..12]);
    gnu.sparse[0].offset.copy_from_slice(&tebibyte[..12]);
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000000\0");
    header.set_cksum();
    [header.as_bytes().as_slice(), &[0; 1024]].concat()
}

/// A zip whose directory lists one stored file of 1,000 bytes under 40 names.
fn overlapping() -> Vec<u8> {
    let one = zip_of(&[("f", &[b'x'; 1000], 0o644)]);
    let directory = one.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let end = one.windows(4).position(|four| four == b"PK\x05\x06").unwrap();
    let mut archive = one[..directory].to_vec();
    for number in 0..40_u8 {
        let mut entry = one[directory..end].to_vec();
        entry[46] = b'A' + number;
        archive.extend(entry);
    }
    let mut tail = one[end..].to_vec();
    let length = u32::try_from(archive.len() - directory).unwrap();
    tail[8..10].copy_from_slice(&40_u16.to_le_bytes());
    tail[10..12].copy_from_slice(&40_u16.to_le_bytes());
    tail[12..16].copy_from_slice(&length.to_le_bytes());
    archive.extend(tail);
    archive
}

#[test]
fn names_that_lie_are_refused() {
    let long = "n".repeat(5_000);
    let cases = [
        (pax(&[("path", b"../../escape")]), "climbs out with .."),
        (pax(&[("path", b"/etc/cron.d/x")]), "is absolute"),
        (pax(&[("path", b"a\0b")]), "holds a NUL"),
        (pax(&[("linkpath", b"../../etc/passwd")]), "leads out of the tree"),
        (pax(&[("linkpath", b".git/hooks/pre-commit")]), "is git's own"),
        (pax(&[("path", long.as_bytes())]), "is longer than 1024 bytes"),
        (pax(&[("path", b"bad\xff")]), "is not a UTF-8 name"),
        (raw_name(b"bad\xff\xfe"), "\"bad\\xff\\xfe\" is not a UTF-8 name"),
        (raw_name(b"a//b"), "holds an empty part"),
        (raw_name(b"a/./b"), "holds a . part"),
        (raw_name(b"C:\\x"), "holds a backslash"),
        (zip_of(&[(&long, b"", 0o644)]), "is longer than 1024 bytes"),
        (zip_of(&[("/x", b"", 0o644)]), "is absolute"),
        (zip_of(&[("a/../../x", b"", 0o644)]), "climbs out with .."),
        (zip_of(&[("l", b"../x", 0o120_777)]), "leads out of the tree"),
    ];
    for (archive, expected) in cases {
        let said = refusal(&archive);
        assert!(said.contains(expected) && said.len() < 1_000, "{said:?} instead of {expected:?}");
        if archive.starts_with(b"PK") {
            continue;
        }
        assert_eq!(refusal(&gz(&archive)), said);
    }
    // The name of a zip is in no encoding unless it says so.
    let mut odd = zip_of(&[("odd", b"", 0o644)]);
    while let Some(at) = odd.windows(3).position(|three| three == b"odd") {
        odd[at..at + 3].copy_from_slice(b"\xffdd");
    }
    assert!(refusal(&odd).contains("is not a UTF-8 name"), "{}", refusal(&odd));
}

#[test]
fn bombs_end_at_the_limits() {
    let zeros = vec![0; 100 << 20];
    let big = "all files together hold more than 10000 bytes";
    let folders: Vec<String> = (0..5_000).map(|number| format!("d{number}/")).collect();
    let many: Vec<_> = folders.iter().map(|name| (name.as_str(), Directory, &b""[..], 0o755)).collect();
    let many_in_zip: Vec<_> = folders.iter().map(|name| (name.as_str(), &b""[..], 0o755)).collect();
    let cases = [
        ("100 MiB of zeros in a tar.gz", gz(&tar_of(&[("z", Regular, &zeros, 0o644)])), big),
        ("the same twice over", gz(&gz(&tar_of(&[("z", Regular, &zeros, 0o644)]))), "the archive is damaged"),
        ("zeros after the end", gz(&[tar_of(&[("a", Regular, b"", 0o644)]), zeros.clone()].concat()), ""),
        (
            "zeros in a folder that is left out",
            gz(&tar_of(&[(".git/z", Regular, &zeros, 0o644)])),
            "it unpacks to more",
        ),
        ("a hole", sparse(), big),
        ("one content under many names", overlapping(), big),
        ("many folders", gz(&tar_of(&many)), "too many entries; the limit is 10 files"),
        ("many folders in a zip", zip_of(&many_in_zip), "too many entries; the limit is 10 files"),
    ];
    for (name, archive, expected) in cases {
        assert!(archive.len() < 2 << 20 || name == "many folders", "{name} is small: {}", archive.len());
        match import_archive(&archive, LIMITS, false) {
            Err(error) => {
                let said = error.to_string();
                assert!(!expected.is_empty() && said.contains(expected), "{name}: {said}");
            }
            // What follows the end is not looked at.
            Ok(imported) => assert_eq!((expected, shown(&imported.tree).len()), ("", 1), "{name}"),
        }
    }
}

#[test]
fn names_that_differ_in_case_are_kept_and_told() {
    let alike = [("README", b"1"), ("docs/A.md", b"2"), ("docs/a.md", b"3"), ("readme", b"4")];
    let note = |a: &str, b: &str| {
        format!("{a} and {b} differ in case only: where names ignore case, one of them is lost")
    };
    let notes = [note("README", "readme"), note("docs/A.md", "docs/a.md")];
    let tar: Vec<Entry<'_>> = alike.iter().map(|(name, text)| (*name, Regular, &text[..], 0o644)).collect();
    let zip: Vec<_> = alike.iter().map(|(name, text)| (*name, &text[..], 0o644)).collect();
    let dir = tempfile::tempdir().unwrap();
    alike.iter().for_each(|(name, text)| write(dir.path(), name, &text[..], 0o644));
    for imported in [
        import_archive(&tar_of(&tar), LIMITS, false).unwrap(),
        import_archive(&zip_of(&zip), LIMITS, false).unwrap(),
        import_folder(dir.path(), LIMITS).unwrap(),
    ] {
        let mut said = imported.notes.clone();
        said.sort();
        assert_eq!((imported.tree.len(), said), (4, notes.to_vec()));
    }
}

#[test]
fn gits_own_folder_is_left_out_under_every_name() {
    let names = [".git/hooks/x", "a/.GIT/x", "b/.git./x", "GIT~1/x", "c/.g\u{200d}it/x", ".git:x/y"];
    let mut tar: Vec<Entry<'_>> = names.iter().map(|name| (*name, Regular, &b"x"[..], 0o755)).collect();
    tar.push((".gitignore", Regular, b"kept", 0o644));
    let imported = import_archive(&tar_of(&tar), LIMITS, false).unwrap();
    assert_eq!(shown(&imported.tree), ["- .gitignore: kept"]);
}

#[test]
fn a_folder_deeper_than_any_path_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("d/".repeat(700))).unwrap();
    let said = import_folder(dir.path(), LIMITS).unwrap_err().to_string();
    assert!(said.contains("is longer than 1024 bytes"), "{said}");
}

/// Runs git with this on its standard input.
fn git_with(dir: &Path, arguments: &[&str], input: &[u8]) -> String {
    let mut git = Command::new("git");
    git.current_dir(dir).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = git.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{arguments:?}");
    said.trim().to_owned()
}

#[test]
fn hostile_repositories_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    git(at, &["init", "-q"]);
    let blob = git_with(at, &["hash-object", "-w", "--stdin"], b"x");
    let tree = |entries: &[&[u8]]| git_with(at, &["mktree", "-z"], &entries.join(&b"\0"[..]));
    let file = |name: &[u8]| [format!("100644 blob {blob}\t").as_bytes(), name].concat();
    let folder = |name: &str, tree: &str| format!("040000 tree {tree}\t{name}").into_bytes();
    // Ten folders of ten folders of …: ten billion files in ten objects.
    let mut bomb = tree(&[&file(b"f")]);
    for _ in 0..10 {
        let all: Vec<_> = (0..10).map(|number| folder(&format!("d{number}"), &bomb)).collect();
        bomb = tree(&all.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    let zeros = git_with(at, &["hash-object", "-w", "--stdin"], &vec![0; 50 << 20]);
    let hooks = tree(&[&folder("hooks", &tree(&[&file(b"pre-commit")]))]);
    let cases = [
        (bomb, "too large at the revision: too many folders and files to look at"),
        (
            tree(&[format!("100644 blob {zeros}\tz").as_bytes()]),
            "too large at \"z\": all files together hold",
        ),
        (tree(&[&folder("..", &tree(&[&file(b"escape")]))]), "\"../escape\" can't be in a tree"),
        (tree(&[&file(b"bad\xff")]), "\"bad\\xff\" is not a UTF-8 name"),
        (tree(&[&file(&[b'n'; 3_000])]), "can't be in a tree: invalid path"),
    ];
    for (revision, expected) in cases {
        let said = import_git(at, &revision, &soon(), LIMITS)
            .map(|imported| shown(&imported.tree))
            .unwrap_err()
            .to_string();
        assert!(said.contains(expected) && said.len() < 1_000, "{said:?} instead of {expected:?}");
    }
    let own = import_git(at, &tree(&[&folder(".git", &hooks), &file(b"kept")]), &soon(), LIMITS).unwrap();
    assert_eq!(shown(&own.tree), ["- kept: x"]);
    assert_eq!(own.notes, ["left out .git/hooks/pre-commit"]);
}
