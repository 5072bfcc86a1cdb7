//! What lies in `host/templates` and `wit`, and where it goes in a project.

use super::Language;
use crate::plugin::Kind;

/// A path in the project, and the text.
type File = (&'static str, &'static str);

/// Pairs of a path in the project and the text of a file of `host/templates`.
macro_rules! files {
    ($($path:literal: $($from:literal)+),* $(,)?) => {
        vec![$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $($from),+)))),*]
    };
}

/// Likewise, from the folder of a kind.
macro_rules! by_kind {
    ($kind:expr, $language:literal: $($path:literal: $from:literal),* $(,)?) => {
        match $kind {
            Kind::Builder => files![$($path: $language "/builder/" $from),*],
            Kind::Fixer => files![$($path: $language "/fixer/" $from),*],
            Kind::Checker => files![$($path: $language "/checker/" $from),*],
            Kind::Adapter => files![$($path: $language "/adapter/" $from),*],
        }
    };
}

macro_rules! contract {
    ($($file:literal),*) => {
        vec![$((
            concat!("wit/deps/aiagent-step/", $file),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/", $file)),
        )),*]
    };
}

pub(super) fn of(language: Language, kind: Kind) -> Vec<File> {
    let asks = matches!(kind, Kind::Builder | Kind::Fixer);
    let mut files = files!["README.md": "README.md"];
    files.extend(match language {
        Language::Rust => rust(kind, asks),
        Language::Python => python(kind, asks),
        Language::JavaScript => javascript(kind, asks),
    });
    if kind == Kind::Adapter {
        files.extend(files!["tests/answer.ndjson": "adapter/answer.ndjson"]);
    }
    files.extend(match kind {
        Kind::Builder => files!["wit/world.wit": "wit/builder.wit"],
        Kind::Fixer => files!["wit/world.wit": "wit/fixer.wit"],
        Kind::Checker => files!["wit/world.wit": "wit/checker.wit"],
        Kind::Adapter => files!["wit/world.wit": "wit/adapter.wit"],
    });
    files.extend(contract![
        "adapter.wit",
        "check.wit",
        "exec.wit",
        "model.wit",
        "types.wit",
        "workspace.wit",
        "worlds.wit"
    ]);
    files
}

fn rust(kind: Kind, asks: bool) -> Vec<File> {
    let mut files = files![
        ".gitignore": "rust/gitignore",
        "Cargo.toml": "rust/Cargo.toml",
        "build.sh": "rust/build.sh",
    ];
    if asks {
        files.extend(files!["src/answer.rs": "rust/answer.rs"]);
    }
    files.extend(by_kind![kind, "rust":
        "src/lib.rs": "lib.rs",
        "src/plugin.rs": "plugin.rs",
        "tests/logic.rs": "logic.rs",
    ]);
    files
}

fn python(kind: Kind, asks: bool) -> Vec<File> {
    let mut files = files![".gitignore": "python/gitignore", "build.sh": "python/build.sh"];
    if asks {
        files.extend(files!["src/answer.py": "python/answer.py"]);
    }
    if kind == Kind::Adapter {
        files.extend(files!["src/model_adapter.py": "python/adapter/model_adapter.py"]);
    }
    files.extend(by_kind![kind, "python":
        "src/logic.py": "logic.py",
        "src/plugin.py": "plugin.py",
        "tests/test_logic.py": "test_logic.py",
    ]);
    files
}

fn javascript(kind: Kind, asks: bool) -> Vec<File> {
    let mut files = files![
        ".gitignore": "javascript/gitignore",
        "package.json": "javascript/package.json",
        "build.mjs": "javascript/build.mjs",
        "build.sh": "javascript/build.sh",
    ];
    if asks {
        files.extend(files!["src/answer.js": "javascript/answer.js"]);
    }
    files.extend(by_kind![kind, "javascript":
        "src/logic.js": "logic.js",
        "src/plugin.js": "plugin.js",
        "tests/logic.test.js": "logic.test.js",
    ]);
    files
}
