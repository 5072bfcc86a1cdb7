//! Starting the service with a warm compile cache, against the first start of all, which compiles.
//!
//! From the process's start until it listens, with the first-party plugins loaded.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use service::{Service, binary};

#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the benchmark of a crowd")]
mod service;

const WARM_STARTS: usize = 15;

fn main() -> std::io::Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let cold = start(folder.path());
    let warm: Vec<_> = (0..WARM_STARTS).map(|_| start(folder.path())).collect();
    let process: Vec<_> = (0..WARM_STARTS).map(|_| version()).collect();
    let (warm, process) = (sorted(warm), sorted(process));
    let median = warm[WARM_STARTS / 2];
    let mut out = std::io::stdout().lock();
    writeln!(out, "a first start takes {:.2} s: it compiles the plugins", cold.as_secs_f64())?;
    writeln!(
        out,
        "a start with a warm compile cache takes {:.0} ms ({:.0} to {:.0} in {WARM_STARTS}): {:.3} × the first, \
         {:.0} × `--version` ({:.1} ms)",
        millis(median),
        millis(warm[0]),
        millis(warm[WARM_STARTS - 1]),
        median.as_secs_f64() / cold.as_secs_f64(),
        millis(median) / millis(process[WARM_STARTS / 2]),
        millis(process[WARM_STARTS / 2]),
    )
}

fn start(folder: &Path) -> Duration {
    let service = Service::start(folder, "");
    let took = service.took;
    service.stop();
    took
}

/// The binary, doing nothing.
fn version() -> Duration {
    let began = Instant::now();
    assert!(binary().arg("--version").output().expect("it runs").status.success());
    began.elapsed()
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
