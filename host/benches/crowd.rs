//! 1,000 tasks at once, each a build that waits five seconds for a model and a check by `check-python`,
//! against one such task alone: the real binary, its API, its SQLite store, the first-party plugins.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use reqwest::Client;
use serde_json::{Value, json};
use service::Service;

#[path = "support/model.rs"]
mod model;
#[path = "support/proc.rs"]
mod proc;
#[path = "support/service.rs"]
#[expect(dead_code, reason = "shared with the benchmark of the start")]
mod service;

const TASKS: usize = 1_000;
const ANSWER_AFTER: Duration = Duration::from_secs(5);

const TEST: &str = r#"from slug import slugify


def test_words():
    assert slugify("Hello World") == "hello-world"


def test_punctuation():
    assert slugify("What's up, Doc?") == "whats-up-doc"
"#;

const ANSWER: &str = r#"Here is the module:

```python
# slug.py
import re


def slugify(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")
```
"#;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    aiagent_host::app::raise_open_files();
    let model = model::start(ANSWER, ANSWER_AFTER).await?;
    let config = format!(
        "[models.default]\nbase_url = \"http://{model}/v1\"\nmodel = \"fake\"\nallow = [\"127.0.0.1\"]\n"
    );
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    // Fills the compile cache: what compiling takes is none of the crowd's.
    Service::start(folder.path(), &config).stop();

    let service = Service::start(folder.path(), &config);
    aiagent_host::model::install_tls();
    let crowd = Crowd { client: Client::new(), service };
    let alone = crowd.work_on(1).await?;
    let together = crowd.work_on(TASKS).await?;
    crowd.all_green().await?;
    let cores = std::thread::available_parallelism()?;
    crowd.service.stop();

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "a model answers after {} s; a task is a build and a check by check-python",
        ANSWER_AFTER.as_secs()
    )?;
    writeln!(out, "one task alone is done after {:.2} s", alone.took.as_secs_f64())?;
    writeln!(
        out,
        "{TASKS} tasks at once are done after {:.2} s ({:.2} s to submit them): {:.2} × one alone",
        together.took.as_secs_f64(),
        together.submitted.as_secs_f64(),
        together.took.as_secs_f64() / alone.took.as_secs_f64(),
    )?;
    writeln!(
        out,
        "the host took at most {} MiB and {} threads on {cores} cores, and {:.1} ms of processor time a task",
        together.most.resident_kib / 1024,
        together.most.threads,
        together.processor.as_secs_f64() * 1e3 / TASKS as f64,
    )?;
    Ok(())
}

struct Crowd {
    client: Client,
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
        let before = self.ended().await?;
        let processor = proc::processor(process)?;
        let began = Instant::now();
        let submitting = async {
            try_join_all((0..tasks).map(|number| self.submit(number))).await?;
            anyhow::Ok(began.elapsed())
        };
        let waiting = async {
            let mut most = proc::Most::default();
            while self.ended().await? < before + tasks as u64 {
                most.look(process)?;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            anyhow::Ok((began.elapsed(), most))
        };
        let (submitted, (took, most)) = tokio::try_join!(submitting, waiting)?;
        Ok(Worked { submitted, took, most, processor: proc::processor(process)? - processor })
    }

    async fn submit(&self, number: usize) -> anyhow::Result<()> {
        let task = json!({
            "goal": format!("Write slug.py with slugify(text) that makes a URL slug. This is task {number}."),
            "files": [{ "path": "test_slug.py", "content": TEST }],
            "tests": ["test_slug.py"],
        });
        let sent = self.client.post(format!("{}/api/v1/tasks", self.service.url)).json(&task).send().await?;
        ensure!(sent.status() == 202, "{}: {}", sent.status(), sent.text().await?);
        Ok(())
    }

    async fn ended(&self) -> anyhow::Result<u64> {
        self.get("/readyz").await?["tasks"]["ended"].as_u64().context("a count")
    }

    async fn all_green(&self) -> anyhow::Result<()> {
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/api/v1/tasks?limit=200{cursor}")).await?;
            for task in page["tasks"].as_array().context("tasks")? {
                ensure!(task["reason"]["kind"] == "green" && task["rounds"] == 1, "{task}");
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(()),
            }
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.client.get(format!("{}{path}", self.service.url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}
