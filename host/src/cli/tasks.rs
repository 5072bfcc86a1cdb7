//! `aiagent-host tasks`, and `aiagent-host task …`: looking for tasks, and doing the same to many.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::args::{Again, Chosen, FilterArgs, TaskCommand, Tasks};
use super::client::Client;
use super::{Failed, exit, out, paint};
use crate::api::MOST_IDS;
use crate::config::Settings;

pub(super) async fn tasks(args: Tasks, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&args.server, settings)?;
    let mut query = query(args.filter.wanted());
    query.push(("limit".to_owned(), args.limit.to_string()));
    query.extend(args.after.map(|after| ("cursor".to_owned(), after)));
    let page: Value = client.send(client.get("/api/v1/tasks").query(&query)).await?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&page)?)?;
        return Ok(0);
    }
    let tasks = page["tasks"].as_array().map(Vec::as_slice).unwrap_or(&[]);
    if tasks.is_empty() {
        anstream::eprintln!("no task; send one with `aiagent-host submit GOAL`");
    }
    for task in tasks {
        let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
        let state = match task["reason"]["kind"].as_str() {
            Some(reason) => reason.to_owned(),
            None => text("state"),
        };
        let goal = text("goal").lines().next().unwrap_or_default().chars().take(60).collect::<String>();
        say!("{}  {state:<14} {:<10} {goal}", text("id"), text("pipeline"))?;
    }
    if let Some(next) = page["next"].as_str() {
        anstream::eprintln!(
            "… and more: raise --limit, narrow with --state, --text, …, or go on with --after {next}"
        );
    }
    Ok(0)
}

pub(super) async fn task(command: TaskCommand, settings: &Settings) -> Result<u8, Failed> {
    match command {
        TaskCommand::Cancel(chosen) => bulk(&chosen, "cancel", "cancelled", settings).await,
        TaskCommand::Requeue(chosen) => bulk(&chosen, "requeue", "requeued", settings).await,
        TaskCommand::Delete(chosen) => bulk(&chosen, "delete", "deleted", settings).await,
        TaskCommand::Again(again) => run_again(*again, settings).await,
        TaskCommand::Count { filter, server, json } => {
            count(&Client::new(&server, settings)?, &filter, json).await
        }
        TaskCommand::Diff { id, round, from, with, server } => {
            let client = Client::new(&server, settings)?;
            let rounds = [("round", round), ("from", from)];
            let request = client.get(&format!("/api/v1/tasks/{id}/diff")).query(&rounds);
            let request = request.query(&[("with", with)]);
            out::put(paint::diff(&client.text(request).await?))?;
            Ok(0)
        }
        TaskCommand::Archive { id, to, round, server } => {
            archive(&Client::new(&server, settings)?, &id, to, round).await
        }
        TaskCommand::Journal { id, from, server } => {
            journal(&Client::new(&server, settings)?, &id, from).await
        }
    }
}

/// `deed` as the API calls it, `done` as one says it afterwards.
async fn bulk(chosen: &Chosen, deed: &str, done: &str, settings: &Settings) -> Result<u8, Failed> {
    let client = Client::new(&chosen.server, settings)?;
    let mut whole = Bulk::default();
    if !chosen.ids.is_empty() {
        for ids in chosen.ids.chunks(MOST_IDS) {
            if let Err(failed) = whole.send(&client, deed, &json!({ "ids": ids })).await {
                // What the requests before it have done stays done.
                if whole.matched > 0 {
                    whole.tell(done, chosen.json)?;
                }
                return Err(failed);
            }
        }
        return whole.tell(done, chosen.json);
    }
    let wanted = chosen.filter.wanted();
    if wanted.is_empty() && !chosen.all {
        let error = anyhow::anyhow!(
            "which tasks? name their ids, or give a filter such as --state ended --older-than 30d; --all is for all"
        );
        return Err(Failed::usage(error));
    }
    let found: Value = client.send(client.get("/api/v1/tasks/count").query(&query(wanted.clone()))).await?;
    let number = found["count"].as_u64().unwrap_or_default();
    if number == 0 {
        anstream::eprintln!("no task matches");
        return whole.tell(done, chosen.json);
    }
    if !chosen.yes {
        anstream::eprintln!("{}match: nothing is done without --yes", tasks_of(&found));
        return Ok(exit::OTHERWISE);
    }
    whole.send(&client, deed, &json!({ "filter": wanted, "expect": number })).await?;
    whole.tell(done, chosen.json)
}

/// What several requests came to.
#[derive(Default)]
struct Bulk {
    matched: u64,
    done: u64,
    refused: Vec<Value>,
}

impl Bulk {
    async fn send(&mut self, client: &Client, deed: &str, body: &Value) -> Result<(), Failed> {
        let request = client.post(&format!("/api/v1/tasks/bulk/{deed}")).json(body);
        let mut reply: Value = client.send(request).await?;
        let number = |key: &str| reply[key].as_u64().unwrap_or_default();
        self.matched += number("matched");
        self.done += number("done");
        if let Value::Array(refused) = reply["refused"].take() {
            self.refused.extend(refused);
        }
        Ok(())
    }

    fn tell(self, done: &str, json: bool) -> Result<u8, Failed> {
        let Self { matched, done: number, refused } = self;
        if json {
            say!("{}", json!({ "matched": matched, "done": number, "refused": refused }))?;
        } else {
            say!("{done}: {number} of {matched}")?;
            for one in &refused {
                let text = |key: &str| one[key].as_str().unwrap_or_default();
                anstream::eprintln!("{}: {}", text("id"), text("why"));
            }
            let unsaid = (matched - number).saturating_sub(refused.len() as u64);
            if unsaid > 0 {
                anstream::eprintln!("… and {unsaid} more that were left as they are");
            }
        }
        Ok(if number == matched { 0 } else { exit::OTHERWISE })
    }
}

/// Prints the id of each new task.
async fn run_again(again: Again, settings: &Settings) -> Result<u8, Failed> {
    let changes = changes(&again);
    if again.chosen.ids.is_empty() {
        if !changes.is_empty() {
            let error = anyhow::anyhow!(
                "tasks that a filter finds run again as they were: name by its id what is to be changed"
            );
            return Err(Failed::usage(error));
        }
        return bulk(&again.chosen, "again", "run again", settings).await;
    }
    let client = Client::new(&again.chosen.server, settings)?;
    for id in &again.chosen.ids {
        let request = client.post(&format!("/api/v1/tasks/{id}/again")).json(&changes);
        let accepted: Value = client.send(request).await?;
        if again.chosen.json {
            say!("{accepted}")?;
        } else {
            say!("{}", accepted["id"].as_str().unwrap_or_default())?;
        }
    }
    Ok(0)
}

fn changes(again: &Again) -> Map<String, Value> {
    let steps = again.steps.wish();
    let budget = json!(again.budget.wish());
    object([
        ("goal", again.goal.as_deref().map(Value::from)),
        ("pipeline", again.with_pipeline.as_deref().map(Value::from)),
        ("round", again.round.map(Value::from)),
        ("steps", (!steps.is_empty()).then(|| json!(steps))),
        ("protected", (!again.protect.is_empty()).then(|| json!(again.protect))),
        ("budget", Some(budget).filter(|budget| *budget != json!({}))),
    ])
}

/// Of what is given.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

async fn count(client: &Client, filter: &FilterArgs, json: bool) -> Result<u8, Failed> {
    let found: Value = client.send(client.get("/api/v1/tasks/count").query(&query(filter.wanted()))).await?;
    if json {
        say!("{found}")?;
    } else {
        say!("{}", tasks_of(&found).trim_end())?;
    }
    Ok(0)
}

/// `12 tasks `, of an answer to the question how many there are.
fn tasks_of(found: &Value) -> String {
    let least = if found["exact"] == true { "" } else { "at least " };
    let number = found["count"].as_u64().unwrap_or_default();
    format!("{least}{number} {} ", if number == 1 { "task" } else { "tasks" })
}

async fn archive(client: &Client, id: &str, to: Option<PathBuf>, round: Option<usize>) -> Result<u8, Failed> {
    let request = client.get(&format!("/api/v1/tasks/{id}/archive")).query(&[("round", round)]);
    let bytes = client.bytes(request).await?;
    let to = to.unwrap_or_else(|| PathBuf::from(format!("{id}.tar.gz")));
    if to == Path::new("-") {
        let mut out = std::io::stdout().lock();
        out.write_all(&bytes)?;
        // Nobody hears of what fails at the exit.
        out.flush()?;
        return Ok(0);
    }
    let file = OpenOptions::new().write(true).create_new(true).open(&to);
    let written = file.and_then(|mut file| file.write_all(&bytes));
    written.with_context(|| format!("can't write {}", to.display()))?;
    anstream::eprintln!("{} bytes in {}", bytes.len(), to.display());
    Ok(0)
}

async fn journal(client: &Client, id: &str, mut from: u32) -> Result<u8, Failed> {
    loop {
        let request = client.get(&format!("/api/v1/tasks/{id}/journal")).query(&[("from", from)]);
        let page: Value = client.send(request).await?;
        for step in page["steps"].as_array().into_iter().flatten() {
            say!("{step}")?;
        }
        match page["next"].as_u64().and_then(|next| u32::try_from(next).ok()) {
            Some(next) => from = next,
            None => return Ok(0),
        }
    }
}

fn query(wanted: Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    wanted.into_iter().map(|(key, value)| (key, text(value))).collect()
}
