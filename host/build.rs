//! The version that `--version` prints: ours, the commit where git knows it, and the engine's.

use std::path::Path;
use std::process::Command;

fn main() {
    // Not `../.git/HEAD`: in a worktree that does not exist, and what does not exist is always new.
    let head = Command::new("git").args(["rev-parse", "--git-path", "HEAD"]).output();
    if let Ok(head) = head.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        && Path::new(&head).is_file()
    {
        println!("cargo::rerun-if-changed={head}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    // The page is embedded as it was built last; a build without one is fine.
    println!("cargo::rerun-if-changed=../frontend/dist");
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit = match commit {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "unknown commit".to_owned(),
    };
    let lock = std::fs::read_to_string("../Cargo.lock").unwrap_or_default();
    let engine = lock
        .split("[[package]]")
        .find(|package| package.contains("name = \"wasmtime\"\n"))
        .and_then(|package| package.split("version = \"").nth(1)?.split('"').next())
        .unwrap_or("unknown");
    let version = env!("CARGO_PKG_VERSION");
    println!("cargo::rustc-env=AIAGENT_VERSION={version} ({commit}, wasmtime {engine})");
}
