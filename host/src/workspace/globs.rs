//! Sets of globs over tree paths.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

/// Globs in the order they were given. `*` stays within a folder, `**` crosses folders.
#[derive(Clone, Debug, Default)]
pub struct Globs(Vec<(String, Matcher)>);

/// Every step makes its globs anew and holds them while it waits. Nearly all are one of the first
/// three, which need no regular expression.
#[derive(Clone, Debug)]
enum Matcher {
    /// `**`
    All,
    /// `folder/**`: what begins with this, slash included.
    Below(String),
    Path(String),
    Other(Arc<GlobMatcher>),
}

#[derive(Debug, thiserror::Error)]
#[error("{glob:?} is not a glob: {why}")]
pub struct BadGlob {
    glob: String,
    why: String,
}

impl Globs {
    pub fn new<S: AsRef<str>>(globs: impl IntoIterator<Item = S>) -> Result<Self, BadGlob> {
        let compile = |glob: &str| Ok((glob.to_owned(), Matcher::new(glob)?));
        globs.into_iter().map(|glob| compile(glob.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a path that matches itself, whatever characters it holds.
    pub fn with_path(mut self, path: &str) -> Self {
        self.0.push((globset::escape(path), Matcher::Path(path.to_owned())));
        self
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

impl Matcher {
    fn new(glob: &str) -> Result<Self, BadGlob> {
        let plain = |text: &str| !text.contains(['*', '?', '[', ']', '{', '}', '\\']);
        match glob.strip_suffix("/**") {
            _ if glob == "**" => return Ok(Self::All),
            Some(folder) if !folder.is_empty() && plain(folder) => {
                return Ok(Self::Below(format!("{folder}/")));
            }
            None if plain(glob) => return Ok(Self::Path(glob.to_owned())),
            _ => {}
        }
        Self::compile(glob)
    }

    fn compile(glob: &str) -> Result<Self, BadGlob> {
        match GlobBuilder::new(glob).literal_separator(true).build() {
            Ok(compiled) => Ok(Self::Other(Arc::new(compiled.compile_matcher()))),
            Err(error) => Err(BadGlob { glob: glob.to_owned(), why: error.kind().to_string() }),
        }
    }

    fn is_match(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Below(folder) => path.len() > folder.len() && path.starts_with(folder),
            Self::Path(own) => path == own,
            Self::Other(matcher) => matcher.is_match(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_globs_match_what_the_compiled_ones_do() {
        let paths =
            ["a", "b", "a/b", "a/b/c", "ab/c", ".ci/run", ".ci", ".gitlab-ci.yml", "x/.ci/run", "ä/b", "a b"];
        let globs = ["**", "a/**", "a/b/**", ".ci/**", ".gitlab-ci.yml", "a", "a/b", "ä/**", "a b", "", ","];
        for glob in globs {
            let (plain, compiled) = (Matcher::new(glob).expect(glob), Matcher::compile(glob).expect(glob));
            assert!(!matches!(plain, Matcher::Other(_)), "{glob:?}");
            for path in paths {
                assert_eq!(plain.is_match(path), compiled.is_match(path), "{glob:?} on {path:?}");
            }
        }
    }

    #[test]
    fn the_others_are_compiled_and_a_path_is_itself() {
        for (glob, path, matches) in [
            ("/**", "a", false),
            ("*/**", "a/b", true),
            ("*.py", "a.py", true),
            ("*.py", "d/a.py", false),
            ("**/test_*.py", "d/test_a.py", true),
            ("{a,b}/**", "b/c", true),
            ("a[bc]/**", "ab/c", true),
        ] {
            assert_eq!(Globs::new([glob]).expect(glob).matching(path).is_some(), matches, "{glob:?}");
        }
        assert!(Globs::new(["a[/**"]).is_err());
        let odd = Globs::default().with_path("t[1]*.py");
        assert_eq!((odd.matching("t[1]*.py").is_some(), odd.matching("t1.py")), (true, None));
    }
}
