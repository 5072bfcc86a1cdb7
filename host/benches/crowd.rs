//! 1,000 tasks at once, each a build that waits five seconds for a model and a check by `check-python`,
//! against one such task alone: the real binary, its API, its SQLite store, the first-party plugins.
//!
//! AIAGENT_BENCH_TASKS says how many instead, and AIAGENT_BENCH_WAIT how many seconds the model takes.

use std::io::Write as _;
use std::time::{Duration, Instant};

use aiagent_host::config::Environment;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use service::Service;
use tasks::{ANSWER, Tasks};

#[path = "support/model.rs"]
mod model;
#[path = "support/proc.rs"]
mod proc;
#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the benchmark of the start")]
mod service;
#[path = "support/tasks.rs"]
mod tasks;

/// As many as submit at a time: each has a connection.
const CLIENTS: usize = 256;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    aiagent_host::app::raise_open_files();
    let environment = Environment::of_process();
    let number = |name| environment.get(name).map(str::parse::<u32>).transpose();
    let many = number("AIAGENT_BENCH_TASKS")?.unwrap_or(1_000) as usize;
    let wait = Duration::from_secs(number("AIAGENT_BENCH_WAIT")?.unwrap_or(5).into());
    let model = model::start(ANSWER, wait).await?;
    let config = format!(
        "[models.default]\nbase_url = \"http://{model}/v1\"\nmodel = \"fake\"\nallow = [\"127.0.0.1\"]\n\
         [worker]\ntasks = {many}\n"
    );
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    // Fills the compile cache: what compiling takes is none of the crowd's.
    Service::start(folder.path(), &config).stop();

    let service = Service::start(folder.path(), &config);
    let crowd = Crowd { tasks: Tasks::at(&service.url), service };
    let alone = crowd.work_on(1).await?;
    let together = crowd.work_on(many).await?;
    crowd.tasks.all_green().await?;
    let cores = std::thread::available_parallelism()?;
    crowd.service.stop();

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "a model answers after {} s; a task is a build and a check by check-python",
        wait.as_secs()
    )?;
    writeln!(out, "one task alone is done after {:.2} s", alone.took.as_secs_f64())?;
    writeln!(
        out,
        "{many} tasks at once are done after {:.2} s ({:.2} s to submit them): {:.2} × one alone",
        together.took.as_secs_f64(),
        together.submitted.as_secs_f64(),
        together.took.as_secs_f64() / alone.took.as_secs_f64(),
    )?;
    writeln!(
        out,
        "the host took at most {} MiB ({} where shared pages count for each sandbox) and {} threads on {cores} cores, \
         and {:.1} ms of processor time a task",
        together.most.share_kib / 1024,
        together.most.resident_kib / 1024,
        together.most.threads,
        together.processor.as_secs_f64() * 1e3 / many as f64,
    )?;
    Ok(())
}

struct Crowd {
    tasks: Tasks,
    service: Service,
}

struct Worked {
    /// Until all were accepted.
    submitted: Duration,
    /// Until all had ended.
    took: Duration,
    most: proc::Most,
    processor: Duration,
}

impl Crowd {
    /// Submits so many tasks at once, and waits until all have ended.
    async fn work_on(&self, tasks: usize) -> anyhow::Result<Worked> {
        let process = self.service.id();
        let before = self.tasks.ended().await?;
        let processor = proc::processor(process)?;
        let began = Instant::now();
        let submitting = async {
            let submissions = stream::iter((0..tasks).map(|number| self.tasks.submit(number)));
            submissions.buffer_unordered(CLIENTS).try_collect::<()>().await?;
            anyhow::Ok(began.elapsed())
        };
        let waiting = async {
            let mut most = proc::Most::default();
            while self.tasks.ended().await? < before + tasks as u64 {
                most.look(process)?;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            anyhow::Ok((began.elapsed(), most))
        };
        let (submitted, (took, most)) = tokio::try_join!(submitting, waiting)?;
        Ok(Worked { submitted, took, most, processor: proc::processor(process)? - processor })
    }
}
