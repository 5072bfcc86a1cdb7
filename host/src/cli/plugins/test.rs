//! `aiagent-host plugins test`.

use std::path::Path;

use anyhow::Context as _;

use super::super::args::TestPlugin;
use super::super::paint::{BAD, FAINT, GOOD};
use super::super::{Failed, exit};
use crate::app::plugin_settings;
use crate::config::Settings;
use crate::kit::{self, Findings, Verdict, Wanted};

pub(super) async fn test(wanted: TestPlugin, settings: &Settings) -> Result<u8, Failed> {
    let TestPlugin { file, mut set, answer, response, json } = wanted;
    set.sort();
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("can't read {}", path.display()));
    let text = |path: &std::path::PathBuf| {
        String::from_utf8(read(path)?).with_context(|| format!("{} is not text", path.display()))
    };
    let answers = answer.iter().map(text).collect::<anyhow::Result<_>>().map_err(Failed::usage)?;
    let response = response.as_deref().map(read).transpose().map_err(Failed::usage)?;
    let wanted = Wanted { file, settings: set, answers, response };
    let findings = kit::run(wanted, &plugin_settings(settings)).await.map_err(Failed::usage)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        show(&findings)?;
    }
    Ok(if findings.conforms { 0 } else { exit::OTHERWISE })
}

fn show(findings: &Findings) -> std::io::Result<()> {
    for check in &findings.checks {
        let name = check.name;
        match &check.verdict {
            Verdict::Passed { seen } => say!("{GOOD}✓{GOOD:#} {name:<16} {seen}")?,
            Verdict::Skipped { why } => say!("{FAINT}- {name:<16} {why}{FAINT:#}")?,
            Verdict::Failed { what, remedy } => {
                say!("{BAD}✗{BAD:#} {name:<16} {what}\n  {:<16} {remedy}", "")?;
            }
        }
    }
    let plugin = &findings.plugin;
    match findings.checks.iter().filter(|check| matches!(check.verdict, Verdict::Failed { .. })).count() {
        0 => say!("{plugin} conforms"),
        1 => say!("{plugin} does not conform: 1 check failed"),
        failed => say!("{plugin} does not conform: {failed} checks failed"),
    }
}
