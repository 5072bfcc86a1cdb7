//! Commands that talk to a server: submit, show, events, cancel.

mod health;
mod http;
mod status;

use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::args::{Cancel, Events, Show, Submit};
use super::progress::Progress;
use super::{Failed, exit, out, paint, run};
use crate::api::FileBody;
use crate::config::Settings;
use crate::submission::Submission;
use crate::task::{Event, EventBody, Outcome, State, Task, now};
use crate::workspace::{Deadline, Mode, Tree};
pub(super) use health::{healthcheck, ready, smoke};
pub(super) use http::Client;
pub(super) use status::plugin_status;

pub(super) async fn submit(args: Submit, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&args.server, settings)?;
    let in_repository = args.git.is_some();
    let deadline = Deadline::new(Duration::from_secs(settings.api.timeout_s), CancellationToken::new());
    let submission = run::submission(&args.task, None, in_repository, &deadline, settings);
    let mut submission = submission.map_err(Failed::usage)?;
    submission.place = args.place();
    submission.budget.deadline = args.deadline();
    let mut body = body(&submission)?;
    if let Some(place) = &args.git {
        let key = if place.contains("://") { "url" } else { "path" };
        body["git"] = json!({ key: place, "revision": args.task.rev });
    }
    let mut request = client.post("/api/v1/tasks").json(&body);
    if let Some(key) = &args.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    let accepted: Value = client.send(request).await?;
    let id = accepted["id"].as_str().unwrap_or_default().to_owned();
    if args.json && !args.follow {
        say!("{accepted}")?;
    } else if !args.follow {
        say!("{id}")?;
    }
    if !args.follow {
        return Ok(0);
    }
    anstream::eprintln!("{}task {id}{}", paint::FAINT, paint::FAINT.render_reset());
    let mut progress = Progress::new(args.task.budget.rounds);
    let outcome = follow(&client, &id, 0, |event| {
        progress.show(&event.body);
        Ok(())
    })
    .await?;
    let task: Value = client.send(client.get(&format!("/api/v1/tasks/{id}"))).await?;
    let diff = client.text(client.get(&format!("/api/v1/tasks/{id}/diff"))).await?;
    if args.json {
        let mut whole = task;
        whole["diff"] = Value::from(diff);
        say!("{}", serde_json::to_string_pretty(&whole)?)?;
    } else {
        out::put(paint::diff(&diff))?;
    }
    Ok(run::code(&outcome))
}

pub(super) async fn show(args: Show, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&args.server, settings)?;
    let path = format!("/api/v1/tasks/{}", args.id);
    if args.json {
        let task: Value = client.send(client.get(&path)).await?;
        say!("{}", serde_json::to_string_pretty(&task)?)?;
        return Ok(0);
    }
    if !args.diff {
        let task: Task = client.send(client.get(&path)).await?;
        say!("{}", story(&task))?;
    }
    let diff = client.text(client.get(&format!("{path}/diff"))).await?;
    out::put(paint::diff(&diff))?;
    Ok(0)
}

pub(super) async fn events(args: Events, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&args.server, settings)?;
    let mut progress = Progress::new(None);
    let outcome = follow(&client, &args.id, args.after, |event| {
        if args.json {
            say!("{}", serde_json::to_string(&event)?)?;
        } else {
            progress.show(&event.body);
        }
        Ok(())
    })
    .await?;
    Ok(run::code(&outcome))
}

pub(super) async fn cancel(args: Cancel, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&args.server, settings)?;
    let reply: Value = client.send(client.post(&format!("/api/v1/tasks/{}/cancel", args.id))).await?;
    let said = match reply["state"].as_str() {
        Some("ended") => "ended: it was still waiting",
        Some("requested") => "it is running and will stop",
        Some("already-ended") => "it had already ended",
        other => {
            let error = anyhow::anyhow!("the server answered {other:?}");
            return Err(Failed { code: exit::OTHERWISE, error });
        }
    };
    say!("{said}")?;
    Ok(0)
}

/// Follows a task over cut connections, each time going on after the last event seen.
async fn follow(
    client: &Client,
    id: &str,
    mut after: u64,
    mut show: impl FnMut(Event) -> anyhow::Result<()>,
) -> Result<Outcome, Failed> {
    const PATIENCE: u32 = 30;
    let mut silent = 0;
    loop {
        match client.events(id, after).await {
            Ok(Some(mut stream)) => {
                while let Some(event) = stream.next().await {
                    silent = 0;
                    after = event.id;
                    if let EventBody::Ended { outcome, .. } = &event.body {
                        let outcome = outcome.clone();
                        show(event)?;
                        return Ok(outcome);
                    }
                    show(event)?;
                }
            }
            Ok(None) => {
                let task: Task = client.send(client.get(&format!("/api/v1/tasks/{id}"))).await?;
                let outcome =
                    task.outcome.ok_or_else(|| anyhow::anyhow!("the task ended without an outcome"))?;
                return Ok(outcome);
            }
            Err(http::StreamError::Final(failed)) => return Err(failed),
            Err(http::StreamError::Passing(error)) if silent >= PATIENCE => return Err(error.into()),
            Err(http::StreamError::Passing(_)) => {}
        }
        silent += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn body(submission: &Submission) -> anyhow::Result<Value> {
    let place = serde_json::to_value(&submission.place)?;
    let mut body = json!({
        "goal": submission.goal,
        "tests": submission.tests,
        "budget": submission.budget,
        "place": place,
        "files": files(&submission.tree)?,
        "protected": submission.changes.protected,
        "steps": submission.changes.steps,
    });
    if let Some(pipeline) = &submission.pipeline {
        body["pipeline"] = Value::from(pipeline.as_str());
    }
    Ok(body)
}

fn files(tree: &Tree) -> anyhow::Result<Vec<FileBody>> {
    let mut files = Vec::with_capacity(tree.len());
    for (path, file) in tree.iter() {
        anyhow::ensure!(
            file.mode != Mode::Link,
            "{path} is a link: send an archive through the API to keep links"
        );
        let text = file.text().map(str::to_owned);
        let base64 =
            text.is_none().then(|| base64::engine::general_purpose::STANDARD.encode(file.blob.bytes()));
        let executable = file.mode == Mode::Executable;
        files.push(FileBody { path: path.to_string(), content: text, base64, executable });
    }
    Ok(files)
}

/// A task in a few lines.
fn story(task: &Task) -> String {
    use std::fmt::Write as _;
    let mut out = format!("{}\ngoal: {}\n", task.id, task.spec.goal.trim_end());
    for round in &task.rounds {
        let found = match (&round.report, &round.failure) {
            (Some(report), _) => {
                format!("{} passed, {} failed", report.counts.passed, report.counts.failed)
            }
            (None, Some(failure)) => failure.clone(),
            (None, None) => "not checked yet".to_owned(),
        };
        let kind = format!("{:?}", round.kind).to_lowercase();
        writeln!(out, "round {} {kind}: {} → {found}", round.number, round.summary)
            .expect("a string takes all");
    }
    let state = match &task.outcome {
        Some(outcome) => outcome.reason.to_string(),
        None => match &task.postponed {
            Some(postponed) if task.state == State::Queued => {
                let seconds = postponed.until.saturating_sub(now()) / 1000;
                format!("waits for {seconds} s more: {}", postponed.why)
            }
            _ => format!("{:?}", task.state).to_lowercase(),
        },
    };
    write!(out, "{state} ({} tokens, {:.1} s)", task.spend.tokens(), task.spend.wall_ms as f64 / 1000.0)
        .expect("a string takes all");
    out
}
