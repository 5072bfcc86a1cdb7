//! What a file says about itself, read before anything of it is compiled.

use std::borrow::Cow;
use std::collections::BTreeSet;

use wasmparser::{Encoding, Parser, Payload};

use super::kind::{self, Grant};
use super::{Import, Kind, Refusal};

/// The package every plugin is built against.
pub(super) const CONTRACT: &str = "aiagent:step@0.1.0";
const PACKAGE: &str = "aiagent:step";
/// Versions below 1.0 are compatible when the second number is the same.
const COMPATIBLE: &str = "0.1.";

/// CPython inside a component is 21 MB; ten times that is a mistake or an attack.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// wit-component nests three deep; the parser remembers each level.
const MAX_NESTING: u32 = 100;
/// CPython as a component has 26. All are listed wherever plugins are.
const MAX_NAMES: usize = 1_000;

/// A component's own account of itself.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) kind: Kind,
    /// The version of `aiagent:step` it was built against.
    pub(super) contract: String,
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<String>,
}

/// The names at the surface of a component.
pub(super) struct Surface {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

/// The component in `bytes`; a core module made by wit-bindgen is wrapped into one.
pub(super) fn component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.len() < 8 && (MAGIC.starts_with(bytes) || bytes.starts_with(MAGIC)) {
        return Err(Refusal::Truncated(format!("only {} bytes", bytes.len())));
    }
    if !bytes.starts_with(MAGIC) {
        let start = bytes.get(..8).unwrap_or(bytes);
        return Err(Refusal::NotWasm(format!("{:?}", String::from_utf8_lossy(start))));
    }
    if Parser::is_component(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    if !names_its_world(bytes)? {
        return Err(Refusal::BareModule);
    }
    let encode = || wit_component::ComponentEncoder::default().validate(true).module(bytes)?.encode();
    encode().map(Cow::Owned).map_err(|error| Refusal::Module(format!("{error:#}")))
}

/// Whether a core module carries the custom section that wit-bindgen leaves for the componentizer.
fn names_its_world(bytes: &[u8]) -> Result<bool, Refusal> {
    let mut found = false;
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CustomSection(section) = payload.map_err(|error| unparsable(&error, bytes))? {
            found |= section.name().starts_with("component-type");
        }
    }
    Ok(found)
}

/// Imports and exports of the outermost component.
pub(super) fn surface(bytes: &[u8]) -> Result<Surface, Refusal> {
    let refuse = |error: wasmparser::BinaryReaderError| unparsable(&error, bytes);
    let mut surface = Surface { imports: Vec::new(), exports: Vec::new() };
    let mut depth = 0_u32;
    let too = |what: String| Err(Refusal::Invalid(what));
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(refuse)? {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding != Encoding::Component {
                    return Err(Refusal::BareModule);
                }
                depth += 1;
                if depth > MAX_NESTING {
                    return too(format!("components nested more than {MAX_NESTING} deep"));
                }
            }
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    surface.imports.push(import.map_err(refuse)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    surface.exports.push(export.map_err(refuse)?.name.name.to_owned());
                }
            }
            _ => {}
        }
        if surface.imports.len() + surface.exports.len() > MAX_NAMES {
            return too(format!("more than {MAX_NAMES} imports and exports"));
        }
    }
    Ok(surface)
}

fn unparsable(error: &wasmparser::BinaryReaderError, bytes: &[u8]) -> Refusal {
    // The parser reports the end of its input in words only.
    if error.message().contains("unexpected end") || error.offset() >= bytes.len() {
        return Refusal::Truncated(format!("the file ends within a section, at byte {}", bytes.len()));
    }
    Refusal::Invalid(error.to_string())
}

impl Surface {
    /// The kind, decided by the exported interface.
    pub(super) fn kind(&self) -> Result<(Kind, String), Refusal> {
        let steps = self.exports.iter().filter_map(|name| {
            let (package, interface, version) = parts(name)?;
            (package == PACKAGE).then_some((name, Kind::exporting(interface)?, version))
        });
        let steps: Vec<_> = steps.collect();
        match steps.as_slice() {
            [] => Err(Refusal::NoStep { exports: self.exports.clone() }),
            [(_, kind, version)] if compatible(version) => Ok((*kind, format!("{PACKAGE}@{version}"))),
            [(name, ..)] => Err(Refusal::Version { name: (*name).clone() }),
            _ => Err(Refusal::SeveralSteps {
                exports: steps.iter().map(|(name, ..)| (*name).clone()).collect(),
            }),
        }
    }

    /// Every import with what the host thinks of it.
    pub(super) fn imports(&self, kind: Kind, exec_granted: bool) -> Vec<Import> {
        let judge = |name: &String| {
            let (allows, granted) = match grant_of(kind, name) {
                Grant::Always(what) => (what, true),
                Grant::Operator(what) => (what, exec_granted),
                Grant::Never(why) => (why, false),
            };
            Import { name: name.clone(), allows: allows.to_owned(), granted }
        };
        self.imports.iter().map(judge).collect()
    }

    /// The whole judgement: a manifest, or the first thing that is wrong.
    pub(super) fn judge(self, plugin: &str, exec_granted: bool) -> Result<Manifest, Refusal> {
        let (kind, contract) = self.kind()?;
        for name in &self.imports {
            match (grant_of(kind, name), parts(name)) {
                (_, Some((PACKAGE, _, version))) if !compatible(version) => {
                    return Err(Refusal::Version { name: name.clone() });
                }
                (Grant::Never(why), _) => {
                    return Err(Refusal::Import { name: name.clone(), why: why.to_owned() });
                }
                (Grant::Operator(_), _) if !exec_granted => {
                    return Err(Refusal::Exec { name: name.clone(), plugin: plugin.to_owned() });
                }
                (Grant::Always(_) | Grant::Operator(_), _) => {}
            }
        }
        Ok(Manifest { kind, contract, imports: self.imports(kind, exec_granted), exports: self.exports })
    }
}

impl Manifest {
    /// Whether a call needs the inert WASI state.
    pub(super) fn uses_wasi(&self) -> bool {
        self.imports.iter().any(|import| import.name.starts_with("wasi:"))
    }

    /// Whether it may wait for a native command.
    pub(super) fn runs_commands(&self) -> bool {
        self.grants().contains(&"exec")
    }

    /// The interfaces through which it can do anything: `workspace`, `model`, `exec`, … Sorted.
    pub(super) fn grants(&self) -> BTreeSet<&str> {
        self.imports.iter().filter_map(|import| capability(&import.name)).collect()
    }
}

fn grant_of(kind: Kind, name: &str) -> Grant {
    match parts(name) {
        Some((package, interface, _)) => kind::grant(kind, package, interface),
        None => Grant::Never("the host offers interfaces only"),
    }
}

/// `ns:package/interface@version`, taken apart. A name without a version has the version "".
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (path, version) = name.split_once('@').unwrap_or((name, ""));
    let (package, interface) = path.split_once('/')?;
    Some((package, interface, version))
}

/// The interface an import reaches the world through. Shared types are none, nor are the log, which
/// everybody has, and WASI, which is inert.
fn capability(import: &str) -> Option<&str> {
    let (package, interface, _) = parts(import)?;
    (package == PACKAGE && !matches!(interface, "types" | "log")).then_some(interface)
}

fn compatible(version: &str) -> bool {
    version.starts_with(COMPATIBLE)
}
