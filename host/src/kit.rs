//! The conformance kit: one plugin against the contract, on the real runtime, with a scripted outside.
//!
//! Invariant: nothing outside is reached; no model, no command, no task.

/// What a step can be given, and what comes back.
mod script;
/// One call after another, and what holds for each of them.
mod bench;
/// Trees, model's answers and histories that a step must survive.
mod samples;
mod steps;
mod checker;
mod adapter;

use std::path::PathBuf;

use serde::Serialize;

use crate::plugin::{Inspection, Kind, Runtime, Settings, StartError, inspect};
use bench::Bench;

/// What is to be tested, and what it needs to work at all.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub file: PathBuf,
    /// The plugin's settings, or an adapter's extra keys.
    pub settings: Vec<(String, String)>,
    /// What the scripted model says, in turn; the last one again and again. Empty: a Markdown code block.
    pub answers: Vec<String>,
    /// A vendor's recorded response, for an adapter.
    pub response: Option<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("can't copy the plugin into a folder of its own: {0}")]
    Copy(std::io::Error),
}

#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    pub plugin: String,
    pub kind: Option<Kind>,
    /// No check failed.
    pub conforms: bool,
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub name: &'static str,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    Passed { seen: String },
    Failed { what: String, remedy: String },
    Skipped { why: String },
}

/// What a check comes to; the error is a failure.
type Judged = Result<Verdict, Fault>;

/// What is wrong, and what to do.
#[derive(Clone, Debug)]
struct Fault {
    what: String,
    remedy: String,
}

impl Fault {
    fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

fn passed(seen: impl Into<String>) -> Judged {
    Ok(Verdict::Passed { seen: seen.into() })
}

fn skipped(why: impl Into<String>) -> Judged {
    Ok(Verdict::Skipped { why: why.into() })
}

/// Runs every check that fits the plugin's kind. `settings` are the service's: limits count as they would
/// there, `exec` counts as granted. An error: the kit itself can't run.
pub async fn run(wanted: Wanted, settings: &Settings) -> Result<Findings, Error> {
    let inspection = match inspect(&wanted.file, settings) {
        Ok(inspection) => inspection,
        Err(refusal) => {
            let fault = Fault::new(refusal.to_string(), refusal.remedy());
            return Ok(findings(wanted.file.display().to_string(), None, vec![check("loads", Err(fault))]));
        }
    };
    let (name, kind) = (inspection.name.clone(), inspection.kind);
    let mut own = settings.clone();
    let section = own.plugins.entry(name.clone()).or_default();
    (section.exec, section.digest) = (true, None);
    // As a service without a past would: nothing is held back, and nothing remembered.
    own.ledger_dir = None;
    let folder = tempfile::tempdir().map_err(Error::Copy)?;
    let file = wanted.file.file_name().unwrap_or_default();
    std::fs::copy(&wanted.file, folder.path().join(file)).map_err(Error::Copy)?;
    own.dirs = vec![folder.path().to_owned()];
    // A few calls at a time; address space is reserved for each.
    own.max_calls = Some(8);
    let first = Runtime::start(own.clone()).await?;
    let Some(kind) = kind.filter(|_| first.catalog().find(&name).is_some()) else {
        let catalog = first.catalog();
        let refused = catalog.refused.first().map(|refused| (refused.reason.clone(), refused.remedy.clone()));
        let unnamed = || ("it does not end in .wasm".to_owned(), "rename the file".to_owned());
        let (what, remedy) = refused.or(inspection.refusal).unwrap_or_else(unnamed);
        return Ok(findings(name, kind, vec![check("loads", Err(Fault { what, remedy }))]));
    };
    let size = inspection.size_bytes / 1000;
    let contract = inspection.contract.as_deref().unwrap_or("an unknown contract");
    let mut checks = vec![
        check("loads", passed(format!("{kind} of {contract}, {size} kB"))),
        check("imports", passed(imports(&inspection))),
    ];
    let second = Runtime::start(own).await?;
    let bench = Bench::new(wanted, &inspection, kind, [first, second]);
    match kind {
        Kind::Builder | Kind::Fixer => checks.extend(steps::run(&bench).await),
        Kind::Checker => checks.extend(checker::run(&bench).await),
        Kind::Adapter => checks.extend(adapter::run(&bench).await),
    }
    checks.push(check("limits", bench.judge_limits()));
    Ok(findings(name, Some(kind), checks))
}

fn check(name: &'static str, judged: Judged) -> Check {
    let verdict = judged.unwrap_or_else(|Fault { what, remedy }| Verdict::Failed { what, remedy });
    Check { name, verdict }
}

fn findings(plugin: String, kind: Option<Kind>, checks: Vec<Check>) -> Findings {
    let conforms = !checks.iter().any(|check| matches!(check.verdict, Verdict::Failed { .. }));
    Findings { plugin, kind, conforms, checks }
}

/// In short: the contract's interfaces by name, WASI's by number. All others are refused at load.
fn imports(inspection: &Inspection) -> String {
    let names: Vec<_> = inspection.imports.iter().map(|import| import.name.as_str()).collect();
    let ours = names.iter().filter_map(|name| {
        let interface = name.strip_prefix("aiagent:step/")?.split('@').next()?;
        (interface != "types").then_some(interface)
    });
    let ours: Vec<_> = ours.collect();
    let wasi = names.iter().filter(|name| name.starts_with("wasi:")).count();
    let exec = if ours.contains(&"exec") { "; exec needs the operator's grant" } else { "" };
    let wasi = if wasi == 0 { "no WASI".to_owned() } else { format!("{wasi} of WASI, all inert") };
    format!("{}; {wasi}{exec}", if ours.is_empty() { "nothing".to_owned() } else { ours.join(", ") })
}
