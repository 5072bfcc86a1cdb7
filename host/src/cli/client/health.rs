//! `aiagent-host healthcheck`, `smoke`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::Client;
use super::{Failed, exit, follow};
use crate::cli::args::{Server, Smoke};
use crate::cli::paint::{BAD, FAINT, GOOD};
use crate::cli::progress::Progress;
use crate::config::Settings;
use crate::samples;
use crate::task::Reason;

/// A host that takes longer to say how it is, is not well.
const READY_WITHIN: Duration = Duration::from_secs(10);

pub(in crate::cli) async fn healthcheck(server: &Server, settings: &Settings) -> Result<u8, Failed> {
    let ready = ready(server, settings).await?;
    say!(
        "{GOOD}✓{GOOD:#} ready: {} plugins, {} tasks wait, {} run",
        ready["plugins"],
        ready["tasks"]["queued"],
        ready["tasks"]["running"]
    )?;
    Ok(0)
}

/// What `/readyz` says.
pub(in crate::cli) async fn ready(server: &Server, settings: &Settings) -> Result<Value, Failed> {
    let client = Client::new(server, settings)?;
    let asked = client.send::<Value>(client.get("/readyz"));
    match tokio::time::timeout(READY_WITHIN, asked).await {
        Ok(ready) => ready,
        Err(_) => Err(anyhow::anyhow!("no answer within {} s", READY_WITHIN.as_secs()).into()),
    }
}

pub(in crate::cli) async fn smoke(args: Smoke, settings: &Settings) -> Result<u8, Failed> {
    let samples = samples::all();
    let Some(sample) = samples.iter().find(|sample| sample.name == args.sample) else {
        let known: Vec<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
        let error = anyhow::anyhow!("no sample {:?}; there are: {}", args.sample, known.join(", "));
        return Err(Failed::usage(error));
    };
    let client = Client::new(&args.server, settings)?;
    let is_test = |path: &&str| path.rsplit('/').next().is_some_and(|name| name.starts_with("test_"));
    let paths = sample.files.iter().map(|file| file.path.as_str());
    let mut body = json!({
        "goal": sample.goal,
        "files": sample.files,
        "tests": paths.filter(is_test).collect::<Vec<_>>(),
        "budget": { "wall_s": args.timeout.max(1) },
    });
    if let Some(pipeline) = &args.pipeline {
        body["pipeline"] = json!(pipeline);
    }
    let began = Instant::now();
    let accepted: Value = client.send(client.post("/api/v1/tasks").json(&body)).await?;
    let id = accepted["id"].as_str().unwrap_or_default().to_owned();
    anstream::eprintln!("{FAINT}task {id}: {}{FAINT:#}", sample.goal.lines().next().unwrap_or_default());
    let mut progress = Progress::new(None);
    let followed = follow(&client, &id, 0, |event| {
        progress.show(&event.body);
        Ok(())
    });
    let Ok(followed) = tokio::time::timeout(Duration::from_secs(args.timeout), followed).await else {
        let cancelled = client.send::<Value>(client.post(&format!("/api/v1/tasks/{id}/cancel"))).await;
        let after = if cancelled.is_ok() { "cancelled" } else { "it can't be cancelled either" };
        say!("{BAD}✗{BAD:#} task {id} did not end within {} s; {after}. Is a worker running?", args.timeout)?;
        return Ok(exit::OTHERWISE);
    };
    let outcome = followed?;
    let seconds = began.elapsed().as_secs_f64();
    if outcome.reason == Reason::Green {
        say!("{GOOD}✓{GOOD:#} task {id} is green after {seconds:.1} s")?;
        return Ok(0);
    }
    say!("{BAD}✗{BAD:#} task {id} ended after {seconds:.1} s, and not green: {}", outcome.reason)?;
    say!("  aiagent-host show {id} tells how; aiagent-host doctor looks at the host")?;
    Ok(exit::OTHERWISE)
}
