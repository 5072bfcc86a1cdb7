//! What the process asks of the system for itself.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Allows as many as the process may allow itself. A task that waits holds a connection to its model,
/// whoever follows it another; most systems start a process with 1,024, and mean it to ask for more.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(limit = limit.current, %error, "the limit of open files stays as it is");
    }
}

/// A crash leaves no image of this process's memory on a disk: keys are in it.
pub(super) fn leave_no_core() {
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::warn!(%error, "a crash may leave a core file, which would hold keys");
    }
}
