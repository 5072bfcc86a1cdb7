//! Reading a backup: all of it, checked, before anything is believed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::format::{ABOUT, About, FORMAT, KIND, Listed, MANIFEST, Manifest, Part};
use super::pack::Hashed;
use super::{UpkeepError, at};
use crate::task::Digest;

/// Far more than either of the two JSON entries has.
const MAX_JSON: u64 = 64 << 20;

/// What is done with an entry's content.
pub(super) trait Sink {
    fn entry(&mut self, name: &str, mode: u32, content: &mut dyn Read) -> Result<(), UpkeepError>;
}

struct Nowhere;

impl Sink for Nowhere {
    fn entry(&mut self, _: &str, _: u32, _: &mut dyn Read) -> Result<(), UpkeepError> {
        Ok(())
    }
}

/// Whether the file is a whole backup that this version can restore. Blocks while it reads.
pub fn check(path: &Path) -> Result<About, UpkeepError> {
    read(path, &mut Nowhere)
}

pub(super) fn read(path: &Path, sink: &mut dyn Sink) -> Result<About, UpkeepError> {
    let file = File::open(path).map_err(at("read", path))?;
    let foreign = |why: String| UpkeepError::Foreign { path: path.to_owned(), why };
    let damaged = |why: String| UpkeepError::Damaged { path: path.to_owned(), why };
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut entries = archive.entries().map_err(|error| foreign(error.to_string()))?;

    let mut found = Manifest::default();
    let about = match entries.next() {
        Some(Ok(mut entry)) if entry.path_bytes() == ABOUT.as_bytes() => {
            let text = json(&mut entry).map_err(|error| damaged(format!("{ABOUT}: {error}")))?;
            found.files.insert(ABOUT.to_owned(), listed(&text));
            about(path, &text)?
        }
        Some(Ok(_)) => return Err(foreign(format!("it does not begin with {ABOUT}"))),
        Some(Err(error)) => return Err(foreign(format!("it is no .tar.gz ({error})"))),
        None => return Err(foreign("it is empty".to_owned())),
    };
    let mut last = ABOUT.to_owned();
    let mut manifest: Option<Manifest> = None;
    for entry in entries {
        let broken = |error: io::Error| damaged(format!("it can't be read beyond {last} ({error})"));
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if manifest.is_some() {
            return Err(damaged(format!("{name} comes after its end")));
        }
        if name == MANIFEST {
            let text = json(&mut entry).map_err(broken)?;
            manifest =
                Some(serde_json::from_slice(&text).map_err(|error| damaged(format!("{MANIFEST}: {error}")))?);
            continue;
        }
        if Part::of(&name).is_none() || !entry.header().entry_type().is_file() {
            return Err(damaged(format!("it holds {name:?}, which no backup does")));
        }
        let mode = entry.header().mode().map_err(broken)? & 0o777;
        let mut content = Hashed::new(&mut entry);
        let sunk = sink.entry(&name, mode, &mut content);
        if let Some(wrong) = content.wrong {
            return Err(damaged(format!("{name} can't be read ({wrong})")));
        }
        // What the sink left, and what keeps it from going on.
        io::copy(&mut content, &mut io::sink()).map_err(broken)?;
        sunk?;
        let listed = Listed { bytes: content.bytes, digest: Digest::from(content.hasher) };
        if found.files.insert(name.clone(), listed).is_some() {
            return Err(damaged(format!("{name} is in it twice")));
        }
        last = name;
    }
    let Some(manifest) = manifest else {
        return Err(damaged("it has no end; was it cut off while it was copied?".to_owned()));
    };
    for (name, listed) in &manifest.files {
        match found.files.get(name) {
            None => return Err(damaged(format!("{name} is missing"))),
            Some(found) if found != listed => {
                return Err(damaged(format!(
                    "{name} is not as it was ({}, not {})",
                    found.digest, listed.digest
                )));
            }
            Some(_) => {}
        }
    }
    match found.files.keys().find(|name| !manifest.files.contains_key(*name)) {
        Some(name) => Err(damaged(format!("{name} was added to it"))),
        None => Ok(about),
    }
}

fn json(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    entry.take(MAX_JSON).read_to_end(&mut text)?;
    Ok(text)
}

fn listed(bytes: &[u8]) -> Listed {
    Listed { bytes: bytes.len() as u64, digest: Digest::of(bytes) }
}

fn about(path: &Path, text: &[u8]) -> Result<About, UpkeepError> {
    /// What every format has.
    #[derive(serde::Deserialize)]
    struct Any {
        kind: String,
        format: u32,
        version: String,
    }
    let foreign = |why: String| UpkeepError::Foreign { path: path.to_owned(), why };
    let any: Any = serde_json::from_slice(text).map_err(|error| foreign(format!("{ABOUT}: {error}")))?;
    if any.kind != KIND {
        return Err(foreign(format!("it calls itself {:?}", any.kind)));
    }
    if any.format > FORMAT {
        let why = format!("backup format {}, and this one reads up to {FORMAT}", any.format);
        return Err(UpkeepError::Newer { path: path.to_owned(), version: any.version, why });
    }
    serde_json::from_slice(text).map_err(|error| foreign(format!("{ABOUT}: {error}")))
}
