//! Tasks of the benchmarks, through a host's API: a build that a model answers, and a check by `check-python`.

use anyhow::{Context as _, ensure};
use reqwest::Client;
use serde_json::{Value, json};

const TEST: &str = r#"from slug import slugify


def test_words():
    assert slugify("Hello World") == "hello-world"


def test_punctuation():
    assert slugify("What's up, Doc?") == "whats-up-doc"
"#;

pub(crate) const ANSWER: &str = r#"Here is the module:

```python
# slug.py
import re


def slugify(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")
```
"#;

pub(crate) struct Tasks {
    client: Client,
    /// `http://127.0.0.1:PORT`
    url: String,
}

impl Tasks {
    pub(crate) fn at(url: &str) -> Self {
        aiagent_host::model::install_tls();
        Self { client: Client::new(), url: url.to_owned() }
    }

    pub(crate) async fn submit(&self, number: usize) -> anyhow::Result<()> {
        let task = json!({
            "goal": format!("Write slug.py with slugify(text) that makes a URL slug. This is task {number}."),
            "files": [{ "path": "test_slug.py", "content": TEST }],
            "tests": ["test_slug.py"],
        });
        let sent = self.client.post(format!("{}/api/v1/tasks", self.url)).json(&task).send().await?;
        ensure!(sent.status() == 202, "{}: {}", sent.status(), sent.text().await?);
        Ok(())
    }

    /// How many have.
    pub(crate) async fn ended(&self) -> anyhow::Result<u64> {
        self.get("/readyz").await?["tasks"]["ended"].as_u64().context("a count")
    }

    /// Each at its first try.
    pub(crate) async fn all_green(&self) -> anyhow::Result<()> {
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
        let answer = self.client.get(format!("{}{path}", self.url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}
