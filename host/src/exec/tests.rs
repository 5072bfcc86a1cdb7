mod hostile;

use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::workspace::{Blob, Limits, Mode, Tree, TreePath};

/// The sandbox of this machine. `None` only where bubblewrap is not installed: where it is and does
/// not work, these tests say so.
async fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::probe(SandboxConfig::default()).await;
    match sandbox.refusal() {
        None => Some(sandbox),
        Some(why) if why.contains("is not installed") => None,
        Some(why) => panic!("bubblewrap is installed, but exec is refused here: {why}"),
    }
}

fn tree(files: &[(&str, &str, Mode)]) -> Tree {
    let mut tree = Tree::new(Limits { bytes: 1 << 20, files: 100 });
    for (path, text, mode) in files {
        tree.put(TreePath::parse(path).unwrap(), Blob::new(text.as_bytes().to_vec()), Some(*mode)).unwrap();
    }
    tree
}

fn command(argv: &[&str]) -> Command {
    let argv = argv.iter().map(|text| (*text).to_owned()).collect();
    Command { argv, cwd: None, env: Vec::new(), stdin: None, timeout_ms: Some(20_000) }
}

fn sh(script: &str) -> Command {
    command(&["sh", "-c", script])
}

async fn run(sandbox: &Sandbox, command: &Command, limits: &ExecLimits) -> Result<Output, ExecError> {
    let tree = tree(&[("a/b", "", Mode::Regular)]);
    sandbox.run(&tree, command, limits, &CancellationToken::new()).await.map(|(output, _)| output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_command_sees_only_its_own() {
    let Some(sandbox) = sandbox().await else { return };
    let script = "id -u; pwd; ls; env | sort; hostname; ls / /root /home 2>/dev/null; getent hosts localhost
        tail -n +3 /proc/net/dev | cut -d: -f1
        for at in / /usr /etc /dev /proc /workspace /tmp /dev/shm; do touch $at/x 2>/dev/null && echo writes $at; done
        unshare --user true 2>/dev/null && echo nests
        ls -d /proc/[0-9]* | wc -l";
    let mut command = sh(script);
    command.env.push(("EXTRA".into(), "a b".into()));
    let output = run(&sandbox, &command, &ExecLimits::default()).await.unwrap();
    let seen = text(&output.stdout);
    let rest = seen.trim_end().rsplit_once('\n').unwrap();
    let processes: u32 = rest.1.trim().parse().unwrap();
    assert!(processes < 8, "{seen}");
    let system = ["bin", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "tmp", "usr", "workspace"];
    let shown: Vec<&str> = rest.0.lines().filter(|line| !system.contains(line) && *line != "/:").collect();
    let expected = [
        "1000",
        "/workspace",
        "a",
        "EXTRA=a b",
        "HOME=/tmp",
        "LANG=C.UTF-8",
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "PWD=/workspace",
        "TMPDIR=/tmp",
        "sandbox",
        "::1             localhost",
        "    lo",
        "writes /workspace",
        "writes /tmp",
        "writes /dev/shm",
    ];
    assert_eq!(
        (shown, text(&output.stderr), output.ending),
        (expected.to_vec(), String::new(), Ending::Exited(0))
    );
}

#[tokio::test]
async fn files_come_back() {
    let Some(sandbox) = sandbox().await else { return };
    let base = tree(&[
        ("edit", "1\n", Mode::Regular),
        ("gone", "2\n", Mode::Regular),
        ("run", "#!/bin/sh\necho ran $1 > made\n", Mode::Executable),
        ("target/ours", "kept\n", Mode::Regular),
        ("to-edit", "edit", Mode::Link),
    ]);
    let script =
        "./run once && echo 1 >> to-edit && rm gone && chmod +x edit && ln -s a/b inner && mkdir -p a/target;
        echo deep > a/target/x; echo more > target/new; ln -s /etc/passwd outer; mkfifo pipe";
    let limits = ExecLimits::default();
    let cancel = CancellationToken::new();
    let (output, left) = sandbox.run(&base, &sh(script), &limits, &cancel).await.unwrap();
    let Some(left) = left else { panic!("nothing came back: {output:?}") };
    let expected = tree(&[
        ("edit", "1\n1\n", Mode::Executable),
        ("inner", "a/b", Mode::Link),
        ("made", "ran once\n", Mode::Regular),
        ("run", "#!/bin/sh\necho ran $1 > made\n", Mode::Executable),
        ("target/new", "more\n", Mode::Regular),
        ("target/ours", "kept\n", Mode::Regular),
        ("to-edit", "edit", Mode::Link),
    ]);
    assert_eq!(left, expected, "{output:?}");

    let (_, left) = sandbox.run(&base, &sh("cat edit; mkdir empty"), &limits, &cancel).await.unwrap();
    assert_eq!(left, None);
    let checker = ExecLimits { read_back: false, ..limits.clone() };
    let (_, left) = sandbox.run(&base, &sh("echo x > edit"), &checker, &cancel).await.unwrap();
    assert_eq!(left, None);
    let too_much =
        sandbox.run(&base, &sh("head -c 2000000 /dev/zero > big"), &limits, &cancel).await.unwrap_err();
    let ExecError::Other(why) = too_much else { panic!("{too_much:?}") };
    assert_eq!(
        why,
        "the files the command left can't be taken over: too large at \"big\": all files together hold more than \
         1048576 bytes"
    );
}

#[tokio::test]
async fn nothing_stays_on_disk() {
    if sandbox().await.is_none() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = SandboxConfig { temp: Some(temp.path().to_owned()), ..SandboxConfig::default() };
    let sandbox = Sandbox::probe(config).await;
    let limits = ExecLimits { read_back: false, ..ExecLimits::default() };
    let script = "mkdir -p locked/a; touch locked/a/b; chmod 0 locked/a locked; ls -d /workspace/locked";
    let output = run(&sandbox, &sh(script), &limits).await.unwrap();
    assert_eq!(text(&output.stdout), "/workspace/locked\n");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn every_ending_is_typed() {
    let Some(sandbox) = sandbox().await else { return };
    let limits = ExecLimits::default();
    let cases = [
        (sh("echo out; echo err >&2; exit 3"), Ending::Exited(3), "out\n", "err\n"),
        (sh("kill -9 $$"), Ending::Signalled(9), "", ""),
        (sh("kill -TERM $$"), Ending::Signalled(15), "", ""),
        (Command { stdin: Some(b"given".to_vec()), ..command(&["cat"]) }, Ending::Exited(0), "given", ""),
        (Command { stdin: Some(vec![b'x'; 1 << 20]), ..command(&["true"]) }, Ending::Exited(0), "", ""),
        (Command { cwd: Some("a".into()), ..command(&["pwd"]) }, Ending::Exited(0), "/workspace/a\n", ""),
        (sh("exec >&- 2>&-; sleep 0.1; exit 4"), Ending::Exited(4), "", ""),
        (sh("sleep 1000 & echo done"), Ending::Exited(0), "done\n", ""),
    ];
    for (command, ending, stdout, stderr) in cases {
        let output = run(&sandbox, &command, &limits).await.unwrap();
        assert_eq!(
            (output.ending, text(&output.stdout).as_str(), text(&output.stderr).as_str()),
            (ending, stdout, stderr),
            "{command:?}"
        );
    }
    let env = |name: &str| Command { env: vec![(name.into(), "x".into())], ..command(&["true"]) };
    let cwd = |path: &str| Command { cwd: Some(path.into()), ..command(&["true"]) };
    let cases = [
        (command(&["no-such-program"]), "no such program: no-such-program"),
        (command(&["./b"]), "no such program: ./b"),
        (command(&[]), "bad command: argv names no program"),
        (command(&["a\0b"]), "bad command: a string holds NUL"),
        (env("A=B"), "bad command: a variable's name is empty or holds ="),
        (cwd("a/b"), "bad command: cwd \"a/b\" is not a folder of the workspace"),
        (cwd("../etc"), "bad command: cwd: invalid path: \"../etc\" climbs out with .."),
        (
            command(&["x", &"y".repeat(100_000)]),
            "bad command: arguments and environment are longer than 96 KiB together",
        ),
    ];
    for (command, expected) in cases {
        assert_eq!(run(&sandbox, &command, &limits).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn long_output_keeps_both_ends() {
    let Some(sandbox) = sandbox().await else { return };
    let limits = ExecLimits { output_bytes: 1_000, ..ExecLimits::default() };
    let script = "echo first; head -c 5000000 /dev/zero; echo last; head -c 10 /dev/zero >&2";
    let output = run(&sandbox, &sh(script), &limits).await.unwrap();
    assert!(output.stdout.starts_with(b"first\n") && output.stdout.ends_with(b"last\n"));
    let sizes = (output.stdout.len(), output.stderr.len(), output.dropped);
    assert_eq!(sizes, (1_000, 10, 5_000_000 + 11 - 1_000));
}

#[tokio::test]
async fn limits_hold() {
    let Some(sandbox) = sandbox().await else { return };
    let limits = ExecLimits {
        memory_bytes: 100 << 20,
        processes: 20,
        file_bytes: 1 << 20,
        temp_bytes: 1 << 20,
        ..ExecLimits::default()
    };
    // The kernel does not count root's processes, whatever they may do; the watch does.
    let as_root = Sandbox::probe(SandboxConfig { user: Some(0), ..SandboxConfig::default() }).await;
    let fork = "for i in $(seq 60); do sleep 30 & done; wait; echo all of them";
    for sandbox in [&sandbox, &as_root] {
        let output = run(sandbox, &sh(fork), &limits).await.unwrap();
        assert!(output.ending != Ending::Exited(0) && output.stdout.is_empty(), "{output:?}");
        assert!(output.duration_ms < 15_000, "{output:?}");
    }

    let output = run(&sandbox, &sh("head -c 3000000 /dev/zero > big; echo $?"), &limits).await.unwrap();
    assert_ne!(text(&output.stdout), "0\n", "{output:?}");
    for place in ["/tmp", "/dev/shm"] {
        let script = format!("for i in 1 2 3; do head -c 900000 /dev/zero > {place}/$i || exit 7; done");
        assert_eq!(run(&sandbox, &sh(&script), &limits).await.unwrap().ending, Ending::Exited(7), "{place}");
    }
    // More than the limit in one process, then in several together.
    let hold = "perl -e '$kept = \"x\" x 80_000_000; sleep 30'";
    let one = ExecLimits { memory_bytes: 40 << 20, ..limits.clone() };
    let output = run(&sandbox, &sh(hold), &one).await.unwrap();
    assert_ne!(output.ending, Ending::Exited(0), "{output:?}");
    let output = run(
        &sandbox,
        &sh(&format!("{hold} & {hold} & {hold} & wait")),
        &ExecLimits { memory_bytes: 200 << 20, processes: 100, ..limits },
    )
    .await
    .unwrap();
    assert_eq!(output.ending, Ending::Signalled(9), "{output:?}");
    assert!(text(&output.stderr).contains("held more than 200 MiB of memory together"), "{output:?}");
}

/// Whether a process runs with this argument anywhere on the machine.
fn runs(argument: &str) -> bool {
    let needle = format!("\0{argument}\0").into_bytes();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.starts_with(b"sleep\0") && line.windows(needle.len()).any(|window| window == needle)
    })
}

async fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "waited too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn no_process_outlives_its_command() {
    let Some(sandbox) = sandbox().await else { return };
    // One in the background, one in a session of its own, one that ignores signals.
    let script = |seconds: &str| {
        sh(&format!(
            "sleep {seconds} & setsid sleep {seconds} & trap '' TERM INT HUP; sleep {seconds}; sleep {seconds}"
        ))
    };
    let limits = ExecLimits::default();

    let quick = Command { timeout_ms: Some(300), ..script("70001.5") };
    let output = run(&sandbox, &quick, &limits).await.unwrap();
    assert_eq!(output.ending, Ending::TimedOut);
    assert!(output.duration_ms >= 300);
    until(|| !runs("70001.5")).await;

    let cancel = CancellationToken::new();
    let tree = Tree::default();
    let long = script("70002.5");
    let cancelled = async {
        until(|| runs("70002.5")).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(sandbox.run(&tree, &long, &limits, &cancel), cancelled);
    assert_eq!(result.unwrap_err(), ExecError::Other("cancelled".into()));
    until(|| !runs("70002.5")).await;

    let task = tokio::spawn(async move {
        let (tree, cancel) = (Tree::default(), CancellationToken::new());
        let long = script("70003.5");
        sandbox.run(&tree, &long, &ExecLimits::default(), &cancel).await.map(drop)
    });
    until(|| runs("70003.5")).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    until(|| !runs("70003.5")).await;
}

#[tokio::test]
async fn a_command_waits_for_its_turn() {
    if sandbox().await.is_none() {
        return;
    }
    let sandbox = Sandbox::probe(SandboxConfig { parallel: 1, ..SandboxConfig::default() }).await;
    let limits = ExecLimits::default();
    let (tree, first, second) = (Tree::default(), CancellationToken::new(), CancellationToken::new());
    let (one, two) = (command(&["sleep", "70005.5"]), command(&["sleep", "70006.5"]));
    let quick = Command { timeout_ms: Some(300), ..command(&["sleep", "70007.5"]) };
    let cancelled = async {
        until(|| runs("70005.5")).await;
        assert!(!runs("70006.5"));
        second.cancel();
        first.cancel();
    };
    let (one, two, ()) = tokio::join!(
        sandbox.run(&tree, &one, &limits, &first),
        sandbox.run(&tree, &two, &limits, &second),
        cancelled
    );
    let ended = ExecError::Other("cancelled".into());
    assert_eq!((one.unwrap_err(), two.unwrap_err()), (ended.clone(), ended));
    // Turns come back, and a command's time starts with its turn.
    let (output, _) = sandbox.run(&tree, &quick, &limits, &CancellationToken::new()).await.unwrap();
    assert_eq!(output.ending, Ending::TimedOut);
    assert!(!runs("70006.5"));
}

#[test]
fn no_process_outlives_the_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(sandbox) = runtime.block_on(sandbox()) else { return };
    runtime.spawn(async move {
        let (tree, cancel) = (Tree::default(), CancellationToken::new());
        sandbox.run(&tree, &command(&["sleep", "70004.5"]), &ExecLimits::default(), &cancel).await.map(drop)
    });
    runtime.block_on(until(|| runs("70004.5")));
    drop(runtime);
    let after = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    after.block_on(until(|| !runs("70004.5")));
}

#[tokio::test]
async fn a_machine_that_cannot_says_why() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let fake = |name: &str, said: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{said}' >&2\nexit 1\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        SandboxConfig { bwrap: path, ..SandboxConfig::default() }
    };
    let missing = SandboxConfig { bwrap: dir.path().join("none"), ..SandboxConfig::default() };
    let unreadable = SandboxConfig { read_only: vec!["/no/such/folder".into()], ..SandboxConfig::default() };
    let cases = [
        (missing, "install the package bubblewrap"),
        (fake("userns", "bwrap: No permissions to create new namespace"), "user namespaces"),
        (
            fake("prlimit", "bwrap: execvp prlimit: No such file or directory"),
            "install the package util-linux",
        ),
        (fake("odd", "bwrap: something else"), "can't set up a sandbox: bwrap: something else"),
        (unreadable, "exec.read_only: /no/such/folder is not a folder on this machine"),
    ];
    for (config, expected) in cases {
        let sandbox = Sandbox::probe(config).await;
        let why = sandbox.refusal().unwrap();
        assert!(why.contains(expected), "{why}");
        let error = run(&sandbox, &command(&["true"]), &ExecLimits::default()).await.unwrap_err();
        assert_eq!(error, ExecError::Denied(why.to_owned()));
    }
}

#[test]
fn a_run_may_move_between_threads() {
    fn is_send(_: impl Future + Send) {}
    let (sandbox, tree, cancel) = (Sandbox::refusing("off"), Tree::default(), CancellationToken::new());
    is_send(sandbox.run(&tree, &command(&["true"]), &ExecLimits::default(), &cancel));
}
