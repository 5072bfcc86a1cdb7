//! Where things are when nobody says so: the XDG base directory rules.

use std::path::{Path, PathBuf};

use super::Environment;

/// The folder in each base directory.
const NAME: &str = "aiagent-host";

#[derive(Clone, Debug)]
pub struct Paths {
    /// Places for `aiagent.toml`, the first that exists counts.
    pub config_files: Vec<PathBuf>,
    pub state: PathBuf,
    /// Places for plugins, the first that exists counts.
    pub plugins: Vec<PathBuf>,
}

impl Paths {
    pub fn new(environment: &Environment, executable: Option<&Path>) -> Self {
        let home = PathBuf::from(environment.get("HOME").unwrap_or("."));
        // The rules say: a relative path in these variables is to be ignored.
        let base = |variable: &str, fallback: &str| match environment.get(variable).map(Path::new) {
            Some(path) if path.is_absolute() => path.join(NAME),
            _ => home.join(fallback).join(NAME),
        };
        let config = base("XDG_CONFIG_HOME", ".config");
        let mut plugins = vec![base("XDG_DATA_HOME", ".local/share").join("plugins")];
        plugins.push("/usr/lib/ai-agent/plugins".into());
        // A build tree: target/release/aiagent-host beside target/plugins.
        plugins.extend(executable.and_then(|exe| Some(exe.parent()?.parent()?.join("plugins"))));
        Self {
            config_files: vec![config.join("aiagent.toml"), "/etc/ai-agent/aiagent.toml".into()],
            state: base("XDG_STATE_HOME", ".local/state"),
            plugins,
        }
    }
}
