//! Guests: core modules in WAT that implement a world's export by the canonical ABI.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use aiagent_host::plugin::{Overrides, Runtime, Settings};
use wit_component::StringEncoding;
use wit_parser::{PackageId, Resolve};

/// The contract, parsed once.
static CONTRACT: LazyLock<(Resolve, PackageId)> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new("../wit")).expect("wit/ parses");
    (resolve, package)
});

/// The text of `host/tests/guests/NAME.wat`.
pub(crate) fn source(name: &str) -> String {
    let path = Path::new("tests/guests").join(format!("{name}.wat"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A core module of that world, as wit-bindgen would leave it: its `$step` is the world's export.
pub(crate) fn module(world: &str, source: &str) -> Vec<u8> {
    module_with(world, source, &[])
}

/// The same with each text in the place of the line `;; @NAME`, in the source or in the frame.
pub(crate) fn module_with(world: &str, source: &str, texts: &[(&str, &str)]) -> Vec<u8> {
    let (resolve, package) = &*CONTRACT;
    assemble(world, source, texts, resolve, *package)
}

fn assemble(
    world: &str,
    source: &str,
    texts: &[(&str, &str)],
    resolve: &Resolve,
    package: PackageId,
) -> Vec<u8> {
    let task = "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 f32 i32 i64";
    let export = |verb: &str, params: &str| {
        format!(
            r#"(func ${verb} (export "aiagent:step/{verb}-step@0.1.0#{verb}") (param {params}) (result i32)
              (global.set $goal (local.get 2)) (global.set $goal-len (local.get 3)) (call $step))"#
        )
    };
    let export = match world {
        "builder" => export("build", &format!("{task} i32 i32")),
        "fixer" => export("fix", &format!("{task} i32 i32")),
        "checker" => export("check", task),
        _ => String::new(),
    };
    let mut text = format!("(module {source}\n{frame}\n{export})", frame = self::source("frame"));
    for (place, deed) in texts {
        text = text.replace(&format!(";; @{place}\n"), &format!("{deed}\n"));
    }
    let mut bytes = wat::parse_str(text).expect("the guest parses");
    let world = resolve.select_world(&[package], Some(world)).expect("a world of the contract");
    wit_component::embed_component_metadata(&mut bytes, resolve, world, StringEncoding::UTF8)
        .expect("the guest fits its world");
    bytes
}

/// `wasi.wat`.
pub(crate) fn wasi() -> Vec<u8> {
    wasi_builder(&source("wasi"))
}

/// A builder that imports WASI, as guests with a standard library do.
pub(crate) fn wasi_builder(source: &str) -> Vec<u8> {
    let (mut resolve, _) = CONTRACT.clone();
    let wit = Path::new("tests/guests/wasi.wit");
    let package = resolve.push_file(wit).expect("wasi.wit parses");
    assemble("builder", source, &[], &resolve, package)
}

/// The guest of that file, for that world.
pub(crate) fn guest(world: &str, name: &str) -> Vec<u8> {
    module(world, &source(name))
}

/// The same plugin under another digest: with a custom section, which means nothing.
pub(crate) fn variant(plugin: &[u8], number: u8) -> Vec<u8> {
    let name = b"variant";
    let size = 2 + name.len() as u8;
    let head = [0, size, name.len() as u8];
    [plugin, &head, name, &[number]].concat()
}

/// A folder of plugins and what the operator says about them.
pub(crate) struct Folder {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) settings: Settings,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        // Many runtimes live side by side in the tests; a full pool each would use up the address space.
        let settings =
            Settings { dirs: vec![dir.path().to_owned()], max_calls: Some(400), ..Settings::default() };
        Self { dir, settings }
    }

    pub(crate) fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.put(name, bytes);
        self
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.file(name), bytes).expect("the plugin is written");
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.wasm"))
    }

    pub(crate) fn set(mut self, name: &str, overrides: Overrides) -> Self {
        self.settings.plugins.insert(name.to_owned(), overrides);
        self
    }

    pub(crate) async fn start(&self) -> Runtime {
        Runtime::start(self.settings.clone()).await.expect("the runtime starts")
    }
}

/// A runtime with this one plugin, named like its file.
pub(crate) async fn serving(world: &str, name: &str) -> Runtime {
    let runtime = Folder::new().with(name, guest(world, name)).start().await;
    assert_eq!(runtime.catalog().refused.len(), 0, "{:?}", runtime.catalog().refused);
    runtime
}
