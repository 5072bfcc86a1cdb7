//! The real binary with the real plugins, as an operator runs it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// From the process's start until it listened.
    pub(crate) took: Duration,
    /// Reads on, so that the service never waits for its log to be read.
    log: std::thread::JoinHandle<()>,
}

/// Where `make build` puts the plugins.
pub(crate) fn plugins() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
    let plugins = target.join("plugins");
    assert!(plugins.join("check-python.wasm").is_file(), "no {}: run `make build` first", plugins.display());
    plugins
}

/// The binary without any setting of the user's.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aiagent-host"));
    command.env_clear();
    command
}

impl Service {
    /// Returns once it listens, with all first-party plugins loaded. `config` is its `aiagent.toml`.
    pub(crate) fn start(state: &Path, config: &str) -> Self {
        let file = state.join("aiagent.toml");
        let config = format!("{config}\n[plugins.check-command]\nexec = true\n");
        std::fs::write(&file, config).expect("the configuration is written");
        let mut command = binary();
        command
            .arg("--config")
            .arg(file)
            .arg("--plugins")
            .arg(plugins())
            .arg("--state-dir")
            .arg(state)
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut loaded = 0;
        let mut said = Vec::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it did not start:\n{}", said.join("\n")) };
            loaded += usize::from(line.contains(" loaded plugin="));
            if let Some((_, url)) = line.split_once("serving ") {
                break url.split(' ').next().unwrap_or_default().to_owned();
            }
            said.push(line);
        };
        let took = began.elapsed();
        assert!(loaded >= 6, "{loaded} plugins are loaded:\n{}", said.join("\n"));
        let log = std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, took, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Drains it, as SIGTERM does.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").arg(self.id().to_string()).status().expect("kill runs");
        assert!(asked.success());
        let ended = self.child.wait().expect("it ends");
        assert!(ended.success(), "{ended}");
        self.log.join().expect("the log is read to its end");
    }
}
