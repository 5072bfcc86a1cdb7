//! `aiagent-host plugins`, and what is refused at load.

use serde_json::{Value, json};

use crate::test_host::{Setup, json, plugins};

#[tokio::test]
async fn list_names_what_is_loaded_and_what_is_not() {
    let setup = Setup::new();
    setup.file("more/broken.wasm", "hello");
    let more = plugins().display().to_string();
    let setup = setup.set("plugins_dir", vec![more, "more".to_owned()]);
    let said = setup.run(["plugins", "list"]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    eprintln!("{}", said.out);
    let first = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = said.out.lines().map(first).collect();
    assert_eq!(
        lines[..5],
        [
            "adapter-anthropic adapter",
            "adapter-openai adapter",
            "builder builder",
            "check-python checker",
            "fixer fixer"
        ]
    );
    assert!(
        said.out.contains("refused more/broken.wasm: not WebAssembly: it begins with \"hello\"\n"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("check-command.wasm: imports aiagent:step/exec@0.1.0, which nobody granted it\n"),
        "{}",
        said.out
    );
    let said = setup.run(["plugins", "list", "--json"]).await;
    let catalog: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(catalog["loaded"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_file_that_is_not_the_one_the_operator_named_is_refused() {
    let named = |plugin: &str| {
        let bytes = std::fs::read(plugins().join(format!("{plugin}.wasm"))).expect("it is built");
        aiagent_host::task::Digest::of(&bytes)
    };
    let (builder, fixer) = (named("builder"), named("fixer"));
    let hex = builder.as_str().trim_start_matches("sha256:").to_owned();
    let setup = Setup::new().set("plugins.builder.sha256", hex).set("plugins.fixer.sha256", builder.as_str());
    let said = setup.run(["plugins", "list", "--json"]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let catalog: Value = serde_json::from_str(&said.out).expect("JSON");
    let loaded: Vec<_> =
        catalog["loaded"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(loaded, ["adapter-anthropic", "adapter-openai", "builder", "check-python"]);
    let refused = catalog["refused"].as_array().expect("a list");
    let refused = refused.iter().find(|one| one["digest"] == fixer.as_str()).expect("the fixer");
    assert_eq!(refused["reason"], format!("is {fixer}, and only {builder} may be loaded as fixer"));
    let remedy = refused["remedy"].as_str().expect("text");
    assert!(remedy.ends_with(&format!("[plugins.fixer] sha256 = \"{fixer}\"")), "{remedy}");
}

#[tokio::test]
async fn a_checksum_that_is_none_is_a_configuration_error() {
    let said = Setup::new().set("plugins.fixer.sha256", "abc").run(["plugins", "list"]).await;
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: plugins.fixer.sha256: sha256:abc is no digest; "), "{}", said.err);
}

#[tokio::test]
async fn inspect_says_what_a_file_asks_for() {
    let setup = Setup::new();
    let file = plugins().join("builder.wasm").display().to_string();
    let said = setup.run(["plugins", "inspect", &file]).await;
    eprintln!("{}", said.out);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines[0], "builder  builder");
    assert!(lines.contains(&"  contract  aiagent:step@0.1.0"), "{}", said.out);
    let said = setup.run(["plugins", "inspect", &file, "--json"]).await;
    let inspection: Value = serde_json::from_str(&said.out).expect("JSON");
    let imports: Vec<_> = inspection["imports"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|import| (&import["name"], &import["granted"]))
        .collect();
    for name in ["workspace", "model", "log"] {
        assert!(
            imports.contains(&(&json!(format!("aiagent:step/{name}@0.1.0")), &json!(true))),
            "{imports:?}"
        );
    }
}

#[tokio::test]
async fn check_refuses_what_the_host_would() {
    let setup = Setup::new();
    let real = std::fs::read(plugins().join("builder.wasm")).expect("it is built");
    let builder = "aiagent:step/build-step@0.1.0";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "not wasm",
            b"hello".to_vec(),
            "not WebAssembly: it begins with \"hello\"\n  put a WebAssembly component there, or remove the file\n",
        ),
        (
            "truncated wasm",
            real[..100_000].to_vec(),
            "truncated: the file ends within a section, at byte 100000\n  copy the file again; write it under another name, then rename it\n",
        ),
        (
            "an empty file",
            Vec::new(),
            "truncated: only 0 bytes\n  copy the file again; write it under another name, then rename it\n",
        ),
        (
            "a bare core module",
            wat::parse_str("(module)").expect("a module"),
            "a core module that does not say which world it targets\n  build it with wit-bindgen, which embeds the world, or run `wasm-tools component embed`\n",
        ),
        (
            "a component of another world",
            hollow("", "other:world/run@1.0.0"),
            "exports no step: it exports other:world/run@1.0.0\n  target one of the worlds builder, fixer, checker, adapter of aiagent:step\n",
        ),
        (
            "an ungranted import",
            hollow("aiagent:step/exec@0.1.0", builder),
            "imports aiagent:step/exec@0.1.0, which nobody granted it\n  if you trust it with native commands, add to aiagent.toml: [plugins.plugin] exec = true\n",
        ),
        (
            "a network",
            hollow("wasi:http/outgoing-handler@0.2.0", builder),
            "imports wasi:http/outgoing-handler@0.2.0: a plugin has no network; ask the model through aiagent:step/model\n  build the plugin without it\n",
        ),
    ];
    for (name, bytes, reason) in cases {
        setup.file("plugin.wasm", bytes);
        let said = setup.run(["plugins", "check", "plugin.wasm"]).await;
        eprintln!("{name}: {}", said.out);
        assert_eq!(
            (said.code, said.out, said.err.as_str()),
            (1, format!("✗ plugin.wasm: {reason}"), ""),
            "{name}"
        );
    }
    let good = plugins().join("builder.wasm");
    let said = setup.run(["plugins".as_ref(), "check".as_ref(), good.as_os_str()]).await;
    assert_eq!((said.code, said.out.as_str()), (0, "✓ builder is a builder the host would load\n"));
    let said = setup.run(["plugins", "check", "nowhere.wasm"]).await;
    assert_eq!(
        (said.code, said.err.as_str()),
        (2, "error: can't read nowhere.wasm: No such file or directory (os error 2)\n")
    );
}

/// A component whose surface is as told; there is nothing inside.
fn hollow(import: &str, export: &str) -> Vec<u8> {
    let import = if import.is_empty() { String::new() } else { format!(r#"(import "{import}" (instance))"#) };
    let text = format!(r#"(component {import} (instance $i) (export "{export}" (instance $i)))"#);
    wat::parse_str(text).expect("a component")
}

#[tokio::test]
async fn the_api_lists_plugins_and_pipelines() {
    let host = Setup::new().set("pipelines.careful.candidates", 3).start().await;
    let (_, catalog) = json(host.get("/api/v1/plugins")).await;
    let loaded = catalog["loaded"].as_array().expect("a list").iter();
    let loaded: Vec<_> =
        loaded.map(|plugin| format!("{} {}", plugin["name"], plugin["kind"]).replace('"', "")).collect();
    assert_eq!(
        loaded,
        [
            "adapter-anthropic adapter",
            "adapter-openai adapter",
            "builder builder",
            "check-python checker",
            "fixer fixer"
        ]
    );
    let refused = catalog["refused"].as_array().expect("a list").iter();
    let refused: Vec<_> = refused.map(|refused| (&refused["reason"], &refused["remedy"])).collect();
    let reason = json!("imports aiagent:step/exec@0.1.0, which nobody granted it");
    let remedy =
        "if you trust it with native commands, add to aiagent.toml: [plugins.check-command] exec = true";
    assert_eq!(refused, [(&reason, &json!(remedy))]);
    let (_, pipelines) = json(host.get("/api/v1/pipelines")).await;
    assert_eq!(pipelines["default"], json!("default"));
    let names: Vec<_> = pipelines["pipelines"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["name"], &one["candidates"]))
        .collect();
    assert_eq!(names, [(&json!("careful"), &json!(3)), (&json!("default"), &json!(1))]);
}
