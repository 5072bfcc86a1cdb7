//! A tree from a repository elsewhere, at one revision, fetched by the git binary.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use tempfile::TempDir;

use super::child::{Deadline, Group};
use super::git::{git, read_revision, said, unheard};
use super::{ImportError, Imported};
use crate::workspace::{GitUrl, Limits};

/// Names, modes and ids of a file in git's own trees.
const LISTED_PER_FILE: u64 = 1024;

/// What git itself takes, besides what it holds of a revision.
const OWN_MEMORY: u64 = 512 << 20;

/// Larger files are written as they arrive, and not held in memory.
const HELD_IN_MEMORY: &str = "core.bigFileThreshold=8m";

/// How often it is looked at how much there is by now: a fast network brings some megabytes meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Folders in which files are fetched; a leading dot keeps them out of backups.
const PREFIX: &str = ".aiagent-fetch-";

/// A folder that is older was left by a host that was killed: no request lasts so long.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// git gives up by itself that much later than it would be ended: nobody ends it where the host was killed.
const LEFT_ALONE: Duration = Duration::from_secs(10);

/// Where and how long.
#[derive(Clone, Debug)]
pub struct Fetching<'a> {
    /// What is fetched lies here until it is read.
    pub folder: &'a Path,
    pub deadline: Deadline,
}

/// Reads the tree of a branch, a tag or a commit (its whole id), and nothing of its history.
///
/// Of git's own ways to run or reach anything else none is open: no redirects, credentials, proxies, helpers,
/// hooks, submodules, or protocols other than the URL's; what comes is bounded in time, on disk and in memory.
pub fn fetch_git(
    url: &GitUrl,
    revision: &str,
    fetching: Fetching<'_>,
    limits: Limits,
) -> Result<Imported, ImportError> {
    if !is_name(revision) {
        return Err(ImportError::Git(format!(
            "{revision:?} is no branch, tag or commit: a repository elsewhere is asked for one by its name"
        )));
    }
    let fetched = fetch(url, revision, &fetching, limits);
    fetched.map_err(|error| fetching.deadline.explain(error, || format!("{url} was not fetched")))
}

fn fetch(
    url: &GitUrl,
    revision: &str,
    fetching: &Fetching<'_>,
    limits: Limits,
) -> Result<Imported, ImportError> {
    let temporary =
        |source| ImportError::Host { what: "make the folder for what git fetches".into(), source };
    remove_what_was_left(fetching.folder);
    let home = tempfile::Builder::new().prefix(PREFIX).tempdir_in(fetching.folder).map_err(temporary)?;
    let repository = home.path().join("repository");
    fs::create_dir(&repository).map_err(temporary)?;
    let run = |git: Command| Run { url, home: &home, fetching, limits }.to_its_end(git);

    let mut init = git(&repository);
    init.args(["init", "--quiet", "--bare", "--template="]);
    run(init)?;
    let mut fetch = git(&repository);
    // curl looks for passwords in its user's home.
    fetch
        .env("HOME", home.path())
        .args(["-c", &format!("protocol.{}.allow=always", url.scheme())])
        .args(["-c", "protocol.version=2", "-c", "http.followRedirects=false", "-c", "credential.helper="])
        .args(["-c", "transfer.bundleURI=false", "-c", "fetch.unpackLimit=1", "-c", "pack.threads=1"])
        .args(["-c", HELD_IN_MEMORY, "-c", "http.lowSpeedLimit=1"])
        .args(["-c", &format!("http.lowSpeedTime={}", (fetching.deadline.within + LEFT_ALONE).as_secs())])
        .args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"])
        .args(["--no-auto-maintenance", "--"])
        .args([&url.to_string(), revision]);
    run(fetch).map_err(|error| match error {
        ImportError::Git(text) if text.contains("No space left on device") => ImportError::Host {
            what: format!("keep what git fetches of {url}"),
            source: io::ErrorKind::StorageFull.into(),
        },
        ImportError::Git(text) => ImportError::Git(explained(&text, url, revision)),
        other => other,
    })?;
    read_revision(&repository, "FETCH_HEAD", &fetching.deadline, limits)
}

/// Whether it can be asked for as it is: git's rules for names, and nothing that says more than a name.
fn is_name(revision: &str) -> bool {
    let special = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    !revision.is_empty()
        && revision.len() <= 250
        && !revision.starts_with(['-', '+', '/'])
        && !revision.contains("..")
        && !revision.contains("@{")
        && !revision.contains(special)
}

/// What git says in words that nobody but git's authors understand.
fn explained(text: &str, url: &GitUrl, revision: &str) -> String {
    let contains = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if contains(&["couldn't find remote ref", "not our ref", "unadvertised object"]) {
        format!("no revision {revision:?} at {url}: name a branch, a tag, or a commit by its whole id")
    } else if contains(&["terminal prompts disabled", "Authentication failed"]) {
        format!("{url} is not there, or wants a log-in: this host fetches only what everyone may")
    } else if contains(&["returned error: 30"]) {
        format!("{url} leads to another address, which is not followed: give that one ({text})")
    } else {
        format!("{url}: {text}")
    }
}

struct Run<'a> {
    url: &'a GitUrl,
    home: &'a TempDir,
    fetching: &'a Fetching<'a>,
    limits: Limits,
}

impl Run<'_> {
    fn to_its_end(&self, mut git: Command) -> Result<(), ImportError> {
        // In a file, so that it counts, and that nobody has to read along.
        let words = self.home.path().join("words");
        git.stdout(Stdio::null()).stderr(fs::File::create(&words).map_err(unheard)?);
        let mut group = Group::start(git)?;
        group.confine(self.most(), OWN_MEMORY.saturating_add(self.limits.bytes.saturating_mul(2)));
        let status = loop {
            let status = group.ended().map_err(unheard)?;
            if bytes_in(self.home.path()) > self.most()
                || status.is_some_and(|status| status.signal() == Some(Signal::XFSZ.as_raw()))
            {
                let why = format!(
                    "what git fetches of it holds more than {} bytes; the operator sets the limit with workspace.max_mib",
                    self.most()
                );
                return Err(ImportError::TooLarge { entry: self.url.to_string(), why });
            }
            if let Some(status) = status {
                break status;
            }
            self.fetching.deadline.check().map_err(unheard)?;
            std::thread::sleep(LOOK_EVERY);
        };
        if status.success() {
            return Ok(());
        }
        let mut text = Vec::new();
        let read = fs::File::open(&words).and_then(|file| file.take(4_000).read_to_end(&mut text));
        read.map_err(unheard)?;
        Err(said(&text))
    }

    /// Compressed it is mostly less than the tree that comes of it.
    fn most(&self) -> u64 {
        self.limits.bytes.saturating_add(LISTED_PER_FILE.saturating_mul(self.limits.files as u64 + 100))
    }
}

/// All files together. What goes while it is looked at counts as nothing.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_in(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn remove_what_was_left(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let old = entry
            .metadata()
            .and_then(|data| data.modified())
            .is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > LEFT_BEHIND));
        if old
            && entry.file_name().to_string_lossy().starts_with(PREFIX)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%error, path = %entry.path().display(), "can't remove what a fetch left");
        }
    }
}
