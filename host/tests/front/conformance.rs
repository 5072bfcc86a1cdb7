//! `plugins test` on plugins that break the contract: each is found, and told what to do.

use serde_json::Value;

use crate::guest::{module, source};
use crate::test_host::{Setup, plugins};

/// A checker that says green without looking.
const BLIND: &str = "(func $step (result i32)
    (call $report (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 0)))";

#[tokio::test]
async fn what_breaks_the_contract_is_found() {
    let noop = "says that it did something, but no file has changed";
    let cases = [
        ("builder", source("noop"), "works", noop),
        ("builder", source("unreachable"), "works", "it trapped: wasm `unreachable` instruction executed"),
        ("builder", source("spin"), "works", "it used up its compute budget of 200 ms"),
        ("builder", source("grow"), "works", "it wanted more than its"),
        ("builder", source("ask"), "model-errors", "it returns \"no completion\" instead"),
        ("fixer", source("rebuild"), "unknown-setting", "takes the setting no-such-setting without a word"),
        ("checker", BLIND.to_owned(), "nothing-to-check", "a tree without a file passes"),
    ];
    let setup = Setup::new().set("plugins.guest.compute_ms", 200);
    for (world, guest, name, what) in cases {
        setup.file("guest.wasm", module(world, &guest));
        let said = setup.run(["plugins", "test", "guest.wasm", "--json"]).await;
        assert_eq!(said.code, 1, "{what}: {}{}", said.out, said.err);
        let findings: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(findings["conforms"], false, "{what}");
        let checks = findings["checks"].as_array().expect("a list");
        let failed = checks.iter().find(|check| check["name"] == name).expect("that check");
        let found = failed["what"].as_str().unwrap_or_default();
        assert!(found.contains(what), "{what}: {failed:#}");
        assert!(failed["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{what}: {failed:#}");
    }
}

#[tokio::test]
async fn a_file_that_the_host_refuses_is_told_why() {
    let setup = Setup::new();
    setup.file("text.wasm", "hello");
    let said = setup.run(["plugins", "test", "text.wasm"]).await;
    let expected = "\
✗ loads            not WebAssembly: it begins with \"hello\"
                   put a WebAssembly component there, or remove the file
text does not conform: 1 check failed
";
    assert_eq!((said.code, said.out.as_str()), (1, expected), "{}", said.err);
    let builder = plugins().join("builder.wasm").display().to_string();
    let said = setup.run(["plugins", "test", &builder, "--answer", "nowhere.txt"]).await;
    assert_eq!(said.code, 2, "{}", said.out);
    assert_eq!(said.err, "error: can't read nowhere.txt: No such file or directory (os error 2)\n");
}
