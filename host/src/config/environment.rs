//! The variables of the process, and those that systemd would add.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The environment as it was at the start. Injected, so that tests need not change the process's own.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    all: BTreeMap<String, String>,
    /// The first of ours whose value is no text.
    unreadable: Option<String>,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    pub(super) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All that is set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds what a systemd `EnvironmentFile` sets, below what is set already. Returns what is wrong.
    pub(super) fn underlay(&mut self, file: &Path) -> Option<String> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                let file = file.display();
                return Some(format!(
                    "can't read {file} ({error}): what is set there is not seen here; run this as root"
                ));
            }
        };
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            if let Some((name, value)) = line.split_once('=') {
                self.all.entry(name.trim().to_owned()).or_insert_with(|| unquoted(value.trim()));
            }
        }
        None
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
    }
}

/// What is not UTF-8 is passed over where its name says that it is another program's.
impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        let mut environment = Self::default();
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(environment.all.insert(name, value)),
                (Ok(name), Err(_)) if name.starts_with("AIAGENT_") => environment.unreadable = Some(name),
                _ => {}
            }
        }
        environment
    }
}

/// A value as systemd reads it.
fn unquoted(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (inside('"'), inside('\'')) {
        (Some(text), _) => text.replace("\\\"", "\"").replace("\\\\", "\\"),
        (None, Some(text)) => text.to_owned(),
        (None, None) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_systemds_is_read_as_systemd_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("env");
        let text = "# A=1\n; B=2\nC=3\n D = \"a \\\"b\\\\\" \nE='x\\y'\nF=\nno line\nG=a=b\n";
        std::fs::write(&file, text).expect("written");
        let mut environment = Environment::from([("G", "mine")]);
        assert_eq!(environment.underlay(&file), None);
        let all: Vec<_> = environment.iter().collect();
        let want = [("C", "3"), ("D", "a \"b\\"), ("E", "x\\y"), ("F", ""), ("G", "mine")];
        assert_eq!(all, want);
        assert_eq!(environment.underlay(&folder.path().join("none")), None);
        let said = environment.underlay(folder.path()).expect("a folder is no file");
        assert!(said.contains("can't read"), "{said}");
    }
}
