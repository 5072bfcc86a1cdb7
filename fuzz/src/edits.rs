use aiagent_host::workspace::{ApplyError, Blob, Edit, Globs, Limits, Mode, Tree, TreePath};

/// Between two fields.
const END: u8 = 0x1e;

const LIMITS: Limits = Limits { bytes: 256 << 10, files: 20 };

/// Fields, the first one the text of `a`, then three for each edit: path, search, replacement, where an
/// empty search means the whole file and a missing replacement its removal. All edits apply or none does,
/// as they would one by one, and nothing protected changes.
///
/// # Panics
/// Where it is not so.
pub fn edits(data: &[u8]) {
    let mut fields = data.split(|byte| *byte == END).map(|field| String::from_utf8_lossy(field).into_owned());
    let text = fields.next().unwrap_or_default();
    let mut edits = Vec::new();
    while let Some(path) = fields.next().filter(|_| edits.len() < 20) {
        edits.push(match (fields.next(), fields.next()) {
            (Some(search), Some(replace)) if search == "*" => Edit::Whole { path, content: replace },
            (Some(search), Some(replace)) => Edit::Replace { path, search, replace },
            _ => Edit::Remove { path },
        });
    }
    let Some(before) = tree(&text) else { return };
    let protected = Globs::new(["tests/**", "*.lock"]).expect("globs");
    let mut after = before.clone();
    let result = after.apply(&edits, &protected);
    let mut step_by_step = before.clone();
    let each = edits.iter().all(|edit| step_by_step.apply(std::slice::from_ref(edit), &protected).is_ok());
    match result {
        Ok(()) => {
            // One by one a limit may be passed that all together keep.
            assert!(!each || after == step_by_step);
            assert!(after.len() <= LIMITS.files && after.bytes() <= LIMITS.bytes);
            for path in ["tests/t.py", "link"] {
                // A link may be removed, and a file take its place.
                assert!(after.get(path) == before.get(path) || path == "link", "{path}");
            }
            let added = after.iter().filter(|(path, _)| before.get(path.as_str()).is_none());
            for (path, _) in added {
                assert!(protected.matching(path.as_str()).is_none(), "{path}");
            }
        }
        Err(error) => {
            assert_eq!(after, before);
            if let ApplyError::Rejected(rejected) = &error {
                assert!(!each && !rejected.is_empty());
                for rejection in rejected {
                    assert!(!rejection.reason.is_empty() && rejection.nearest.len() <= 8 << 10);
                    assert_eq!(rejection.path, edits[rejection.index as usize].path());
                }
            }
        }
    }
}

/// `None` where the text is larger than a tree.
fn tree(text: &str) -> Option<Tree> {
    let mut tree = Tree::new(LIMITS);
    for (path, bytes, mode) in [
        ("a", text.as_bytes(), Mode::Regular),
        ("d/b", b"one\ntwo\r\nthree", Mode::Executable),
        ("tests/t.py", b"assert True\n", Mode::Regular),
        ("link", b"d/b", Mode::Link),
        ("binary", b"\0\xff", Mode::Regular),
    ] {
        tree.put(TreePath::parse(path).expect("a path"), Blob::new(bytes.to_vec()), Some(mode)).ok()?;
    }
    Some(tree)
}
