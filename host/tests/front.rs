//! The product through its front doors: the program itself with its real plugins, and a model's
//! server that answers by script.

use std::time::Duration;

#[path = "support/fake_model.rs"]
mod fake_model;
#[path = "support/git_server.rs"]
mod git_server;
#[path = "support/guest.rs"]
#[expect(dead_code, reason = "shared with the tests of the runtime")]
mod guest;
#[path = "support/oidc.rs"]
mod oidc;
#[allow(dead_code, reason = "each of the crates that include this uses a part of it")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/sse.rs"]
mod sse;
#[path = "support/steady.rs"]
mod steady;
#[path = "support/test_host.rs"]
mod test_host;

#[path = "front/sample.rs"]
mod sample;
#[path = "front/tasks.rs"]
mod tasks;
#[path = "front/carried.rs"]
mod carried;
#[path = "front/refusals.rs"]
mod refusals;
#[path = "front/service.rs"]
mod service;
#[path = "front/systemd.rs"]
mod systemd;
#[path = "front/backup.rs"]
mod backup;
#[path = "front/doctor.rs"]
mod doctor;
#[path = "front/migrate.rs"]
mod migrate;
#[path = "front/kill.rs"]
mod kill;
#[path = "front/many.rs"]
mod many;
#[path = "front/rolling.rs"]
mod rolling;
#[path = "front/clocks.rs"]
mod clocks;
#[path = "front/full_disk.rs"]
mod full_disk;
#[path = "front/run.rs"]
mod run;
#[path = "front/commands.rs"]
mod commands;
#[path = "front/many_commands.rs"]
mod many_commands;
#[path = "front/config.rs"]
mod config;
#[path = "front/samples.rs"]
mod samples;
#[path = "front/plugins.rs"]
mod plugins;
#[path = "front/swap.rs"]
mod swap;
#[path = "front/projects.rs"]
mod projects;
#[path = "front/conformance.rs"]
mod conformance;
#[path = "front/examples.rs"]
mod examples;
#[path = "front/page.rs"]
mod page;
#[path = "front/access.rs"]
mod access;
#[path = "front/limits.rs"]
mod limits;
#[path = "front/upload.rs"]
mod upload;
#[path = "front/sign_in.rs"]
mod sign_in;
#[path = "front/again.rs"]
mod again;
#[path = "front/bulk.rs"]
mod bulk;
#[path = "front/batch.rs"]
mod batch;
#[path = "front/changes.rs"]
mod changes;
#[path = "front/git_urls.rs"]
mod git_urls;
#[path = "front/git_turns.rs"]
mod git_turns;
#[path = "front/away.rs"]
mod away;
#[path = "front/deadlines.rs"]
mod deadlines;
#[path = "front/otlp.rs"]
mod otlp;
#[path = "front/bad_models.rs"]
mod bad_models;
#[path = "front/tls.rs"]
mod tls;
#[path = "front/keys.rs"]
mod keys;
#[path = "front/confined.rs"]
mod confined;
#[path = "front/interpreter.rs"]
mod interpreter;
#[path = "front/logs.rs"]
mod logs;

/// Waits for something that surely comes. What does not come in two minutes never will.
async fn patience<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(120), future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come within two minutes"),
    }
}
#[path = "front/visitors.rs"]
mod visitors;
