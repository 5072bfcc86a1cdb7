//! What is served, what is refused, and what the operator is told.

use std::os::unix::fs::PermissionsExt as _;

use aiagent_host::plugin::{Failure, Kind, Overrides, Refused, inspect};

use crate::guest::{Folder, guest, module, source};
use crate::outside::{Model, World};

/// A component whose surface is right or wrong as told; there is nothing inside.
fn hollow(import: &str, export: &str) -> Vec<u8> {
    let import = if import.is_empty() { String::new() } else { format!(r#"(import "{import}" (instance))"#) };
    let text = format!(r#"(component {import} (instance $i) (export "{export}" (instance $i)))"#);
    wat::parse_str(text).expect("a component")
}

/// A builder that uses a proposal the sandbox leaves off.
fn using(feature: &str) -> Vec<u8> {
    module("builder", &format!("{}\n{feature}", source("noop")))
}

#[tokio::test]
async fn a_refused_file_says_why_and_what_to_do_and_the_rest_is_served() {
    let builder = "aiagent:step/build-step@0.1.0";
    let noop = guest("builder", "noop");
    let bare = wat::parse_str("(module)").expect("a module");
    let cases: [(&str, Vec<u8>, &str, &str); 12] = [
        (
            "text",
            b"#!/bin/sh\n".to_vec(),
            "not WebAssembly: it begins with \"#!/bin/s\"",
            "put a WebAssembly component",
        ),
        ("empty", Vec::new(), "truncated: only 0 bytes", "copy the file again"),
        (
            "half",
            noop[..noop.len() / 2].to_vec(),
            "truncated: the file ends within a section",
            "copy the file again",
        ),
        ("bare", bare, "a core module that does not say which world", "build it with wit-bindgen"),
        (
            "world",
            hollow("", "wasi:cli/run@0.2.0"),
            "exports no step: it exports wasi:cli/run@0.2.0",
            "target one of the worlds",
        ),
        (
            "version",
            hollow("", "aiagent:step/build-step@0.2.0"),
            "aiagent:step/build-step@0.2.0 is of another version",
            "build it against aiagent:step@0.1.0",
        ),
        (
            "http",
            hollow("wasi:http/outgoing-handler@0.2.0", builder),
            "imports wasi:http/outgoing-handler@0.2.0: a plugin has no network",
            "build the plugin without it",
        ),
        (
            "unknown",
            hollow("acme:disk/all@1.0.0", builder),
            "imports acme:disk/all@1.0.0: the host does not offer it",
            "build the plugin without it",
        ),
        (
            "asking",
            hollow("aiagent:step/model@0.1.0", "aiagent:step/check-step@0.1.0"),
            "imports aiagent:step/model@0.1.0: a checker can't ask a model",
            "build the plugin without it",
        ),
        (
            "shell",
            guest("builder", "exec"),
            "imports aiagent:step/exec@0.1.0, which nobody granted it",
            "add to aiagent.toml: [plugins.shell] exec = true",
        ),
        ("hollow", hollow("", builder), "does not fit the contract", "as published in wit/"),
        ("two words", noop.clone(), "\"two words\" can't be a plugin's name", "rename the file"),
    ];
    let mut folder = Folder::new().with("good", &noop);
    for (name, bytes, ..) in &cases {
        folder = folder.with(name, bytes);
    }
    let runtime = folder.start().await;
    let catalog = runtime.catalog();
    for (name, _, reason, remedy) in &cases {
        let file = folder.file(name);
        let refused = catalog.refused.iter().find(|refused| refused.file == file);
        let Refused { reason: said, remedy: advised, .. } =
            refused.unwrap_or_else(|| panic!("{name} was not refused"));
        assert!(said.starts_with(reason), "{name}: {said}");
        assert!(advised.contains(remedy), "{name}: {advised}");
    }
    assert_eq!(catalog.refused.len(), cases.len());
    assert_eq!(runtime.build("good", World::new(Model::Never).call()).await.result, Ok("done".to_owned()));
}

/// The engine's configuration, read back by what it refuses.
#[tokio::test]
async fn proposals_that_are_off_are_refused() {
    let folder = Folder::new()
        .with("threads", using("(memory $shared 1 1 shared)"))
        .with("gc", using("(type $s (struct (field i32)))"))
        .with("exceptions", using("(tag $t)"))
        .with("memory64", using("(table $wide i64 1 funcref)"))
        .with("stack-switching", using("(type $f (func)) (type $c (cont $f))"))
        .with("simd", using("(func (drop (v128.const i64x2 0 0)))"));
    let catalog = folder.start().await.catalog();
    assert_eq!(catalog.loaded.iter().map(|loaded| loaded.name.as_str()).collect::<Vec<_>>(), ["simd"]);
    let reasons: Vec<_> = catalog.refused.iter().map(|refused| refused.reason.as_str()).collect();
    for words in ["threads", "gc", "exceptions", "memory64", "stack"] {
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:#?}");
    }
    assert_eq!(reasons.len(), 5);
}

/// What processors do each in their own way, done in the specification's: x86 makes a negative NaN of
/// 0 / 0, and the smallest integer of a NaN.
#[tokio::test]
async fn arithmetic_has_the_same_bits_everywhere() {
    let look = "
        (global $zero (mut f32) (f32.const 0))
        (func $look (local $nan f32)
            (local.set $nan (f32.div (global.get $zero) (global.get $zero)))
            (if (i32.ne (i32.reinterpret_f32 (local.get $nan)) (i32.const 0x7fc00000)) (then unreachable))
            (if (i32x4.extract_lane 0 (i32x4.relaxed_trunc_f32x4_s (f32x4.splat (local.get $nan))))
                (then unreachable)))
        (start $look)";
    let runtime = Folder::new().with("bits", using(look)).start().await;
    assert_eq!(runtime.catalog().refused.len(), 0, "{:?}", runtime.catalog().refused);
    assert_eq!(runtime.build("bits", World::new(Model::Never).call()).await.result, Ok("done".to_owned()));
}

#[tokio::test]
async fn exec_is_granted_by_name() {
    let granted = Overrides { exec: true, ..Overrides::default() };
    let folder = Folder::new().with("shell", guest("builder", "exec")).set("shell", granted);
    let catalog = folder.start().await.catalog();
    assert_eq!(catalog.refused.len(), 0);
    let import = &catalog.find("shell").expect("it is loaded").imports;
    assert!(import.iter().any(|import| import.name == "aiagent:step/exec@0.1.0" && import.granted));
}

#[tokio::test]
async fn a_name_belongs_to_the_first_folder() {
    let first = Folder::new().with("noop", guest("builder", "noop"));
    let second = Folder::new().with("noop", guest("fixer", "rebuild"));
    let mut both = first;
    both.settings.dirs.push(second.dir.path().to_owned());
    let catalog = both.start().await.catalog();
    assert_eq!(catalog.find("noop").map(|noop| noop.kind), Some(Kind::Builder));
    assert!(catalog.refused[0].reason.starts_with("another plugin is called \"noop\" already"));
}

#[tokio::test]
async fn a_reload_swaps_and_a_bad_file_leaves_the_old_plugin_serving() {
    let folder = Folder::new().with("step", guest("builder", "ask"));
    let runtime = folder.start().await;
    let before = runtime.catalog();
    let call = || World::new(Model::Says("asked")).call();

    folder.put("step", "garbage");
    let after = runtime.reload().await.expect("the folder is there");
    assert_eq!(after.generation, before.generation + 1);
    assert_eq!(after.refused[0].still_serving.as_ref(), before.find("step").map(|step| &step.digest));
    assert_eq!(runtime.build("step", call()).await.result, Ok("asked".to_owned()));

    folder.put("step", guest("builder", "noop"));
    let after = runtime.reload().await.expect("the folder is there");
    assert_eq!(after.refused.len(), 0);
    assert_eq!(runtime.build("step", call()).await.result, Ok("done".to_owned()));

    std::fs::remove_file(folder.file("step")).expect("it was there");
    runtime.reload().await.expect("the folder is there");
    assert_eq!(runtime.build("step", call()).await.result, Err(Failure::Missing("step".into())));
}

#[tokio::test]
async fn compiled_code_is_kept_where_only_the_service_can_write() {
    let cache = tempfile::tempdir().expect("a folder");
    let mut folder = Folder::new().with("noop", guest("builder", "noop"));
    folder.settings.cache_dir = Some(cache.path().join("compiled"));
    folder.start().await;
    let meta = std::fs::metadata(cache.path().join("compiled")).expect("it was made");
    assert_eq!(meta.permissions().mode() & 0o777, 0o700);
    let runtime = folder.start().await;
    assert_eq!(runtime.build("noop", World::new(Model::Never).call()).await.result, Ok("done".to_owned()));
}

#[test]
fn a_file_is_inspected_without_running_it() {
    let folder = Folder::new().with("shell", guest("builder", "exec"));
    let seen = inspect(&folder.file("shell"), &folder.settings).expect("it can be read");
    assert_eq!((seen.kind, seen.component), (Some(Kind::Builder), false));
    assert_eq!(seen.contract.as_deref(), Some("aiagent:step@0.1.0"));
    let exec = seen.imports.iter().find(|import| import.name == "aiagent:step/exec@0.1.0");
    assert!(exec.is_some_and(|exec| !exec.granted));
    assert!(seen.refusal.is_some_and(|(_, remedy)| remedy.contains("[plugins.shell] exec = true")));
}
