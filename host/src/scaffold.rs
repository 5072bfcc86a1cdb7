//! New plugins: whole projects from templates inside the program, so that one needs nothing of this repository.
//!
//! Invariant: what is written builds with `./build.sh` alone and passes its own test and `plugins test`.

mod templates;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::plugin::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    Rust,
    Python,
    #[value(name = "javascript")]
    JavaScript,
}

/// A project that is to be written.
#[derive(Clone, Debug)]
pub struct Project {
    pub name: String,
    pub language: Language,
    pub kind: Kind,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "{0:?} can't be a plugin's name: use lower-case letters, digits, - and _, a letter first, at most 64"
    )]
    Name(String),
    #[error("{} is there already and not empty; choose another --dir", .0.display())]
    Occupied(PathBuf),
    #[error("can't write {}: {error}", path.display())]
    Write { path: PathBuf, error: std::io::Error },
}

impl Project {
    /// Writes all files into `dir`, which must be empty or not exist.
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        self.check_name()?;
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| Error::Write { path, error }
        };
        std::fs::create_dir_all(dir).map_err(failed(dir))?;
        if std::fs::read_dir(dir).map_err(failed(dir))?.next().is_some() {
            return Err(Error::Occupied(dir.to_owned()));
        }
        for (path, text) in self.files() {
            let path = dir.join(path);
            let mode =
                if path.extension().is_some_and(|extension| extension == "sh") { 0o755 } else { 0o644 };
            let write = || {
                std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
                let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
                file.write_all(text.as_bytes())
            };
            write().map_err(failed(&path))?;
        }
        Ok(())
    }

    /// Its files: paths and texts.
    fn files(&self) -> Vec<(&'static str, String)> {
        let values = self.values();
        let fill = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (key, value)| text.replace(&format!("%{key}%"), value))
        };
        templates::of(self.language, self.kind).into_iter().map(|(path, text)| (path, fill(text))).collect()
    }

    /// The command that runs the project's own test.
    pub fn test_command(&self) -> &'static str {
        match self.language {
            Language::Rust => "cargo test",
            Language::Python => "PYTHONPATH=src python3 -m unittest discover tests",
            Language::JavaScript => "node --test",
        }
    }

    /// What fills the `%…%` of the templates.
    fn values(&self) -> [(&'static str, String); 10] {
        let (language, needs, logic, plugin) = match self.language {
            Language::Rust => ("Rust", "plain cargo for wasm32-unknown-unknown", "lib.rs", "plugin.rs"),
            Language::Python => ("Python", "needs python3 with venv", "logic.py", "plugin.py"),
            Language::JavaScript => ("JavaScript", "needs Node 20 and npm", "logic.js", "plugin.js"),
        };
        let adapter = self.kind == Kind::Adapter;
        let name = &self.name;
        let configuration = match adapter {
            true => format!("[models.default]\n    adapter = \"{name}\"\n    model = \"qwen2.5-coder\""),
            false => format!("[pipelines.default]\n    {} = \"{name}\"", self.kind),
        };
        [
            ("name", name.clone()),
            ("kind", self.kind.to_string()),
            ("language", language.to_owned()),
            ("needs", needs.to_owned()),
            ("test", self.test_command().to_owned()),
            ("sample", if adapter { " --response tests/answer.ndjson" } else { "" }.to_owned()),
            ("configuration", configuration),
            ("logic", logic.to_owned()),
            ("plugin", plugin.to_owned()),
            ("dependencies", if adapter { "\n[dependencies]\nserde_json = \"1\"\n" } else { "" }.to_owned()),
        ]
    }

    /// It names a file, a crate, an npm package and a table of `aiagent.toml`.
    fn check_name(&self) -> Result<(), Error> {
        let name = &self.name;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let letter_first = name.starts_with(|c: char| c.is_ascii_lowercase());
        if letter_first && name.len() <= 64 && name.chars().all(fits) {
            return Ok(());
        }
        Err(Error::Name(name.clone()))
    }
}
