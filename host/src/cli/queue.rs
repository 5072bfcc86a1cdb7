//! `aiagent-host queue …`: what waits and runs where, and how to steer it.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::args::Queue;
use super::client::Client;
use super::{Failed, exit, out};
use crate::api::MOST_TASKS;
use crate::app;
use crate::config::Settings;

pub(super) async fn queue(command: Queue, settings: &Settings) -> Result<u8, Failed> {
    match command {
        Queue::Stats { server, json } => stats(&Client::new(&server, settings)?, json).await,
        Queue::Pause { queue, server } => set(&Client::new(&server, settings)?, &queue, "pause").await,
        Queue::Resume { queue, server } => set(&Client::new(&server, settings)?, &queue, "resume").await,
        Queue::Dead { server, limit, json } => dead(&Client::new(&server, settings)?, limit, json).await,
        Queue::Add { file, server } => add(&Client::new(&server, settings)?, &file).await,
        Queue::Requeue { ids, server } => requeue(&Client::new(&server, settings)?, &ids).await,
        Queue::Fsck => fsck(settings).await,
        Queue::Gc => gc(settings).await,
    }
}

async fn stats(client: &Client, json: bool) -> Result<u8, Failed> {
    let mut all: Value = client.send(client.get("/api/v1/queues")).await?;
    let mut workers: Value = client.send(client.get("/api/v1/workers")).await?;
    all["workers"] = workers["workers"].take();
    if json {
        say!("{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(0);
    }
    let tasks = &all["tasks"];
    say!("tasks    {} waiting, {} running, {} ended", tasks["queued"], tasks["running"], tasks["ended"])?;
    let rows = |key: &str| all[key].as_array().cloned().unwrap_or_default();
    for queue in rows("queues") {
        let paused = if queue["paused"] == true { ", paused" } else { "" };
        let (waiting, delayed) = (&queue["waiting"], &queue["delayed"]);
        let name = queue["name"].as_str().unwrap_or_default();
        say!(
            "queue    {name}: {waiting} waiting, {delayed} not before later, {} running{paused}",
            queue["running"]
        )?;
    }
    for worker in rows("workers") {
        let draining = if worker["draining"] == true { ", draining" } else { "" };
        let (name, version) = (worker["name"].as_str(), worker["version"].as_str());
        let (name, version) = (name.unwrap_or_default(), version.unwrap_or_default());
        say!(
            "worker   {name}: {} of {} tasks, version {version}{draining}",
            worker["running"],
            worker["capacity"]
        )?;
    }
    if rows("workers").is_empty() {
        anstream::eprintln!("no worker has been heard of within a minute");
    }
    Ok(0)
}

async fn set(client: &Client, queue: &str, verb: &str) -> Result<u8, Failed> {
    let reply: Value = client.send(client.post(&format!("/api/v1/queues/{queue}/{verb}"))).await?;
    let is = if reply["paused"] == true { "is paused: what runs goes on" } else { "is served" };
    say!("queue {queue} {is}")?;
    Ok(0)
}

async fn dead(client: &Client, limit: usize, json: bool) -> Result<u8, Failed> {
    let query = [("dead", "true".to_owned()), ("limit", limit.to_string())];
    let page: Value = client.send(client.get("/api/v1/tasks").query(&query)).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&page)?)?;
        return Ok(0);
    }
    for task in page["tasks"].as_array().into_iter().flatten() {
        let reason = &task["reason"];
        let (kind, message) = (reason["kind"].as_str(), reason["message"].as_str());
        say!(
            "{}  {}: {}",
            task["id"].as_str().unwrap_or_default(),
            kind.unwrap_or("?"),
            message.unwrap_or_default()
        )?;
    }
    if page["next"].is_string() {
        anstream::eprintln!("… and more: raise --limit");
    }
    Ok(0)
}

/// A request holds about so many bytes; one line is as long as it likes.
const MOST_BYTES: usize = 8 << 20;

async fn add(client: &Client, file: &Path) -> Result<u8, Failed> {
    let named = file.display();
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    let text = text.with_context(|| format!("can't read {named}")).map_err(Failed::usage)?;
    let mut tasks = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let task: Value = serde_json::from_str(line)
            .with_context(|| format!("{named}, line {number} is no JSON; nothing was sent"))
            .map_err(Failed::usage)?;
        tasks.push((number, line.len(), task));
    }
    let (mut rest, mut refused) = (&tasks[..], false);
    let total = tasks.len();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(MOST_TASKS).take_while(|(_, length, _)| {
            bytes += length;
            bytes <= MOST_BYTES
        });
        let (part, later) = rest.split_at(fits.count().max(1));
        refused |= match send(client, part).await {
            Ok(refused) => refused,
            Err(failed) if failed.is_broken_pipe() => return Err(failed),
            Err(Failed { code, error }) => {
                let (first, last) = (part[0].0, part[part.len() - 1].0);
                let state = match code {
                    exit::USAGE => "are refused",
                    _ => "may be taken or not",
                };
                let before = total - rest.len();
                let error = error.context(format!(
                    "{before} of {total} tasks were sent before this; lines {first} to {last} {state}, and nothing after them was sent"
                ));
                return Err(Failed { code, error });
            }
        };
        rest = later;
    }
    Ok(if refused { exit::OTHERWISE } else { 0 })
}

/// Says whether one was refused.
async fn send(client: &Client, tasks: &[(u64, usize, Value)]) -> Result<bool, Failed> {
    let bodies: Vec<&Value> = tasks.iter().map(|(.., task)| task).collect();
    let request = client.post("/api/v1/tasks/batch").json(&json!({ "tasks": bodies }));
    let reply: Value = client.send(request).await?;
    let results = reply["results"].as_array().map_or(&[][..], Vec::as_slice);
    let mut refused = false;
    for ((line, ..), result) in tasks.iter().zip(results) {
        match result["id"].as_str() {
            Some(id) => say!("{id}")?,
            None => {
                refused = true;
                let detail = result["problem"]["detail"].as_str().unwrap_or_default();
                anstream::eprintln!("line {line}: {detail} (HTTP {})", result["status"]);
            }
        }
    }
    if results.len() != tasks.len() {
        return Err(anyhow::anyhow!("{} tasks have {} answers", tasks.len(), results.len()).into());
    }
    Ok(refused)
}

async fn requeue(client: &Client, ids: &[String]) -> Result<u8, Failed> {
    for id in ids {
        let _: Value = client.send(client.post(&format!("/api/v1/tasks/{id}/requeue"))).await?;
        say!("{id} waits again")?;
    }
    Ok(0)
}

async fn fsck(settings: &Settings) -> Result<u8, Failed> {
    let store = app::open_store(settings).await.map_err(Failed::usage)?;
    let found = store.fsck().await?;
    if found.is_empty() {
        anstream::eprintln!("the store is sound");
        return Ok(0);
    }
    for line in &found {
        out::put(format!("{line}\n"))?;
    }
    Ok(exit::OTHERWISE)
}

async fn gc(settings: &Settings) -> Result<u8, Failed> {
    let store = app::open_store(settings).await.map_err(Failed::usage)?;
    let collected = store.gc(app::keep(settings)).await?;
    say!("deleted {} tasks and {} blobs", collected.tasks, collected.blobs)?;
    Ok(0)
}
