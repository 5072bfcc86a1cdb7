use std::path::PathBuf;
use std::sync::LazyLock;

use aiagent_host::config::{Config, Environment, Overrides};

/// The file that is read: there is no other way in.
static FILE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("aiagent.toml");
    (folder, path)
});

/// The first line is a variable's value, the rest the file. A configuration that is taken prints as one
/// that reads the same; any other is refused with words.
///
/// # Panics
/// Where it is not.
pub fn config(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (variable, file) = data.split_at(at);
    let variable = String::from_utf8_lossy(variable);
    let (name, value) = variable.split_once('=').unwrap_or(("", ""));
    match load(Environment::from([(name, value)]), file) {
        Err(why) => assert!(!why.is_empty()),
        Ok(printed) => {
            let again = load(Environment::default(), printed.as_bytes());
            let again = again.unwrap_or_else(|error| panic!("{error}\nof\n{printed}"));
            assert_eq!(values(&again), values(&printed));
        }
    }
}

fn load(environment: Environment, file: &[u8]) -> Result<String, String> {
    let path = &FILE.1;
    std::fs::write(path, file).expect("written");
    let overrides = Overrides { config: Some(path.clone()), ..Overrides::default() };
    Config::load(&environment, overrides).map(|config| config.print()).map_err(|error| error.to_string())
}

/// Without the comments that tell where each value came from.
fn values(printed: &str) -> Vec<&str> {
    printed.lines().map(|line| line.rsplit_once(" # ").map_or(line, |(value, _)| value).trim_end()).collect()
}
