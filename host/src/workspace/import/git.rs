//! A tree from a local git repository at a revision, read by the git binary.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::link;
use super::child::{Deadline, Group};
use super::{ImportError, Imported, Intake, escaped, most_entries, tree_path};
use crate::workspace::{Limits, Mode, TreePath};

/// The longest path there may be, and what git says of it. A few kilobytes of repository can list
/// billions of files.
const LISTED_PER_FILE: u64 = 1024 + 80;

/// Reads a commit, tag or tree of the repository whose work tree or git folder is `repository`.
///
/// Nothing that the repository configures is run: no hooks, filters, monitors or remotes; neither the
/// system's nor the user's git configuration is read. Left out with a note: submodules, and links
/// that lead out of the tree. Content is as it is stored: neither line endings nor large-file
/// pointers are converted.
pub fn import_git(
    repository: &Path,
    revision: &str,
    deadline: &Deadline,
    limits: Limits,
) -> Result<Imported, ImportError> {
    let imported = read_revision(repository, revision, deadline, limits);
    imported.map_err(|error| deadline.explain(error, || format!("{} was not read", repository.display())))
}

/// Like [`import_git`], with errors that don't know of the deadline.
pub(super) fn read_revision(
    repository: &Path,
    revision: &str,
    deadline: &Deadline,
    limits: Limits,
) -> Result<Imported, ImportError> {
    if revision.is_empty() || revision.starts_with('-') || revision.chars().any(char::is_control) {
        return Err(ImportError::Git(format!("{revision:?} is not a revision")));
    }
    let tree = resolve(repository, revision, deadline)?;
    let entries = list(repository, &tree, deadline, limits)?;
    let mut intake = Intake::new(limits);
    let (mut files, mut bytes) = (Vec::new(), 0_u64);
    for entry in entries.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let Some((mode, object, size, name)) = parse(entry) else {
            return Err(ImportError::Broken(format!("git lists what can't be read: {}", escaped(entry))));
        };
        // Folders are listed for their number alone.
        if mode == "040000" {
            continue;
        }
        let path = tree_path(name)?;
        if link::in_git_folder(path.as_str()) {
            intake.note(format!("left out {path}"));
            continue;
        }
        let mode = match mode {
            "100755" => Mode::Executable,
            "120000" => Mode::Link,
            "160000" => {
                intake.note(format!("left out {path}: it is a submodule"));
                continue;
            }
            _ => Mode::Regular,
        };
        if files.len() >= limits.files {
            let why = format!("more than {} files", limits.files);
            return Err(ImportError::TooLarge { entry: format!("{:?}", path.as_str()), why });
        }
        // Before git is asked for it: it may hold all of an object in memory.
        bytes = bytes.saturating_add(size);
        if bytes > limits.bytes {
            let why = format!("all files together hold more than {} bytes", limits.bytes);
            return Err(ImportError::TooLarge { entry: format!("{:?}", path.as_str()), why });
        }
        files.push((path, object, mode));
    }
    read_objects(repository, &files, deadline, &mut intake)?;
    Ok(intake.finish())
}

/// `git` with an environment in which only the repository itself has a say.
pub(super) fn git(repository: &Path) -> Command {
    let mut git = Command::new("git");
    git.env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0");
    if let Some(above) = repository.canonicalize().ok().as_deref().and_then(Path::parent) {
        // A folder without a repository of its own is not its parent's.
        git.env("GIT_CEILING_DIRECTORIES", above);
    }
    git.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"])
        // git's own check is for commands that a stranger's configuration would run; here none is.
        .args(["-c", "safe.directory=*"])
        .args(["--no-pager", "-C"])
        .arg(repository)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    git
}

/// What the program calls itself that repositories are read with.
pub fn git_version() -> io::Result<String> {
    let output = git(Path::new("/")).arg("--version").output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("git --version: {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(super) fn said(stderr: &[u8]) -> ImportError {
    let text = String::from_utf8_lossy(&stderr[..stderr.len().min(2_000)]);
    let mut lines = text.lines().filter(|line| !line.starts_with("warning: "));
    let text = lines.next().unwrap_or("it failed and said nothing").trim_start_matches("fatal: ");
    ImportError::Git(text.to_owned())
}

fn resolve(repository: &Path, revision: &str, deadline: &Deadline) -> Result<String, ImportError> {
    let mut git = git(repository);
    git.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]).arg(format!("{revision}^{{tree}}"));
    let mut group = Group::start(git)?;
    let mut id = String::new();
    group.stdout(deadline).take(1_000).read_to_string(&mut id).map_err(unheard)?;
    let (success, stderr) = end(group, deadline)?;
    let id = id.trim().to_owned();
    if success && id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err(if stderr.is_empty() {
        ImportError::Git(format!("no revision {revision:?} in {}", repository.display()))
    } else {
        said(&stderr)
    })
}

/// Folders are listed as well: a few trees that name each other twice are more of them than there is time for.
fn list(repository: &Path, tree: &str, deadline: &Deadline, limits: Limits) -> Result<Vec<u8>, ImportError> {
    let most = LISTED_PER_FILE.saturating_mul(limits.files as u64 + 1_000);
    let mut git = git(repository);
    git.args(["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", tree]);
    let mut group = Group::start(git)?;
    let mut lines = BufReader::new(group.stdout(deadline).take(most + 1));
    let (mut listing, mut entries_left) = (Vec::new(), most_entries(limits));
    while lines.read_until(0, &mut listing).map_err(unheard)? > 0 {
        let entry = "the revision".to_owned();
        if listing.len() as u64 > most {
            let why = format!("its list of files is longer than {} files could make it", limits.files);
            return Err(ImportError::TooLarge { entry, why });
        }
        let Some(left) = entries_left.checked_sub(1) else {
            let why = "too many folders and files to look at".into();
            return Err(ImportError::TooLarge { entry, why });
        };
        entries_left = left;
    }
    match end(group, deadline)? {
        (true, _) => Ok(listing),
        (false, stderr) => Err(said(&stderr)),
    }
}

/// Whether it went well, and what it complained of.
fn end(mut group: Group, deadline: &Deadline) -> Result<(bool, Vec<u8>), ImportError> {
    let mut stderr = Vec::new();
    group.stderr(deadline).take(4_000).read_to_end(&mut stderr).map_err(unheard)?;
    Ok((group.wait(deadline).map_err(unheard)?.success(), stderr))
}

/// `MODE TYPE OBJECT SIZE\tNAME`; the size of what is no file, or is not there, is no number.
fn parse(entry: &[u8]) -> Option<(&str, &str, u64, &[u8])> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let mut fields = std::str::from_utf8(&entry[..tab]).ok()?.split_ascii_whitespace();
    let (mode, _kind, object, size) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some((mode, object, size.parse().unwrap_or(0), &entry[tab + 1..]))
}

fn read_objects(
    repository: &Path,
    files: &[(TreePath, &str, Mode)],
    deadline: &Deadline,
    intake: &mut Intake,
) -> Result<(), ImportError> {
    let mut git = git(repository);
    git.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut group = Group::start(git)?;
    let mut asked = group.stdin();
    let mut answers = BufReader::new(group.stdout(deadline));
    for (path, object, mode) in files {
        // One at a time, so that neither side waits on a full pipe.
        asked.write_all(format!("{object}\n").as_bytes()).map_err(unheard)?;
        let mut header = Vec::new();
        answers.by_ref().take(1_000).read_until(b'\n', &mut header).map_err(unheard)?;
        let header = String::from_utf8_lossy(&header);
        let size = match header.trim_end().split(' ').collect::<Vec<_>>()[..] {
            [_, "blob", size] => size.parse::<u64>().ok(),
            _ => None,
        };
        let Some(size) = size else {
            return Err(ImportError::Broken(format!(
                "the repository lacks the content of {path}: {}",
                header.trim()
            )));
        };
        let bytes = intake.read(path, answers.by_ref().take(size))?;
        if bytes.len() as u64 != size {
            return Err(ImportError::Broken(format!("the repository's content of {path} is cut short")));
        }
        let mut newline = [0];
        answers.read_exact(&mut newline).map_err(unheard)?;
        match *mode {
            Mode::Link => match link::target(path, &bytes) {
                Ok(_) => intake.add(path.clone(), bytes, Mode::Link)?,
                Err(why) => intake.note(format!("left out {path}: it {why}")),
            },
            mode => intake.add(path.clone(), bytes, mode)?,
        }
    }
    Ok(())
}

pub(super) fn unheard(source: io::Error) -> ImportError {
    ImportError::Host { what: "read what git says".into(), source }
}
