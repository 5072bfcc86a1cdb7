//! What a command's files take: on the disk for its workspace, in memory for `/tmp` and `/dev/shm`.
//!
//! No quota can be set without the rights of an administrator, so this, too, is kept by looking. The
//! kernel bounds the bytes of `/tmp` and `/dev/shm` by itself, not the number of their files, each of
//! which takes about a kibibyte of its memory.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfs, statvfs};

use super::ExecLimits;

/// Left on the workspace's disk for everyone else, whatever a command may write: what is written to
/// files that are removed and still open shows nowhere but here.
const KEPT_FREE: u64 = 1 << 30;

/// No tool nests its folders so deeply; a path of that many could hardly be named.
const DEEPEST: usize = 1_000;

pub(super) struct Room {
    work: PathBuf,
    kept_free: u64,
    disk_bytes: u64,
    disk_files: u64,
    temp_bytes: u64,
    temp_files: u64,
}

impl Room {
    /// For a workspace on disk at `work`. On a disk that is nearly full half of what is left may be used.
    pub(super) fn new(work: &Path, limits: &ExecLimits) -> io::Result<Self> {
        Ok(Self {
            work: work.to_owned(),
            kept_free: KEPT_FREE.min(free(&statvfs(work)?) / 2),
            disk_bytes: limits.disk_bytes,
            disk_files: limits.disk_files,
            temp_bytes: limits.temp_bytes,
            temp_files: limits.temp_files,
        })
    }

    #[cfg(test)]
    pub(super) fn keeping_free(self, bytes: u64) -> Self {
        Self { kept_free: bytes, ..self }
    }

    /// Why the command has to end, as far as the file systems tell by themselves. `inside` is a process
    /// of the sandbox.
    pub(super) fn over(&self, inside: Option<u32>) -> Option<String> {
        if statvfs(&self.work).is_ok_and(|disk| free(&disk) < self.kept_free) {
            return Some(format!("it left less than {} MiB of the disk free", self.kept_free >> 20));
        }
        let inside = inside?;
        let full = ["tmp", "dev/shm"].into_iter().find(|place| {
            statvfs(format!("/proc/{inside}/root/{place}")).is_ok_and(|disk| {
                // Until its root is the sandbox's, a process sees the host's folders.
                disk.f_blocks.saturating_mul(disk.f_frsize) == whole_pages(self.temp_bytes, disk.f_frsize)
                    && disk.f_files.saturating_sub(disk.f_ffree) > self.temp_files
            })
        })?;
        Some(format!("it made more than {} files in /{full}", self.temp_files))
    }

    /// Likewise, by looking at every file of the workspace, which takes time.
    pub(super) fn overfull(&self) -> Option<String> {
        let (mut bytes, mut files) = (0_u64, 0_u64);
        let mut pending = vec![(self.work.clone(), 0)];
        while let Some((folder, depth)) = pending.pop() {
            // What can't be looked at has been removed meanwhile, or is closed to its owner, too.
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(meta) = entry.metadata() else { continue };
                files += 1;
                bytes = bytes.saturating_add(meta.blocks().saturating_mul(512));
                if files > self.disk_files {
                    return Some(format!("it left more than {} files in the workspace", self.disk_files));
                }
                if bytes > self.disk_bytes {
                    let mib = self.disk_bytes >> 20;
                    return Some(format!("its files held more than {mib} MiB of the disk together"));
                }
                if meta.is_dir() && depth >= DEEPEST {
                    return Some(format!("it nested more than {DEEPEST} folders in one another"));
                }
                if meta.is_dir() {
                    pending.push((entry.path(), depth + 1));
                }
            }
        }
        None
    }
}

/// For users without special rights, in bytes.
fn free(disk: &StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

fn whole_pages(bytes: u64, page: u64) -> u64 {
    bytes.div_ceil(page.max(1)).saturating_mul(page)
}
