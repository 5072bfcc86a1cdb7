use super::*;
use crate::store::MemoryStore;
use crate::workspace::Mode;

fn tree(files: &[(&str, &[u8], Mode)]) -> Tree {
    let mut tree = Tree::new(Limits::default());
    for (path, bytes, mode) in files {
        tree.put(TreePath::parse(path).unwrap(), Blob::new(bytes.to_vec()), Some(*mode)).unwrap();
    }
    tree
}

#[tokio::test]
async fn a_saved_tree_comes_back_the_same() {
    let store = MemoryStore::default();
    let before = tree(&[
        ("a/run", b"#!", Mode::Executable),
        ("b", b"\0\xff\r\n", Mode::Regular),
        ("link", b"b", Mode::Link),
        ("same", b"#!", Mode::Regular),
    ]);
    let name = save(&before, &store, None).await.unwrap();
    assert_eq!(name, before.digest());
    assert_eq!(load(&name, &store, Limits::default()).await.unwrap(), before);

    let base = manifest(&name, &store).await.unwrap();
    let mut after = before.clone();
    after.remove("b").unwrap();
    after.put(TreePath::parse("new").unwrap(), Blob::new("n"), None).unwrap();
    let next = save(&after, &store, Some(&base)).await.unwrap();
    assert_eq!(load(&next, &store, Limits::default()).await.unwrap(), after);
    // A base is believed: nothing of it is stored again, so a store without it lacks the rest.
    let other = MemoryStore::default();
    let partly = save(&after, &other, Some(&base)).await.unwrap();
    let error = load(&partly, &other, Limits::default()).await.unwrap_err().to_string();
    assert!(error.contains("is missing"), "{error}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_it_is_read() {
    let store = MemoryStore::default();
    let name = save(&tree(&[("a", b"12345", Mode::Regular)]), &store, None).await.unwrap();
    let error = load(&name, &store, Limits { bytes: 4, files: 9 }).await.unwrap_err().to_string();
    let expected = format!(
        "snapshot {name}: too large: it holds 5 bytes in 1 files; the limits are 4 bytes and 9 files"
    );
    assert_eq!(error, expected);

    let climbs = br#"{"files":{"../x":{"blob":"BLOB","size":1,"mode":"regular"}}}"#;
    let blob = store.put_blob("x".into()).await.unwrap();
    let climbs = String::from_utf8(climbs.to_vec()).unwrap().replace("BLOB", blob.as_str());
    let name = store.put_blob(climbs.into()).await.unwrap();
    let error = load(&name, &store, Limits::default()).await.unwrap_err().to_string();
    assert!(error.contains("climbs out"), "{error}");
    let error = load(&blob, &store, Limits::default()).await.unwrap_err().to_string();
    assert!(error.contains("is not a manifest"), "{error}");
}

#[test]
fn saving_and_loading_may_move_between_threads() {
    fn is_send<F: Future + Send>(_: F) {}
    let (store, tree) = (MemoryStore::default(), Tree::default());
    is_send(save(&tree, &store, None));
    is_send(load(&tree.digest(), &store, Limits::default()));
}
