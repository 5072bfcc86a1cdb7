//! What a look at a host has found, one line each, with what to do.

use serde::Serialize;

use super::exit;
use super::paint::{BAD, FAINT, GOOD};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
pub(super) struct Finding {
    name: &'static str,
    level: Level,
    found: String,
    /// What to do about it.
    remedy: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, name: &'static str, found: impl Into<String>) {
        self.0.push(Finding { name, level: Level::Ok, found: found.into(), remedy: None });
    }

    pub(super) fn warning(
        &mut self,
        name: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Finding {
            name,
            level: Level::Warning,
            found: found.into(),
            remedy: Some(remedy.into()),
        });
    }

    pub(super) fn error(&mut self, name: &'static str, found: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Finding { name, level: Level::Error, found: found.into(), remedy: Some(remedy.into()) });
    }

    /// Prints them; the exit code is 1 if one is an error.
    pub(super) fn tell(&self, json: bool) -> anyhow::Result<u8> {
        if json {
            say!("{}", serde_json::to_string_pretty(&self.0)?)?;
        }
        for finding in self.0.iter().filter(|_| !json) {
            let (style, mark) = match finding.level {
                Level::Ok => (GOOD, "✓"),
                Level::Warning => (FAINT, "!"),
                Level::Error => (BAD, "✗"),
            };
            say!("{style}{mark}{style:#} {:<14} {}", finding.name, finding.found)?;
            if let Some(remedy) = &finding.remedy {
                say!("  {:<14} {FAINT}→ {remedy}{FAINT:#}", "")?;
            }
        }
        let worst = self.0.iter().map(|finding| finding.level).max();
        Ok(if worst == Some(Level::Error) { exit::OTHERWISE } else { 0 })
    }
}
