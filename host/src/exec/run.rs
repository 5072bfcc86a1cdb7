//! One command, from the copy of the tree to the tree it left.

use std::os::unix::fs::lchown;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::output::Kept;
use super::room::Room;
use super::sandbox::{ETC, Ready, not_started};
use super::{Command, Ending, ExecError, ExecLimits, Output, sweep, watch};
use crate::workspace::{Globs, Tree, TreePath, import_folder_but, write_into};

/// How long the kernel may take to end a killed namespace before its pipes are given up.
const GRACE: Duration = Duration::from_secs(5);

/// What one `execve` takes, less the host's own arguments.
const MAX_ARGUMENT_BYTES: usize = 96 << 10;

/// Runs on a thread of its own: `--die-with-parent` is bound to the thread that starts bubblewrap, so
/// that thread must live as long as the command and no longer, and copying files blocks.
pub(super) async fn run(
    ready: Arc<Ready>,
    tree: Tree,
    command: Command,
    limits: ExecLimits,
    cancel: &CancellationToken,
) -> Result<(Output, Option<Tree>), ExecError> {
    check(&tree, &command)?;
    let stop = cancel.child_token();
    // Dropped with this future.
    let _guard = stop.clone().drop_guard();
    let (answer, answered) = tokio::sync::oneshot::channel();
    let handle = Handle::current();
    let work = move || {
        let result = on_thread(&handle, &ready, &tree, &command, &limits, &stop);
        // Nobody waits any more: the future was dropped.
        let _ = answer.send(result);
    };
    let started = std::thread::Builder::new().name("exec".into()).spawn(work);
    started.map_err(|error| ExecError::Other(format!("no thread for the command: {error}")))?;
    answered.await.map_err(|_| ExecError::Other("the thread of the command panicked".into()))?
}

fn check(tree: &Tree, command: &Command) -> Result<(), ExecError> {
    let invalid = |why: &str| Err(ExecError::Invalid(why.to_owned()));
    if command.argv.first().is_none_or(String::is_empty) {
        return invalid("argv names no program");
    }
    let env = command.env.iter().flat_map(|(name, value)| [name, value]);
    let strings: Vec<&String> = command.argv.iter().chain(env).chain(&command.cwd).collect();
    if strings.iter().any(|text| text.contains('\0')) {
        return invalid("a string holds NUL");
    }
    if strings.iter().map(|text| text.len() + 1).sum::<usize>() > MAX_ARGUMENT_BYTES {
        return invalid("arguments and environment are longer than 96 KiB together");
    }
    if command.env.iter().any(|(name, _)| name.is_empty() || name.contains('=')) {
        return invalid("a variable's name is empty or holds =");
    }
    if let Some(cwd) = command.cwd.as_deref() {
        let inside = match TreePath::parse(cwd) {
            Ok(path) => format!("{path}/"),
            Err(error) => return invalid(&format!("cwd: {error}")),
        };
        if !tree.iter().any(|(path, _)| path.as_str().starts_with(&inside)) {
            return invalid(&format!("cwd {cwd:?} is not a folder of the workspace"));
        }
    }
    Ok(())
}

fn on_thread(
    handle: &Handle,
    ready: &Ready,
    tree: &Tree,
    command: &Command,
    limits: &ExecLimits,
    stop: &CancellationToken,
) -> Result<(Output, Option<Tree>), ExecError> {
    let failed = |error: std::io::Error| ExecError::Other(format!("no copy of the workspace: {error}"));
    let home = match &ready.config.temp {
        Some(temp) => tempfile::Builder::new().prefix("aiagent-exec-").tempdir_in(temp),
        None => tempfile::Builder::new().prefix("aiagent-exec-").tempdir(),
    };
    let home = Home(Some(home.map_err(failed)?));
    let work = home.path().join("work");
    std::fs::create_dir(&work).map_err(failed)?;
    std::fs::create_dir(home.path().join("etc")).map_err(failed)?;
    for (name, text) in ETC {
        std::fs::write(home.path().join("etc").join(name), text).map_err(failed)?;
    }
    write_into(tree, &work).map_err(|error| ExecError::Other(error.to_string()))?;
    if let Some(user) = ready.user {
        give(home.path(), user).map_err(failed)?;
    }
    if stop.is_cancelled() {
        return Err(cancelled());
    }
    let output = handle.block_on(supervise(ready, home.path(), command, limits, stop))?;
    let came_to_its_end = matches!(output.ending, Ending::Exited(_));
    let left = if limits.read_back && came_to_its_end { read_back(tree, &work, limits)? } else { None };
    Ok((output, left))
}

pub(super) fn cancelled() -> ExecError {
    ExecError::Other("cancelled".into())
}

/// Makes a fresh copy the property of the command's user. No link is followed.
fn give(path: &Path, user: u32) -> std::io::Result<()> {
    lchown(path, Some(user), Some(user))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    Ok(())
}

async fn supervise(
    ready: &Ready,
    home: &Path,
    command: &Command,
    limits: &ExecLimits,
    stop: &CancellationToken,
) -> Result<Output, ExecError> {
    let room = Room::new(&home.join("work"), limits)
        .map_err(|error| ExecError::Other(format!("the workspace's disk can't be looked at: {error}")))?;
    let mut bwrap = ready.wrap(home, command, limits);
    bwrap.stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    bwrap.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let started = Instant::now();
    let mut child = bwrap.spawn().map_err(|error| not_started(&ready.config.bwrap, ready.user, &error))?;
    let (mut out, mut err) = (Kept::at_most(limits.output_bytes), Kept::at_most(limits.output_bytes));
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    let stdin = child.stdin.take();
    let feed = async {
        if let (Some(mut pipe), Some(bytes)) = (stdin, &command.stdin) {
            // A command need not read what it is given.
            let _ = pipe.write_all(bytes).await;
        }
    };
    let asked = command.timeout_ms.map_or(limits.timeout, Duration::from_millis);
    let ended = {
        let all = async { tokio::join!(out.drain(stdout), err.drain(stderr), feed) };
        tokio::pin!(all);
        let mut drained = None;
        let ended = {
            let ending = ending(&mut child, asked.min(limits.timeout), limits, room, stop);
            tokio::pin!(ending);
            loop {
                tokio::select! {
                    ended = &mut ending => break ended,
                    // A command may close its pipes and go on.
                    result = &mut all, if drained.is_none() => drained = Some(result),
                }
            }
        };
        if !matches!(ended, Ok(Ended::Itself(_))) {
            end(&mut child).await?;
        }
        if drained.is_none() {
            // Every process that could write is dead or dying.
            drained = tokio::time::timeout(GRACE, &mut all).await.ok();
        }
        match drained {
            Some((stdout, stderr, ())) => {
                stdout
                    .and(stderr)
                    .map_err(|error| ExecError::Other(format!("the command's output: {error}")))?;
            }
            None => tracing::warn!("the pipes of an ended command stay open"),
        }
        ended?
    };
    let dropped = out.dropped + err.dropped;
    let (stdout, mut stderr) = (out.into_bytes(), err.into_bytes());
    let ending = match ended {
        Ended::TimedOut => Ending::TimedOut,
        Ended::Over(why) => {
            stderr.extend_from_slice(format!("\n[stopped by aiagent-host: {why}]\n").as_bytes());
            Ending::Signalled(9)
        }
        Ended::Itself(status) => own_ending(status, command, &stdout, &stderr)?,
    };
    let duration_ms =
        u64::try_from(started.elapsed().as_millis()).expect("a command runs for less than an aeon");
    Ok(Output { ending, stdout, stderr, dropped, duration_ms })
}

enum Ended {
    Itself(ExitStatus),
    TimedOut,
    Over(String),
}

/// Waits for the first reason for the command to be over.
async fn ending(
    child: &mut Child,
    timeout: Duration,
    limits: &ExecLimits,
    room: Room,
    stop: &CancellationToken,
) -> Result<Ended, ExecError> {
    let id = child.id();
    let room = Arc::new(room);
    let watching = async {
        let mut ticks = tokio::time::interval(watch::EVERY);
        loop {
            ticks.tick().await;
            let over = id.and_then(|id| watch::over(id, limits.memory_bytes, limits.processes));
            if let Some(why) = over.or_else(|| room.over(id.and_then(watch::inside))) {
                return why;
            }
        }
    };
    tokio::select! {
        biased;
        status = child.wait() => match status {
            Ok(status) => Ok(Ended::Itself(status)),
            Err(error) => Err(ExecError::Other(format!("the command can't be waited for: {error}"))),
        },
        () = stop.cancelled() => Err(cancelled()),
        () = tokio::time::sleep(timeout) => Ok(Ended::TimedOut),
        why = watching => Ok(Ended::Over(why)),
        why = walking(&room) => Ok(Ended::Over(why)),
    }
}

/// Looks at all files of the workspace again and again, and rests four times as long as that took.
async fn walking(room: &Arc<Room>) -> String {
    let mut rest = watch::EVERY;
    loop {
        tokio::time::sleep(rest).await;
        let (room, started) = (Arc::clone(room), Instant::now());
        // No answer: the runtime is going down, and the command with it.
        if let Ok(Some(why)) = tokio::task::spawn_blocking(move || room.overfull()).await {
            return why;
        }
        rest = watch::EVERY.max(started.elapsed() * 4);
    }
}

/// Kills bubblewrap, with which the kernel ends the whole process namespace.
async fn end(child: &mut Child) -> Result<(), ExecError> {
    let failed = |error| ExecError::Other(format!("the command can't be ended: {error}"));
    child.start_kill().map_err(failed)?;
    child.wait().await.map(drop).map_err(failed)
}

/// Reads bubblewrap's status, which speaks of signals as shells do, and its and prlimit's last words.
fn own_ending(
    status: ExitStatus,
    command: &Command,
    stdout: &[u8],
    stderr: &[u8],
) -> Result<Ending, ExecError> {
    let said = String::from_utf8_lossy(stderr);
    let program = command.argv.first().map_or("", String::as_str);
    match status.code() {
        Some(127) if said == format!("prlimit: failed to execute {program}: No such file or directory\n") => {
            Err(ExecError::NotFound(program.to_owned()))
        }
        Some(1) if stdout.is_empty() && said.starts_with("bwrap: ") => {
            Err(ExecError::Other(said.trim().to_owned()))
        }
        // Signals end at 64, and so do most programs' exit codes well before 129.
        Some(code @ 129..=192) => Ok(Ending::Signalled(code - 128)),
        Some(code) => Ok(Ending::Exited(code)),
        None => Ok(Ending::Signalled(status.signal().unwrap_or(9))),
    }
}

fn read_back(base: &Tree, work: &Path, limits: &ExecLimits) -> Result<Option<Tree>, ExecError> {
    let leave = Globs::new(&limits.leave).map_err(|error| ExecError::Other(error.to_string()))?;
    let ours = |path: &str| {
        let inside = format!("{path}/");
        base.get(path).is_some() || base.iter().any(|(known, _)| known.as_str().starts_with(&inside))
    };
    let skip = |path: &str| leave.matching(path).is_some() && !ours(path);
    let left = import_folder_but(work, base.limits(), &skip).map_err(|error| {
        ExecError::Other(format!("the files the command left can't be taken over: {error}"))
    })?;
    if !left.notes.is_empty() {
        tracing::debug!(notes = ?left.notes, "not taken over from a command");
    }
    Ok((left.tree != *base).then_some(left.tree))
}

/// A folder that goes, whatever a command did to it.
struct Home(Option<tempfile::TempDir>);

impl Home {
    fn path(&self) -> &Path {
        self.0.as_ref().expect("taken on drop only").path()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some(home) = self.0.take() else { return };
        // Its own way of removing goes down into every folder, for which no stack is deep enough.
        let path = home.keep();
        if let Err(error) = sweep::remove(&path) {
            tracing::warn!(%error, path = %path.display(), "a command's folder stays behind");
        }
    }
}
