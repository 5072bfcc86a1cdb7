//! Limits that hold for all processes of a command together, kept by looking.
//!
//! The kernel limits each process for itself; a limit for a group needs a cgroup, which few hosts may
//! make. Looking comes late by up to [`EVERY`], which the limits per process make up for.

use std::fs;
use std::time::Duration;

/// A process can double its memory in this time, but hardly fill a machine.
pub(super) const EVERY: Duration = Duration::from_millis(200);

/// Whether this kernel lists a process's children, without which there is nothing to look at.
pub(super) fn works() -> bool {
    fs::read_to_string("/proc/thread-self/children").is_ok()
}

/// Why the command has to end, if it has.
pub(super) fn over(root: u32, memory_bytes: u64, processes: u32) -> Option<String> {
    let (mut count, mut memory) = (0_u32, 0_u64);
    let mut pending = vec![root];
    while let Some(process) = pending.pop() {
        // bubblewrap's own two processes count; the limit is far above.
        let threads = look(process, &mut pending);
        let Some(threads) = threads else { continue };
        count = count.saturating_add(threads);
        memory = memory.saturating_add(own_memory(process));
        if count > processes.saturating_add(2) {
            return Some(format!("its processes were more than {processes} at once"));
        }
        if memory > memory_bytes {
            return Some(format!(
                "its processes held more than {} MiB of memory together",
                memory_bytes >> 20
            ));
        }
    }
    None
}

/// A process inside the sandbox, once there is one: bubblewrap itself stays outside.
pub(super) fn inside(root: u32) -> Option<u32> {
    let mut children = Vec::new();
    look(root, &mut children);
    children.first().copied()
}

/// The number of threads; the children go to `pending`. `None`: the process has ended meanwhile.
fn look(process: u32, pending: &mut Vec<u32>) -> Option<u32> {
    let mut threads = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let Ok(children) = fs::read_to_string(thread.ok()?.path().join("children")) else { continue };
        threads += 1;
        pending.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Some(threads)
}

/// What is this process's alone, in bytes: file pages are shared and can be dropped.
fn own_memory(process: u32) -> u64 {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let kib = |field: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse().ok()
    };
    kib("RssAnon").or_else(|| kib("VmRSS")).unwrap_or(0).saturating_mul(1024)
}
