//! git as a child: in a process group of its own, of which nothing outlives its deadline or its owner.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, kill_process_group, prlimit, waitid,
};
use tokio_util::sync::CancellationToken;

use super::ImportError;

/// How late a deadline or a stop may be noticed while git says nothing.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Between the end of what git says and its own end there is next to nothing.
const NEARLY_ENDED: Duration = Duration::from_millis(1);

/// How long git may take, and what ends it before.
#[derive(Clone, Debug)]
pub struct Deadline {
    until: Instant,
    /// What `until` was made of, to be said where it is not enough.
    pub(super) within: Duration,
    stop: CancellationToken,
}

impl Deadline {
    /// Counts from now on.
    pub fn new(within: Duration, stop: CancellationToken) -> Self {
        Self { until: Instant::now() + within, within, stop }
    }

    pub(super) fn check(&self) -> io::Result<()> {
        match self.stop.is_cancelled() || Instant::now() >= self.until {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }

    /// The error in words of the deadline, where that was its cause. `what` was not done in time.
    pub(super) fn explain(&self, error: ImportError, what: impl FnOnce() -> String) -> ImportError {
        match error {
            _ if self.stop.is_cancelled() => ImportError::Stopped,
            ImportError::Io { source, .. } | ImportError::Host { source, .. }
                if source.kind() == io::ErrorKind::TimedOut =>
            {
                ImportError::Late { what: what(), seconds: self.within.as_secs() }
            }
            other => other,
        }
    }
}

/// git and whatever it has started.
pub(super) struct Group {
    child: Child,
    status: Option<ExitStatus>,
}

impl Group {
    pub(super) fn start(mut git: Command) -> Result<Self, ImportError> {
        let what = "start git (is it installed?)";
        let child = git.process_group(0).spawn();
        let child = child.map_err(|source| ImportError::Host { what: what.into(), source })?;
        Ok(Self { child, status: None })
    }

    /// Beside what is looked at now and then: no file grows past the limit, whatever happens in between.
    pub(super) fn confine(&self, file: u64, memory: u64) {
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

    pub(super) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("it is piped")
    }

    pub(super) fn stdout<'a>(&mut self, deadline: &'a Deadline) -> Until<'a, ChildStdout> {
        Until { pipe: self.child.stdout.take().expect("it is piped"), deadline }
    }

    pub(super) fn stderr<'a>(&mut self, deadline: &'a Deadline) -> Until<'a, ChildStderr> {
        Until { pipe: self.child.stderr.take().expect("it is piped"), deadline }
    }

    /// How git itself has ended, if it has; the rest of its group ends with it.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        // Not waited for before the group is killed: until then nobody else is given its id.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if self.status.is_none()
            && let Some(id) = self.id()
            && waitid(WaitId::Pid(id), look)?.is_some()
        {
            self.kill();
            self.status = Some(self.child.wait()?);
        }
        Ok(self.status)
    }

    pub(super) fn wait(&mut self, deadline: &Deadline) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            deadline.check()?;
            std::thread::sleep(NEARLY_ENDED);
        }
    }

    fn id(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn kill(&self) {
        if let Some(id) = self.id() {
            // Fails where all of it has ended already.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
            // Fails where somebody else has waited for it; either way it is gone.
            let _ = self.child.wait();
        }
    }
}

/// What git writes, until the deadline.
pub(super) struct Until<'a, P> {
    pipe: P,
    deadline: &'a Deadline,
}

impl<P: Read + AsFd> Read for Until<'_, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.deadline.check()?;
            if poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&LOOK_EVERY))? > 0 {
                return self.pipe.read(buffer);
            }
        }
    }
}
