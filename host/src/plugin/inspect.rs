//! What a file is, without running or compiling it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ledger::{self, Taken};
use super::manifest::{self, Manifest};
use super::{Import, Kind, Limits, Refusal, Settings, load};
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
    /// What it asks for and does not have, each with what would give it.
    pub missing: Vec<Missing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub what: String,
    pub remedy: String,
}

/// For `aiagent-host plugins allow`.
#[derive(Clone, Debug)]
pub struct Allowed {
    pub name: String,
    pub digest: Digest,
    pub grants: Vec<String>,
}

/// Reads `file` as the service with these settings would. An error: the file can't be read at all.
pub fn inspect(file: &Path, settings: &Settings) -> Result<Inspection, Refusal> {
    let bytes = load::read(file)?;
    let name = load::name(file);
    let stem = name.as_ref().map_or_else(|_| file.display().to_string(), Clone::clone);
    let component = manifest::component(&bytes);
    let surface = component.as_ref().map_err(Clone::clone).and_then(|component| manifest::surface(component));
    let kind = surface.as_ref().ok().and_then(|surface| surface.kind().ok());
    let digest = Digest::of(&bytes);
    let exec = settings.grants_exec(&stem, &digest);
    let mut inspection = Inspection {
        size_bytes: bytes.len() as u64,
        component: wasmparser::Parser::is_component(&bytes),
        kind: kind.as_ref().map(|(kind, _)| *kind),
        contract: kind.as_ref().map(|(_, contract)| contract.clone()),
        imports: Vec::new(),
        exports: Vec::new(),
        limits: kind.as_ref().map(|(kind, _)| settings.limits(*kind, &stem, &digest)),
        refusal: None,
        missing: Vec::new(),
        file: file.to_owned(),
        name: stem,
        digest,
    };
    if let (Ok(surface), Some((kind, _))) = (&surface, &kind) {
        inspection.imports = surface.imports(*kind, exec);
        inspection.exports = surface.exports.clone();
    }
    let judged = name.and_then(|name| surface?.judge(&name, exec)).map_err(|why| settings.explain(why));
    let ungranted = inspection.imports.iter().filter(|import| !import.granted);
    inspection.missing = ungranted.map(|import| missing(import, judged.as_ref().err())).collect();
    match judged {
        Ok(manifest) => inspection.missing.extend(held_back(&inspection, &manifest, settings)?),
        Err(refusal) => inspection.refusal = Some((refusal.to_string(), refusal.remedy())),
    }
    Ok(inspection)
}

fn missing(import: &Import, refusal: Option<&Refusal>) -> Missing {
    let remedy = match refusal {
        Some(refusal @ (Refusal::Exec { name, .. } | Refusal::ExecElsewhere { name, .. }))
            if *name == import.name =>
        {
            refusal.remedy()
        }
        _ => format!("nothing: {}", import.allows),
    };
    Missing { what: import.name.clone(), remedy }
}

/// What it asks for beyond the plugin of its name that the service with these settings serves.
fn held_back(
    inspection: &Inspection,
    manifest: &Manifest,
    settings: &Settings,
) -> Result<Option<Missing>, Refusal> {
    let Some(dir) = &settings.ledger_dir else { return Ok(None) };
    let book = ledger::read(dir).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    let file_name = format!("{}.wasm", inspection.name);
    let served = settings.dirs.iter().find_map(|dir| book.entry(&dir.join(&file_name)));
    let digest = &inspection.digest;
    if settings.vouches(&inspection.name, digest) || ledger::is_allowed(dir, digest) {
        return Ok(None);
    }
    let asks = Taken::new(digest.clone(), manifest);
    let more = served.map(|served| asks.more_than(&served.serving)).unwrap_or_default();
    let refusal = Refusal::HeldBack {
        plugin: inspection.name.clone(),
        file: inspection.file.display().to_string(),
        digest: digest.clone(),
        more,
    };
    let asks = matches!(&refusal, Refusal::HeldBack { more, .. } if !more.is_empty());
    Ok(asks.then(|| Missing { what: refusal.to_string(), remedy: refusal.remedy() }))
}

/// Gives the operator's word that `file`, as it is now, may do all its kind may.
pub fn allow(file: &Path, settings: &Settings) -> Result<Allowed, Refusal> {
    allow_content(file, &load::read(file)?, settings)
}

/// Likewise, of what the file held when it was read.
pub(super) fn allow_content(file: &Path, bytes: &[u8], settings: &Settings) -> Result<Allowed, Refusal> {
    let (name, digest) = (load::name(file)?, Digest::of(bytes));
    let surface = manifest::surface(&manifest::component(bytes)?)?;
    let exec = settings.grants_exec(&name, &digest);
    let manifest = surface.judge(&name, exec).map_err(|why| settings.explain(why))?;
    let dir = settings.ledger_dir.as_ref();
    let dir = dir.ok_or_else(|| Refusal::Unreadable("there is no state folder to remember it in".into()))?;
    ledger::allow(dir, &digest, &name).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    let grants = manifest.grants().into_iter().map(str::to_owned).collect();
    Ok(Allowed { name, digest, grants })
}
