//! Commands that try to get out, to get at others, or to use up the machine.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use super::*;

/// Runs a script in a fresh sandbox; what it printed and how it ended.
async fn script(sandbox: &Sandbox, text: &str, limits: &ExecLimits) -> Output {
    run(sandbox, &sh(text), limits).await.expect("it runs")
}

/// Each line that the scripts print is a wall that did not hold.
#[tokio::test]
async fn nothing_outside_is_reached() {
    let Some(sandbox) = sandbox().await else { return };
    let limits = ExecLimits::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let outside = tempfile::tempdir().unwrap();
    std::fs::set_permissions(outside.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let socket = outside.path().join("socket");
    let _listening = UnixListener::bind(&socket).unwrap();
    let (own, at) = (std::process::id(), outside.path().display());
    let cases = [
        (
            "the network",
            format!(
                "perl -MSocket -e '
                    for my $to ([127,0,0,1,{port}], [1,1,1,1,53], [169,254,169,254,80]) {{
                        my ($a, $b, $c, $d, $port) = @$to;
                        socket(my $s, PF_INET, SOCK_STREAM, 0) or next;
                        print \"reached $a\\n\" if connect($s, sockaddr_in($port, pack \"C4\", $a, $b, $c, $d));
                    }}
                    socket(my $u, PF_UNIX, SOCK_STREAM, 0);
                    print \"reached a socket\\n\" if connect($u, sockaddr_un(\"{}\"));
                    print \"a raw socket\\n\" if socket(my $r, PF_INET, SOCK_RAW, 1);'
                [ $(ls /sys/class/net 2>/dev/null | wc -l) = 0 ] || echo sees devices",
                socket.display()
            ),
        ),
        (
            "files outside",
            format!(
                "for at in / /usr /usr/bin /etc /dev /proc /proc/sys/kernel /run /var /home /root {at}; do
                    (echo x > $at/made-by-a-test) 2>/dev/null && echo wrote to $at
                    (mkdir $at/made-by-a-test) 2>/dev/null && echo made a folder in $at
                done
                for file in /etc/passwd /etc/hosts /usr/bin/env /dev/kmsg /proc/sys/kernel/core_pattern \
                    /proc/sysrq-trigger /proc/self/oom_score_adj_; do
                    (echo x >> $file) 2>/dev/null && echo wrote to $file
                done
                ln -s {at} out; (echo x > out/made-by-a-test) 2>/dev/null && echo wrote through a link
                ls /etc/shadow /etc/ssh /root/.ssh /home/* /var/log /boot 2>/dev/null
                mknod device b 8 0 2>/dev/null && echo made a device
                mount -t tmpfs none /tmp 2>/dev/null && echo mounts
                mount -o remount,rw / 2>/dev/null && echo remounts
                chroot . true 2>/dev/null && echo changes its root
                true"
            ),
        ),
        (
            "other processes",
            format!(
                "[ $(ls -d /proc/[0-9]* | wc -l) -lt 8 ] || echo sees others
                [ $$ -lt 20 ] || echo sees the ids of others
                kill -0 {own} 2>/dev/null && echo found its host
                kill -9 {own} 2>/dev/null && echo reached its host
                cat /proc/{own}/environ 2>/dev/null
                renice -n -5 -p $$ 2>/dev/null
                true"
            ),
        ),
        (
            "more rights",
            "grep -E '^(CapEff|CapPrm|CapBnd|CapAmb):' /proc/self/status | grep -v '0000000000000000$'
            grep -q '^NoNewPrivs:.*1$' /proc/self/status || echo new rights are possible
            cp /usr/bin/id own-id && chmod 4755 own-id; [ $(./own-id -u) = 1000 ] || echo became another
            for program in su mount passwd newgrp chsh sudo pkexec; do
                file=$(command -v $program) || continue
                [ -u $file ] && $file --help 2>&1 | grep -q 'must be suid' && echo runs as its owner: $program
            done
            echo x | su root -c id 2>/dev/null
            unshare --user --map-root-user id 2>/dev/null
            unshare --mount true 2>/dev/null && echo makes namespaces
            nsenter --target 1 --mount true 2>/dev/null && echo enters namespaces
            true"
                .to_owned(),
        ),
    ];
    for (name, text) in cases {
        let output = script(&sandbox, &text, &limits).await;
        let said = format!("{}{}", text_of(&output.stdout), text_of(&output.stderr));
        assert_eq!((said.as_str(), output.ending), ("", Ending::Exited(0)), "{name}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "someone connected");
    assert!(!outside.path().join("made-by-a-test").exists());
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every process of a sandbox may be sent a signal from inside, and none outside hears of it.
#[tokio::test]
async fn a_signal_to_everyone_stays_inside() {
    let Some(sandbox) = sandbox().await else { return };
    let beside = tokio::process::Command::new("sleep").arg("70010.5").kill_on_drop(true).spawn().unwrap();
    let output = script(&sandbox, "sleep 1000 & kill -9 -1; echo still here", &ExecLimits::default()).await;
    // Everyone but who sends it.
    assert_eq!((text_of(&output.stdout).as_str(), output.ending), ("still here\n", Ending::Exited(0)));
    assert!(runs("70010.5"));
    drop(beside);
}

#[tokio::test]
async fn what_fills_the_machine_is_stopped() {
    let Some(sandbox) = sandbox().await else { return };
    let limits = ExecLimits {
        memory_bytes: 200 << 20,
        processes: 40,
        file_bytes: 4 << 20,
        temp_bytes: 8 << 20,
        temp_files: 500,
        disk_bytes: 16 << 20,
        disk_files: 2_000,
        ..ExecLimits::default()
    };
    let cases = [
        (
            "many files",
            "i=0; while :; do head -c 4000000 /dev/zero > f$i; i=$((i+1)); done",
            "MiB of the disk",
        ),
        (
            "many empty files",
            "perl -e 'my $i; while (1) { open my $f, \">\", \"f\" . $i++ }'",
            "more than 2000 files in the workspace",
        ),
        (
            "folders in folders",
            "perl -e 'mkdir \"d\" and chdir \"d\" for 1 .. 1500; sleep 1000'",
            "nested more than 1000 folders",
        ),
        (
            "many empty files in /tmp",
            "perl -e 'my $i; while (1) { open my $f, \">\", \"/tmp/f\" . $i++ }'",
            "more than 500 files in /tmp",
        ),
        (
            "many empty files in /dev/shm",
            "perl -e 'my $i; while (1) { open my $f, \">\", \"/dev/shm/f\" . $i++ }'",
            "more than 500 files in /dev/shm",
        ),
        ("a fork bomb", "f() { f | f & f; }; f; wait; sleep 1000", "its processes were more than 40 at once"),
    ];
    for (name, text, why) in cases {
        let output = script(&sandbox, text, &limits).await;
        let said = text_of(&output.stderr);
        // The kernel's own limit may come first, and the shell then gives up by itself.
        let bombs = name == "a fork bomb" && output.ending != Ending::TimedOut;
        assert!(bombs || (output.ending == Ending::Signalled(9) && said.contains(why)), "{name}: {output:?}");
        assert!(output.duration_ms < 15_000, "{name}: {output:?}");
    }
}

/// Removed by name and still open, a file's content is found by nobody: the disk's free room tells.
#[test]
fn a_disk_that_fills_up_in_secret_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let room = room::Room::new(dir.path(), &ExecLimits::default()).unwrap();
    assert_eq!(room.over(None), None);
    let full = room.keeping_free(u64::MAX);
    assert!(full.over(None).is_some_and(|why| why.contains("MiB of the disk free")));
}

/// More folders in one another than a stack has room for, made faster than anyone looks. Neither reading
/// the files back nor removing them may go down there step by step.
#[tokio::test]
async fn no_depth_of_folders_ends_the_host() {
    if sandbox().await.is_none() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = SandboxConfig { temp: Some(temp.path().to_owned()), ..SandboxConfig::default() };
    let sandbox = Sandbox::probe(config).await;
    let text = "perl -e 'mkdir \"d\" and chdir \"d\" or die for 1 .. 12000; chmod 0, \".\"'; echo made";
    let error = run(&sandbox, &sh(text), &ExecLimits::default()).await;
    // Whoever comes first: the watch, or the reading of what is left.
    let told = match &error {
        Ok(output) => output.ending == Ending::Signalled(9),
        Err(ExecError::Other(why)) => why.contains("is longer than 1024 bytes"),
        Err(_) => false,
    };
    assert!(told, "{error:?}");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}
