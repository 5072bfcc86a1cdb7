//! What a sandboxed step costs: a no-op builder against a direct trait call, and against a process.
//!
//! `cargo bench --bench step` prints the three, then their ratios from the same run.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;

use aiagent_host::plugin::Call;
use async_trait::async_trait;
use samples::{Samples, criterion};

#[path = "../tests/support/guest.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod guest;
#[path = "../tests/support/outside.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod outside;
#[path = "support/samples.rs"]
mod samples;

/// What a step would be without a sandbox.
#[async_trait]
trait Builder {
    async fn build(&self, call: Call) -> String;
}

struct Direct;

#[async_trait]
impl Builder for Direct {
    async fn build(&self, call: Call) -> String {
        drop(call);
        "done".to_owned()
    }
}

#[expect(clippy::print_stdout, reason = "the ratios are what this program is for")]
fn main() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let tokio = tokio.expect("a runtime");
    let plugins = guest::Folder::new().with("noop", guest::guest("builder", "noop"));
    let runtime = tokio.block_on(plugins.start());
    let world = outside::World::new(outside::Model::Never);
    let direct: Arc<dyn Builder> = Arc::new(Direct);
    let (step, call, process) = (Samples::default(), Samples::default(), Samples::default());

    let mut criterion = criterion();
    criterion.bench_function("no-op step", |bench| {
        bench.iter_custom(|n| {
            step.time(n, || {
                let ended = tokio.block_on(runtime.build("noop", world.call()));
                assert!(black_box(ended).result.is_ok());
            })
        });
    });
    criterion.bench_function("direct trait call", |bench| {
        bench.iter_custom(|n| call.time(n, || drop(black_box(tokio.block_on(direct.build(world.call()))))));
    });
    criterion.bench_function("spawn /bin/true", |bench| {
        bench.iter_custom(|n| {
            process.time(n, || {
                let status = Command::new("/bin/true").status().expect("/bin/true runs");
                assert!(black_box(status).success());
            })
        });
    });
    criterion.final_summary();
    let (step, call, process) = (step.median(), call.median(), process.median());
    println!(
        "\na no-op step takes {step:.1} µs: {:.0} × a direct trait call ({call:.2} µs), \
         {:.3} × a process ({process:.0} µs)",
        step / call,
        step / process,
    );
}
