use aiagent_host::workspace::{Limits, Mode, Tree, TreePath, import_archive, in_git_folder, to_tar_gz};

const LIMITS: Limits = Limits { bytes: 64 << 10, files: 50 };

/// Whatever an archive holds, the tree is within its limits, and packs and unpacks to itself.
///
/// # Panics
/// Where it does not.
pub fn archive(data: &[u8]) {
    for strip in [false, true] {
        match import_archive(data, LIMITS, strip) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(imported) => {
                check(&imported.tree);
                let packed = to_tar_gz(&imported.tree).expect("a tree packs");
                let again = import_archive(&packed, LIMITS, false).expect("what we pack, we read");
                assert_eq!(again.tree, imported.tree);
                assert!(again.notes.is_empty(), "{:?}", again.notes);
            }
        }
    }
}

fn check(tree: &Tree) {
    assert!(tree.len() <= LIMITS.files && tree.bytes() <= LIMITS.bytes);
    assert_eq!(tree.bytes(), tree.iter().map(|(_, file)| file.blob.bytes().len() as u64).sum::<u64>());
    for (path, file) in tree.iter() {
        assert_eq!(TreePath::parse(path.as_str()).as_ref(), Ok(path));
        assert!(!in_git_folder(path.as_str()), "{path}");
        for (at, _) in path.as_str().match_indices('/') {
            assert!(tree.get(&path.as_str()[..at]).is_none(), "{path} is below a file");
        }
        if file.mode == Mode::Link {
            let target = std::str::from_utf8(file.blob.bytes()).expect("a link's target is text");
            assert!(stays_inside(path.as_str(), target), "{path} -> {target}");
        }
    }
}

fn stays_inside(path: &str, target: &str) -> bool {
    let mut depth = path.matches('/').count();
    !target.starts_with('/')
        && target.split('/').all(|part| match part {
            ".." => depth.checked_sub(1).map(|above| depth = above).is_some(),
            "" | "." => true,
            _ => {
                depth += 1;
                true
            }
        })
}
