//! The plugins of this repository, as `make build` leaves them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use aiagent_host::plugin::{Overrides, Runtime, Settings};

/// One runtime for all tests, on a tokio runtime that outlives each of them. What it compiles stays in
/// a cache below the target folder, as check-python takes seconds.
static STARTED: LazyLock<(tokio::runtime::Runtime, Runtime)> = LazyLock::new(|| {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let tokio = tokio.expect("a tokio runtime");
    let runtime = tokio.block_on(Runtime::start(settings())).expect("the runtime starts");
    (tokio, runtime)
});

pub(crate) fn settings() -> Settings {
    let granted = Overrides { exec: true, ..Overrides::default() };
    Settings {
        dirs: vec![folder()],
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
        max_calls: Some(16),
        plugins: [("check-command".to_owned(), granted)].into(),
        ..Settings::default()
    }
}

pub(crate) fn runtime() -> &'static Runtime {
    &STARTED.1
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    STARTED.0.block_on(future)
}

fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target folder");
    let folder = target.join("plugins");
    assert!(
        folder.join("check-python.wasm").is_file(),
        "no plugins in {}: `make build` (or plugins/build.sh) makes them",
        folder.display()
    );
    folder
}
