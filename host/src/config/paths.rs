//! Where things are when nobody says so: the XDG base directory rules.

use std::path::{Path, PathBuf};

use super::Environment;

/// The folder in each base directory.
const NAME: &str = "aiagent-host";

/// Where the installed service finds its configuration, and what its unit names beside it.
pub(super) const SYSTEM_CONFIG: &str = "/etc/ai-agent/aiagent.toml";
const SYSTEM_STATE: &str = "/var/lib/ai-agent/state";
const SYSTEM_PLUGINS: [&str; 2] = ["/usr/lib/ai-agent/plugins", "/var/lib/ai-agent/plugins"];

#[derive(Clone, Debug)]
pub struct Paths {
    /// Places for `aiagent.toml`, the first that exists counts.
    pub config_files: Vec<PathBuf>,
    pub state: PathBuf,
    /// Places for plugins.
    pub plugins: Vec<PathBuf>,
    /// Whether the first of these that exists counts, or all that exist.
    pub first: bool,
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
        plugins.push(SYSTEM_PLUGINS[0].into());
        // A build tree: target/release/aiagent-host beside target/plugins.
        plugins.extend(executable.and_then(|exe| Some(exe.parent()?.parent()?.join("plugins"))));
        Self {
            config_files: vec![config.join("aiagent.toml"), SYSTEM_CONFIG.into()],
            state: base("XDG_STATE_HOME", ".local/state"),
            plugins,
            first: true,
        }
    }

    /// As the installed service has them.
    pub(super) fn of_service(self) -> Self {
        let plugins = SYSTEM_PLUGINS.map(PathBuf::from).to_vec();
        Self { state: SYSTEM_STATE.into(), plugins, first: false, ..self }
    }
}
