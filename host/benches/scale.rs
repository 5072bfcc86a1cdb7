//! One, two and four workers on one Redis, on tasks whose model takes five seconds to answer: tasks per second, and
//! what Redis computes for them.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use redis_server::RedisServer;
use service::Service;
use tasks::{ANSWER, Tasks};

#[path = "support/model.rs"]
mod model;
#[path = "../tests/support/redis_server.rs"]
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
mod redis_server;
#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the benchmark of the start")]
mod service;
#[path = "support/tasks.rs"]
mod tasks;

const ANSWER_AFTER: Duration = Duration::from_secs(5);

/// What a worker holds at a time.
const PLACES: usize = 32;

/// How often each worker fills them.
const TURNS: usize = 4;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let model = model::start(ANSWER, ANSWER_AFTER).await?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let config = |role: &str, redis: &RedisServer| {
        format!(
            "role = {role:?}\nstore = {:?}\ncache_dir = {:?}\n[worker]\ntasks = {PLACES}\n[models.default]\n\
             base_url = \"http://{model}/v1\"\nmodel = \"fake\"\nallow = [\"127.0.0.1\"]\n",
            redis.url(),
            folder.path().join("compiled"),
        )
    };
    let start = |name: &str, role: &str, redis: &RedisServer| {
        let state = folder.path().join(name);
        std::fs::create_dir_all(&state)?;
        anyhow::Ok(Service::start(Path::new(&state), &config(role, redis)))
    };
    let mut alone = None;
    for workers in [1, 2, 4] {
        let redis = RedisServer::start("appendonly yes\nappendfsync everysec");
        let dashboard = start("dashboard", "dashboard", &redis)?;
        let tasks = Tasks::at(&dashboard.url);
        let many = workers * PLACES * TURNS;
        let submissions = stream::iter((0..many).map(|number| tasks.submit(number)));
        submissions.buffer_unordered(PLACES).try_collect::<()>().await?;
        let before = redis.cpu();
        let began = Instant::now();
        let services = (0..workers).map(|number| start(&format!("worker{number}"), "worker", &redis));
        let services: Vec<Service> = services.collect::<Result<_, _>>()?;
        while tasks.ended().await? < many as u64 {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let took = began.elapsed();
        let computed = redis.cpu() - before;
        tasks.all_green().await?;
        services.into_iter().for_each(Service::stop);
        dashboard.stop();
        let rate = many as f64 / took.as_secs_f64();
        writeln!(
            std::io::stdout().lock(),
            "{workers} workers of {PLACES} places: {many} tasks in {:.1} s, {rate:.2}/s, {:.2} × one worker; Redis: {:.2} ms \
             a task, {:.1} % of a core",
            took.as_secs_f64(),
            rate / *alone.get_or_insert(rate),
            computed.as_secs_f64() * 1e3 / many as f64,
            computed.as_secs_f64() / took.as_secs_f64() * 100.0,
        )?;
    }
    Ok(())
}
