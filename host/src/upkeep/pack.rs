//! A running or a stopped host into one file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::format::{
    ABOUT, About, CONFIG, ENV, FORMAT, KEYS, KIND, Listed, MANIFEST, Manifest, PLUGINS, STATE,
};
use super::{Kept, UpkeepError, at, hold, read, secrets};
use crate::task::Digest;

/// Where a host's parts are.
#[derive(Clone)]
pub struct Source {
    pub state_dir: PathBuf,
    /// Not taken along: it is made anew from the plugins.
    pub cache_dir: PathBuf,
    pub store: Kept,
    pub config: Option<PathBuf>,
    pub plugins_dirs: Vec<PathBuf>,
    /// Of the models.
    pub key_files: Vec<PathBuf>,
    /// Whether keys, passwords and the token go along.
    pub keys: bool,
}

#[derive(Debug)]
pub struct Packed {
    pub about: About,
    pub files: usize,
    pub bytes: u64,
}

/// Writes the backup and reads it again. A file of that name is replaced once the new one is whole. Blocks.
pub fn pack(source: &Source, target: &Path) -> Result<Packed, UpkeepError> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(at("find", path));
    if absolute(target)?.starts_with(absolute(&source.state_dir)?) {
        return Err(UpkeepError::Inside(target.to_owned()));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch =
        tempfile::Builder::new().prefix(".backup-").tempdir_in(folder).map_err(at("write to", folder))?;
    let copy = scratch.path().join("store");
    let (schema, store) = source.store.copy(&copy)?;
    let about = About {
        kind: KIND.to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now(),
        redis: source.store.is_redis(),
        schema,
        store,
        keys: source.keys,
        config: source.config.clone(),
        plugins_dirs: source.plugins_dirs.clone(),
        key_files: if source.keys { source.key_files.clone() } else { Vec::new() },
    };
    let partial = NamedTempFile::new_in(scratch.path()).map_err(at("write to", folder))?;
    let mut archive = Archive::new(&partial);
    let wrote = archive.fill(source, &about, &copy);
    let files = wrote.and_then(|()| archive.end()).map_err(|error| match error {
        Wrong::Reading(error) => error,
        Wrong::Writing(error) => at("write", target)(error),
    })?;
    partial.as_file().sync_all().map_err(at("write", target))?;
    read::check(partial.path())?;
    let bytes = partial.as_file().metadata().map_err(at("read", target))?.len();
    partial.persist(target).map_err(|error| at("write", target)(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at("write to", folder))?;
    Ok(Packed { about, files, bytes })
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Which side of the copying failed.
enum Wrong {
    Reading(UpkeepError),
    Writing(io::Error),
}

struct Archive<'a> {
    tar: tar::Builder<GzEncoder<&'a NamedTempFile>>,
    manifest: Manifest,
}

impl<'a> Archive<'a> {
    fn new(file: &'a NamedTempFile) -> Self {
        let tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
        Self { tar, manifest: Manifest::default() }
    }

    fn fill(&mut self, source: &Source, about: &About, store: &Path) -> Result<(), Wrong> {
        let json = serde_json::to_vec_pretty(about).expect("strings and numbers are JSON");
        self.bytes(ABOUT, &json, 0o600)?;
        self.file(source.store.entry(), store, 0o600)?;
        self.state(source, &source.state_dir, STATE)?;
        if let Some(config) = &source.config {
            let text = std::fs::read_to_string(config).map_err(|error| reading(config, error))?;
            let text = if source.keys { text } else { secrets::blanked(&text) };
            self.bytes(CONFIG, text.as_bytes(), mode(config)?)?;
            let env = config.with_file_name("env");
            if source.keys && env.is_file() {
                self.file(ENV, &env, 0o600)?;
            }
        }
        for (number, key) in about.key_files.iter().enumerate() {
            self.file(&format!("{KEYS}{number}"), key, 0o600)?;
        }
        for (number, dir) in source.plugins_dirs.iter().enumerate() {
            for (name, path) in entries(dir)? {
                let hidden = name.starts_with('.');
                if !hidden && path.is_file() && path.extension().is_some_and(|extension| extension == "wasm")
                {
                    self.file(&format!("{PLUGINS}{number}/{name}"), &path, 0o644)?;
                }
            }
        }
        Ok(())
    }

    /// All that the host keeps, but for what is copied elsewhere, made anew or only of this machine.
    fn state(&mut self, source: &Source, dir: &Path, prefix: &str) -> Result<(), Wrong> {
        // Without a name: a Redis has no files here.
        let store = source.store.file();
        let store_name = store.and_then(|store| store.file_name()).map(|name| name.to_string_lossy());
        for (name, path) in entries(dir)? {
            let passing = name.starts_with('.') || name == hold::FILE || name.ends_with(".lock");
            let aside = name.contains(super::place::ASIDE) || name.contains(".schema-");
            let key = name == crate::access::KEY_FILE && dir == source.state_dir && !source.keys;
            let beside = store.is_some_and(|store| path.parent() == store.parent());
            let of_store = beside && store_name.as_ref().is_some_and(|store| name.starts_with(&**store));
            if passing || aside || key || of_store || path == source.cache_dir {
                continue;
            }
            let kind = std::fs::symlink_metadata(&path).map_err(|error| reading(&path, error))?.file_type();
            if kind.is_dir() {
                self.state(source, &path, &format!("{prefix}{name}/"))?;
            } else if kind.is_file() {
                self.file(&format!("{prefix}{name}"), &path, 0o600)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, path: &Path, mode: u32) -> Result<(), Wrong> {
        let file = File::open(path).map_err(|error| reading(path, error))?;
        let bytes = file.metadata().map_err(|error| reading(path, error))?.len();
        // What grows meanwhile is taken as it was; what shrinks is noticed.
        self.entry(name, bytes, mode, file.take(bytes)).map_err(Wrong::Writing)
    }

    fn bytes(&mut self, name: &str, bytes: &[u8], mode: u32) -> Result<(), Wrong> {
        self.entry(name, bytes.len() as u64, mode, bytes).map_err(Wrong::Writing)
    }

    fn entry(&mut self, name: &str, bytes: u64, mode: u32, content: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(mode);
        header.set_mtime(now() / 1000);
        let mut content = Hashed::new(content);
        self.tar.append_data(&mut header, name, &mut content)?;
        if content.bytes != bytes {
            return Err(io::Error::other(format!("{name} changed while it was read; try again")));
        }
        let digest = Digest::from(content.hasher);
        self.manifest.files.insert(name.to_owned(), Listed { bytes, digest });
        Ok(())
    }

    /// Returns the number of files.
    fn end(mut self) -> Result<usize, Wrong> {
        let manifest = std::mem::take(&mut self.manifest);
        let json = serde_json::to_vec_pretty(&manifest).expect("strings and numbers are JSON");
        self.bytes(MANIFEST, &json, 0o600)?;
        let gzip = self.tar.into_inner().map_err(Wrong::Writing)?;
        gzip.finish().and_then(|mut file| file.flush()).map_err(Wrong::Writing)?;
        Ok(manifest.files.len())
    }
}

fn reading(path: &Path, error: io::Error) -> Wrong {
    Wrong::Reading(at("read", path)(error))
}

fn mode(path: &Path) -> Result<u32, Wrong> {
    let meta = std::fs::metadata(path).map_err(|error| reading(path, error))?;
    Ok(meta.permissions().mode() & 0o777)
}

/// By name, so that two backups of the same state are alike.
fn entries(dir: &Path) -> Result<BTreeMap<String, PathBuf>, Wrong> {
    let listed = std::fs::read_dir(dir).and_then(|entries| {
        entries
            .map(|entry| Ok((entry?.file_name().to_string_lossy().into_owned(), ())))
            .collect::<io::Result<Vec<_>>>()
    });
    let names = listed.map_err(|error| reading(dir, error))?;
    Ok(names.into_iter().map(|(name, ())| (name.clone(), dir.join(name))).collect())
}

/// Counts and hashes what is read through it.
pub(super) struct Hashed<R> {
    inner: R,
    pub(super) bytes: u64,
    pub(super) hasher: Sha256,
    /// Why nothing more could be read.
    pub(super) wrong: Option<String>,
}

impl<R: Read> Hashed<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, bytes: 0, hasher: Sha256::new(), wrong: None }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let read = read.inspect_err(|error| self.wrong = Some(error.to_string()))?;
        self.bytes += read as u64;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
