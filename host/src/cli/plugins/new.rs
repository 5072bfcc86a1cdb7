//! `aiagent-host plugins new`.

use std::path::PathBuf;

use super::super::Failed;
use super::super::args::NewPlugin;
use crate::scaffold::Project;

pub(super) fn new(wanted: NewPlugin) -> Result<u8, Failed> {
    let NewPlugin { name, lang, kind, dir } = wanted;
    let dir = dir.unwrap_or_else(|| PathBuf::from(&name));
    let project = Project { name, language: lang, kind };
    project.write(&dir).map_err(Failed::usage)?;
    let (name, dir) = (&project.name, dir.display());
    say!("{dir} holds the {kind} {name}. Next:")?;
    say!("  cd {dir} && ./build.sh && {}", project.test_command())?;
    say!("  aiagent-host plugins test {name}.wasm")?;
    Ok(0)
}
