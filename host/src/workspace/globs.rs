//! Sets of globs over tree paths.

use globset::{GlobBuilder, GlobMatcher};

/// Globs in the order they were given. `*` stays within a folder, `**` crosses folders.
#[derive(Clone, Debug, Default)]
pub struct Globs(Vec<(String, GlobMatcher)>);

#[derive(Debug, thiserror::Error)]
#[error("{glob:?} is not a glob: {why}")]
pub struct BadGlob {
    glob: String,
    why: String,
}

impl Globs {
    pub fn new<S: AsRef<str>>(globs: impl IntoIterator<Item = S>) -> Result<Self, BadGlob> {
        let compile = |glob: &str| match GlobBuilder::new(glob).literal_separator(true).build() {
            Ok(compiled) => Ok((glob.to_owned(), compiled.compile_matcher())),
            Err(error) => Err(BadGlob { glob: glob.to_owned(), why: error.kind().to_string() }),
        };
        globs.into_iter().map(|glob| compile(glob.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a path that matches itself, whatever characters it holds.
    pub fn with_path(self, path: &str) -> Result<Self, BadGlob> {
        let mut globs = self.0;
        globs.extend(Self::new([globset::escape(path)])?.0);
        Ok(Self(globs))
    }

    /// The globs as they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(glob, _)| glob.as_str())
    }

    /// The first glob that matches.
    pub fn matching(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(_, matcher)| matcher.is_match(path)).map(|(glob, _)| glob.as_str())
    }
}
