//! What a file is, without running or compiling it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Import, Kind, Limits, Refusal, Settings, load, manifest};
use crate::task::Digest;

/// For `aiagent-host plugins inspect`.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The file's stem.
    pub name: String,
    pub file: PathBuf,
    pub digest: Digest,
    pub size_bytes: u64,
    /// False where the host makes a component of a core module.
    pub component: bool,
    /// `None` where the exports name none.
    pub kind: Option<Kind>,
    /// The contract it was built against: `aiagent:step@0.1.0`.
    pub contract: Option<String>,
    pub imports: Vec<Import>,
    pub exports: Vec<String>,
    pub limits: Option<Limits>,
    /// Why it would not be served, and what to do.
    pub refusal: Option<(String, String)>,
}

/// Reads `file` as the service with these settings would. An error: the file can't be read at all.
pub fn inspect(file: &Path, settings: &Settings) -> Result<Inspection, Refusal> {
    let bytes = load::read(file)?;
    let name = load::name(file);
    let stem = name.as_ref().map_or_else(|_| file.display().to_string(), Clone::clone);
    let component = manifest::component(&bytes);
    let surface = component.as_ref().map_err(Clone::clone).and_then(|component| manifest::surface(component));
    let kind = surface.as_ref().ok().and_then(|surface| surface.kind().ok());
    let exec = settings.grants_exec(&stem);
    let mut inspection = Inspection {
        digest: Digest::of(&bytes),
        size_bytes: bytes.len() as u64,
        component: wasmparser::Parser::is_component(&bytes),
        kind: kind.as_ref().map(|(kind, _)| *kind),
        contract: kind.as_ref().map(|(_, contract)| contract.clone()),
        imports: Vec::new(),
        exports: Vec::new(),
        limits: kind.as_ref().map(|(kind, _)| settings.limits(*kind, &stem)),
        refusal: None,
        file: file.to_owned(),
        name: stem,
    };
    if let (Ok(surface), Some((kind, _))) = (&surface, &kind) {
        inspection.imports = surface.imports(*kind, exec);
        inspection.exports = surface.exports.clone();
    }
    let judged = name.and_then(|name| surface?.judge(&name, exec));
    inspection.refusal = judged.err().map(|refusal| (refusal.to_string(), refusal.remedy()));
    Ok(inspection)
}
