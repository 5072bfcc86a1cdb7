//! Finding out whether commands can be sandboxed here, and the sandbox's shape.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Command, Ending, ExecError, ExecLimits, Output, SandboxConfig, run, watch};
use crate::workspace::Tree;

/// The one way to run a command, or the reason why there is none on this machine.
#[derive(Clone, Debug)]
pub struct Sandbox(Result<Arc<Ready>, String>);

/// Where the sandbox was seen to work.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) config: SandboxConfig,
    /// Set where the host is root: who the command is.
    pub(super) user: Option<u32>,
    /// One for each command that may run at the same time.
    turns: Semaphore,
}

/// Who the command is, as it sees it.
const INNER_ID: &str = "1000";

/// Where bubblewrap and git are, whatever the host's own environment says.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

impl Sandbox {
    /// Runs `true` in the sandbox once. Never fails: a machine that can't is one that refuses.
    pub async fn probe(config: SandboxConfig) -> Self {
        let refused = |why: String| {
            tracing::warn!(reason = %why, "native commands are refused on this machine");
            Self(Err(why))
        };
        for folder in &config.read_only {
            if !folder.is_absolute() || !folder.is_dir() {
                return refused(format!(
                    "exec.read_only: {} is not a folder on this machine",
                    folder.display()
                ));
            }
        }
        if !watch::works() {
            return refused("this kernel does not list a process's children (CONFIG_PROC_CHILDREN)".into());
        }
        let user = match std::fs::metadata("/proc/self") {
            Ok(own) if own.uid() == 0 => config.user.or(Some(65534)).filter(|user| *user != 0),
            Ok(_) => None,
            Err(error) => return refused(format!("/proc can't be read: {error}")),
        };
        let turns = Semaphore::new(config.parallel.clamp(1, Semaphore::MAX_PERMITS));
        let sandbox = Self(Ok(Arc::new(Ready { config, user, turns })));
        let command = Command {
            argv: vec!["true".into()],
            cwd: None,
            env: Vec::new(),
            stdin: None,
            timeout_ms: Some(10_000),
        };
        let limits = ExecLimits { read_back: false, ..ExecLimits::default() };
        match sandbox.run(&Tree::default(), &command, &limits, &CancellationToken::new()).await {
            Ok((Output { ending: Ending::Exited(0), .. }, _)) => sandbox,
            Ok((output, _)) => refused(diagnose(&format!(
                "a first `true` in it ended as {:?}: {}",
                output.ending,
                String::from_utf8_lossy(&output.stderr).trim()
            ))),
            Err(ExecError::Other(said) | ExecError::Denied(said)) => refused(diagnose(&said)),
            Err(error) => refused(error.to_string()),
        }
    }

    /// For an operator who wants no commands at all.
    pub fn refusing(why: impl Into<String>) -> Self {
        Self(Err(why.into()))
    }

    /// Why commands are refused here, with what to do about it.
    pub fn refusal(&self) -> Option<&str> {
        self.0.as_ref().err().map(String::as_str)
    }

    /// Runs a command on a copy of the tree. With `limits.read_back`, a command that came to its own
    /// end gives the tree it left, if that differs: regular files and links that stay inside.
    ///
    /// Dropping the future, or cancelling, ends the command with all its processes.
    pub async fn run(
        &self,
        tree: &Tree,
        command: &Command,
        limits: &ExecLimits,
        cancel: &CancellationToken,
    ) -> Result<(Output, Option<Tree>), ExecError> {
        match &self.0 {
            Ok(ready) => {
                let _turn = tokio::select! {
                    turn = ready.turns.acquire() => turn.expect("nobody closes it"),
                    () = cancel.cancelled() => return Err(run::cancelled()),
                };
                run::run(Arc::clone(ready), tree.clone(), command.clone(), limits.clone(), cancel).await
            }
            Err(why) => Err(ExecError::Denied(why.clone())),
        }
    }
}

impl Ready {
    /// bubblewrap around `prlimit` around the command. `home` holds what the sandbox binds: `work`
    /// and `etc`, as [`run`] has made them.
    pub(super) fn wrap(
        &self,
        home: &Path,
        command: &Command,
        limits: &ExecLimits,
    ) -> tokio::process::Command {
        let mut bwrap = tokio::process::Command::new(&self.config.bwrap);
        bwrap.env_clear().env("PATH", SYSTEM_PATH).current_dir("/");
        if let Some(user) = self.user {
            bwrap.uid(user).gid(user);
        }
        // A user namespace by name, so that bubblewrap does not do without one as root.
        bwrap.args([
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ]);
        bwrap.args(["--cap-drop", "ALL", "--uid", INNER_ID, "--gid", INNER_ID, "--hostname", "sandbox"]);
        bwrap.args(["--ro-bind", "/usr", "/usr"]);
        for folder in ["/bin", "/sbin", "/lib", "/lib32", "/lib64"] {
            match std::fs::read_link(folder) {
                Ok(target) => bwrap.arg("--symlink").arg(target).arg(folder),
                Err(_) => bwrap.args(["--ro-bind-try", folder, folder]),
            };
        }
        for file in ["alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "ssl/certs"] {
            bwrap.args(["--ro-bind-try", &format!("/etc/{file}"), &format!("/etc/{file}")]);
        }
        for file in ETC {
            bwrap.arg("--ro-bind").arg(home.join("etc").join(file.0)).arg(format!("/etc/{}", file.0));
        }
        let temp = limits.temp_bytes.to_string();
        bwrap.args(["--proc", "/proc", "--dev", "/dev"]);
        bwrap.args(["--size", &temp, "--tmpfs", "/dev/shm", "--size", &temp, "--tmpfs", "/tmp"]);
        for folder in &self.config.read_only {
            bwrap.arg("--ro-bind").arg(folder).arg(folder);
        }
        bwrap.arg("--bind").arg(home.join("work")).arg("/workspace");
        // What is left is memory that no limit counts.
        bwrap.args(["--remount-ro", "/dev", "--remount-ro", "/"]);
        match &command.cwd {
            Some(cwd) => bwrap.arg("--chdir").arg(format!("/workspace/{cwd}")),
            None => bwrap.args(["--chdir", "/workspace"]),
        };
        bwrap.arg("--clearenv");
        let path = self.config.read_only.iter().map(|folder| folder.join("bin")).filter(|bin| bin.is_dir());
        let path: String = path.map(|bin| format!("{}:", bin.display())).collect();
        let basic = [("PATH", format!("{path}{SYSTEM_PATH}"))].into_iter().chain(
            [("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8")].map(|(k, v)| (k, v.to_owned())),
        );
        for (name, value) in basic {
            bwrap.args(["--setenv", name, &value]);
        }
        for (name, value) in self.config.env.iter().chain(&command.env) {
            bwrap.args(["--setenv", name, value]);
        }
        bwrap.args(["--", "prlimit"]);
        bwrap.arg(format!("--nproc={0}:{0}", limits.processes));
        // What a process may write to, not what it may reserve: runtimes reserve far more than they use.
        bwrap.arg(format!("--data={0}:{0}", limits.memory_bytes));
        bwrap.arg(format!("--fsize={0}:{0}", limits.file_bytes));
        bwrap.args(["--core=0:0", "--nofile=4096:4096", "--"]);
        bwrap.args(&command.argv);
        bwrap
    }
}

/// The files of `/etc` that are made for the sandbox: programs ask who they are, and tests connect
/// to `localhost`.
pub(super) const ETC: [(&str, &str); 4] = [
    ("passwd", "sandbox:x:1000:1000::/tmp:/bin/sh\n"),
    ("group", "sandbox:x:1000:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];

/// What to do about a sandbox that can't be set up.
fn diagnose(said: &str) -> String {
    let advice = if said.contains("No permissions to create")
        || said.contains("amespace")
        || said.contains("uid map")
    {
        sysctl().unwrap_or_else(|| {
            "this machine allows no user namespaces: in a container, let its seccomp and AppArmor profile allow \
             unshare and mount"
                .into()
        })
    } else if said.contains("prlimit") {
        "install the package util-linux".into()
    } else if said.contains("Can't find source path") || said.contains("Permission denied") {
        "every folder of exec.read_only must be reachable for the user that commands run as (where the host is \
         root: exec.user, by default 65534)"
            .into()
    } else {
        return format!("bubblewrap can't set up a sandbox: {said}");
    };
    format!("bubblewrap can't set up a sandbox: {said}; {advice}")
}

/// The setting that forbids user namespaces, if it is one.
fn sysctl() -> Option<String> {
    let is = |path: &str, value: &str| std::fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    let settings = [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "15000"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ];
    let (name, _, good) = settings
        .into_iter()
        .find(|(name, bad, _)| is(&format!("/proc/sys/{}", name.replace('.', "/")), bad))?;
    Some(format!("user namespaces are off: sysctl -w {name}={good}"))
}

/// What a failure to start bubblewrap means. `user`: who it was to run as, if not as the host.
pub(super) fn not_started(bwrap: &Path, user: Option<u32>, error: &std::io::Error) -> ExecError {
    ExecError::Denied(match (error.kind(), user) {
        (ErrorKind::NotFound, _) => format!(
            "bubblewrap is not installed ({} was not found): install the package bubblewrap",
            bwrap.display()
        ),
        // As in a container that has no other id than its root's.
        (ErrorKind::InvalidInput | ErrorKind::PermissionDenied, Some(user)) => format!(
            "commands can't run as user {user} here ({error}): set exec.user to an id that this machine has, or to 0"
        ),
        _ => format!("{} can't be started: {error}", bwrap.display()),
    })
}
