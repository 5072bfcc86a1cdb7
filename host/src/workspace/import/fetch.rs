//! A tree from a repository elsewhere, at one revision, fetched by the git binary.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tempfile::TempDir;

use super::git::{git, said, start};
use super::{ImportError, Imported, import_git};
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

/// Where and how long.
#[derive(Clone, Copy, Debug)]
pub struct Fetching<'a> {
    /// What is fetched lies here until it is read.
    pub folder: &'a Path,
    pub until: Instant,
    /// What `until` was made of, to be said where it is not enough.
    pub within: Duration,
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
    let temporary = |source| ImportError::Io { what: "the folder for what git fetches".into(), source };
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
        .args(["-c", HELD_IN_MEMORY])
        .args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"])
        .args(["--no-auto-maintenance", "--"])
        .args([&url.to_string(), revision]);
    run(fetch).map_err(|error| match error {
        ImportError::Git(text) => ImportError::Git(explained(&text, url, revision)),
        other => other,
    })?;
    import_git(&repository, "FETCH_HEAD", limits)
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
    fetching: Fetching<'a>,
    limits: Limits,
}

impl Run<'_> {
    fn to_its_end(&self, mut git: Command) -> Result<(), ImportError> {
        let broken = |source| ImportError::Io { what: "what git says".into(), source };
        // In a file, so that it counts, and that nobody has to read along.
        let words = self.home.path().join("words");
        git.process_group(0).stdout(Stdio::null()).stderr(fs::File::create(&words).map_err(broken)?);
        let mut group = Group { child: start(git)?, ended: false };
        group.confine(self.most(), OWN_MEMORY.saturating_add(self.limits.bytes.saturating_mul(2)));
        let status = loop {
            let status = group.ended().map_err(broken)?;
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
            if Instant::now() >= self.fetching.until {
                let seconds = self.fetching.within.as_secs();
                return Err(ImportError::Late { url: self.url.to_string(), seconds });
            }
            std::thread::sleep(LOOK_EVERY);
        };
        if status.success() {
            return Ok(());
        }
        let mut text = Vec::new();
        let read = fs::File::open(&words).and_then(|file| file.take(4_000).read_to_end(&mut text));
        read.map_err(broken)?;
        Err(said(&text))
    }

    /// Compressed it is mostly less than the tree that comes of it.
    fn most(&self) -> u64 {
        self.limits.bytes.saturating_add(LISTED_PER_FILE.saturating_mul(self.limits.files as u64 + 100))
    }
}

/// git and whatever it has started; none of it outlives this.
struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    fn id(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// Beside what is looked at now and then: no file grows past the limit, whatever happens in between.
    fn confine(&self, file: u64, memory: u64) {
        for (resource, most) in
            [(Resource::Fsize, file.saturating_mul(2)), (Resource::As, memory), (Resource::Core, 0)]
        {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            // Fails where the process has ended by now.
            if let Err(error) = prlimit(self.id(), resource, limit) {
                tracing::debug!(%error, "git can't be confined");
            }
        }
    }

    fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.ended |= status.is_some();
        Ok(status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some(id) = self.id() {
            // Fails where all of it has ended already.
            let _ = kill_process_group(id, Signal::KILL);
        }
        let _ = self.child.wait();
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
