//! Folders, rights, disk, limits, clock.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};

use crate::cli::findings::Findings;
use crate::config::{Config, Settings};
use crate::workspace::git_version;

/// With less, a store that grows and a plugin that is compiled soon fail.
const LITTLE: u64 = 1 << 30;
const NOTHING: u64 = 64 << 20;

/// Leases and certificates bear a difference of seconds.
const CLOCK: Duration = Duration::from_secs(60);

pub(super) fn folders(settings: &Settings, config: &Config, findings: &mut Findings) {
    for (name, dir) in [("state", &settings.state_dir), ("cache", &settings.cache_dir)] {
        let shown = dir.display();
        match std::fs::metadata(dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                findings.warning(
                    name,
                    format!("{shown} is not there"),
                    "the first start makes it; is this the host's --state-dir?",
                );
            }
            Err(error) => findings.error(
                name,
                format!("{shown}: {error}"),
                "run this as root, or as the service's user",
            ),
            Ok(_) if tempfile::tempfile_in(dir).is_err() => {
                let remedy = format!("chown it to the service's user: sudo chown -R aiagent: {shown}");
                findings.error(name, format!("{shown} can't be written to by this user"), remedy);
            }
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
                findings.warning(
                    name,
                    format!("{shown} is open to others"),
                    format!("sudo chmod 700 {shown}"),
                );
            }
            Ok(_) => findings.ok(name, shown.to_string()),
        }
    }
    for dir in &settings.plugins_dir {
        let open = std::fs::metadata(dir).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0);
        if open {
            let found = format!("anyone can put a plugin into {}", dir.display());
            findings.error("rights", found, format!("sudo chmod o-w {}", dir.display()));
        }
    }
    let files = settings.models.values().map(|model| model.key_file.clone());
    let env = config.file.as_ref().map(|file| file.with_file_name("env"));
    for file in files.chain(env).filter(|file| !file.as_os_str().is_empty()) {
        if std::fs::metadata(&file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
            let file = file.display();
            findings.error(
                "rights",
                format!("others can read the keys in {file}"),
                format!("sudo chmod 600 {file}"),
            );
        }
    }
}

/// Only where tasks may start from repositories.
pub(super) fn git(settings: &Settings, findings: &mut Findings) {
    if settings.api.git_dirs.is_empty() && settings.api.git_urls.is_empty() {
        return;
    }
    match git_version() {
        Ok(version) => findings.ok("git", version),
        Err(error) => findings.error(
            "git",
            format!("api.git_dirs or api.git_urls is set, and git can't be run: {error}"),
            "install git, below /usr or /usr/local",
        ),
    }
}

pub(super) fn room(settings: &Settings, findings: &mut Findings) {
    let dir = existing(&settings.state_dir);
    let disk = match statvfs(dir) {
        Ok(disk) => disk,
        Err(error) => {
            findings.error("disk", format!("{}: {error}", dir.display()), "is the disk mounted?");
            return;
        }
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MiB free at {}", free >> 20, dir.display());
    let remedy = "make room, or let ended tasks go sooner (keep_days in aiagent.toml)";
    // Some file systems have no fixed number of files.
    let few_files = disk.f_files > 0 && disk.f_favail < 1000;
    match free {
        _ if few_files => {
            findings.error("disk", format!("only {} more files fit on it", disk.f_favail), remedy)
        }
        0..NOTHING => findings.error("disk", found, remedy),
        NOTHING..LITTLE => findings.warning("disk", found, remedy),
        _ => findings.ok("disk", found),
    }
}

fn existing(dir: &Path) -> &Path {
    dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"))
}

pub(super) fn open_files(findings: &mut Findings) {
    // The host raises its own limit up to this.
    let most = getrlimit(Resource::Nofile).maximum;
    match most {
        Some(most @ 0..4096) => findings.warning(
            "open files",
            format!("at most {most}: each task that waits holds a connection"),
            "LimitNOFILE=65536 in the unit, or ulimit -n",
        ),
        _ => findings
            .ok("open files", most.map_or_else(|| "no limit".to_owned(), |most| format!("at most {most}"))),
    }
}

/// `date`: what another machine holds the time for.
pub(super) fn clock(settings: &Settings, date: Option<&str>, findings: &mut Findings) {
    let now = SystemTime::now();
    let store = settings.store.strip_prefix("sqlite:").and_then(|path| std::fs::metadata(path).ok());
    let written = store.and_then(|meta| meta.modified().ok());
    let remedy = "set it by NTP: timedatectl set-ntp true";
    if let Some(ahead) = written.and_then(|at| at.duration_since(now).ok()).filter(|ahead| *ahead > CLOCK) {
        let found = format!("the store was written {} s from now: the clock was set back", ahead.as_secs());
        findings.error("clock", found, remedy);
        return;
    }
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        findings.ok("clock", "not behind the store's; no other clock to compare it with");
        return;
    };
    let apart = now.duration_since(theirs).unwrap_or_else(|error| error.duration());
    if apart > CLOCK {
        findings.warning("clock", format!("{} s apart from the model server's", apart.as_secs()), remedy);
    } else {
        findings.ok("clock", "agrees with the model server's");
    }
}
