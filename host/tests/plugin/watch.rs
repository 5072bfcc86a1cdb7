//! The folders are watched: whatever way a file gets there.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use aiagent_host::plugin::{Catalog, Runtime, Watch, What};
use aiagent_host::task::Digest;
use tokio_util::task::AbortOnDropHandle;

use crate::guest::{Folder, guest, variant};

const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(20);

fn watching(runtime: &Runtime, how: Watch) -> AbortOnDropHandle<()> {
    let runtime = runtime.clone();
    AbortOnDropHandle::new(tokio::spawn(async move { runtime.watch(how).await }))
}

/// Waits until the catalog is as wanted.
async fn until(runtime: &Runtime, what: &str, wanted: impl Fn(&Catalog) -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let seen = async {
        while !wanted(&runtime.catalog()) {
            looks.tick().await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(60), seen).await;
    assert!(seen.is_ok(), "{what} did not come: {:#?}", runtime.catalog());
}

fn serves(name: &str, bytes: &[u8]) -> impl Fn(&Catalog) -> bool {
    let (name, digest) = (name.to_owned(), Digest::of(bytes));
    move |catalog| catalog.find(&name).is_some_and(|loaded| loaded.digest == digest)
}

/// By the kernel's word alone, and by looking alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_change_and_go() {
    for how in
        [Watch { quiet: SOON, poll: NEVER, events: true }, Watch { quiet: SOON, poll: SOON, events: false }]
    {
        let noop = guest("builder", "noop");
        let folder = Folder::new();
        let runtime = folder.start().await;
        let _watch = watching(&runtime, how);
        folder.put("step", &noop);
        until(&runtime, "a new file", serves("step", &noop)).await;
        let renamed = variant(&noop, 1);
        let beside = folder.dir.path().join(".step.wasm.part");
        std::fs::write(&beside, &renamed).expect("it is written");
        std::fs::rename(&beside, folder.file("step")).expect("it is renamed");
        until(&runtime, "a renamed file", serves("step", &renamed)).await;
        folder.put("step", "garbage");
        until(&runtime, "a refusal", |catalog| catalog.refused.len() == 1).await;
        assert!(serves("step", &renamed)(&runtime.catalog()));
        std::fs::remove_file(folder.file("step")).expect("it was there");
        until(&runtime, "a removal", |catalog| catalog.loaded.is_empty() && catalog.refused.is_empty()).await;
    }
}

/// Its first half alone would be refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_being_written_is_waited_for() {
    let folder = Folder::new();
    let runtime = folder.start().await;
    let _watch = watching(&runtime, Watch { quiet: Duration::from_secs(2), poll: SOON, events: true });
    let bytes = guest("builder", "noop");
    let (file, content) = (folder.file("step"), bytes.clone());
    let writer = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::create(file).expect("it can be made");
        for piece in content.chunks(content.len().div_ceil(20)) {
            std::io::Write::write_all(&mut file, piece).expect("it is written");
            // A slow copy.
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    until(&runtime, "the file", serves("step", &bytes)).await;
    writer.await.expect("it is done");
    let changes: Vec<_> = runtime.listing().history.iter().map(|change| change.what).collect();
    assert_eq!(changes, [What::Added]);
}

/// As Kubernetes updates a mounted ConfigMap: everything is behind one link, which is renamed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_link_is_one_change() {
    let noop = guest("builder", "noop");
    let folder = Folder::new();
    let dir = folder.dir.path();
    let version = |name: &str, number: u8| {
        std::fs::create_dir(dir.join(name)).expect("it can be made");
        for plugin in ["a", "b"] {
            std::fs::write(dir.join(name).join(plugin), variant(&noop, number)).expect("it is written");
        }
        symlink(name, dir.join("..data_tmp")).expect("it is linked");
        std::fs::rename(dir.join("..data_tmp"), dir.join("..data")).expect("it is renamed");
    };
    version("..one", 1);
    for plugin in ["a", "b"] {
        symlink(Path::new("..data").join(plugin), folder.file(plugin)).expect("it is linked");
    }
    let runtime = folder.start().await;
    assert_eq!((runtime.catalog().generation, runtime.catalog().loaded.len()), (1, 2));
    let _watch = watching(&runtime, Watch { quiet: SOON, poll: SOON, events: true });
    version("..two", 2);
    std::fs::remove_dir_all(dir.join("..one")).expect("it was there");
    let new = variant(&noop, 2);
    until(&runtime, "the new version", serves("a", &new)).await;
    assert!(serves("b", &new)(&runtime.catalog()));
    assert_eq!(runtime.catalog().generation, 2);
}
