//! Repositories that take for ever: each is given up, and nobody else waits for it.

use std::time::Instant;

use serde_json::{Value, json};

use crate::fake_model::FakeModel;
use crate::git_server::GitServer;
use crate::patience;
use crate::test_host::{Setup, TestHost, json};

/// Makes `repos/small`, `repos/stuck`, which git can't open to its end, and `repos/bomb`: 2^60 folders in 60 trees.
async fn repositories(setup: &Setup) -> GitServer {
    setup.file("repos/small/a.txt", "a\n");
    let script = "
        export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
        export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
        (cd small; git init -q -b main .; git add .; git commit -qm one)
        cp -r small stuck; mkfifo stuck/.git/objects/info/alternates
        git init -q --bare -b main bomb; cd bomb; tree=$(git mktree </dev/null)
        for level in $(seq 60); do
            tree=$(printf '040000 tree %s\ta\n040000 tree %s\tb\n' $tree $tree | git mktree)
        done
        git update-ref refs/heads/main $(git commit-tree -m one $tree)";
    let made =
        tokio::process::Command::new("sh").args(["-ec", script]).current_dir(setup.path("repos")).output();
    let made = made.await.expect("sh runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    GitServer::start(&setup.path("repos")).await
}

async fn submitted(host: &TestHost, body: &Value) -> (u16, String) {
    let (status, answer) = json(host.post("/api/v1/tasks").json(body)).await;
    (status.as_u16(), answer["detail"].as_str().unwrap_or_default().to_owned())
}

fn from(git: &Value) -> Value {
    json!({ "goal": "x", "git": git })
}

#[tokio::test]
async fn a_few_trees_that_are_very_many_folders_are_refused_at_once() {
    let setup = Setup::new().set("role", "dashboard");
    let server = repositories(&setup).await;
    let repos = setup.path("repos").display().to_string();
    let setup = setup.set("api.git_dirs", vec![repos.clone()]).set("workspace.max_files", 100);
    let host = setup.set("api.git_urls", vec![server.url("/")]).start().await;
    let path = format!("{repos}/bomb");
    let began = Instant::now();
    for git in [json!({ "path": path }), json!({ "url": server.url("/bomb") })] {
        let why = "too large at the revision: too many folders and files to look at".to_owned();
        assert_eq!(submitted(&host, &from(&git)).await, (422, why), "{git}");
    }
    // Long before `api.timeout_s`.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_repository_on_this_host_that_cannot_be_read_in_time_is_given_up() {
    let setup = Setup::new().set("role", "dashboard").set("api.timeout_s", 2);
    let _server = repositories(&setup).await;
    let repos = setup.path("repos").display().to_string();
    let host = setup.set("api.git_dirs", vec![repos.clone()]).start().await;
    let stuck = format!("{repos}/stuck");
    // More than there are turns.
    for _ in 0..5 {
        let (status, detail) = submitted(&host, &from(&json!({ "path": stuck }))).await;
        assert!(status == 504 && detail.starts_with(&format!("{stuck} was not read within 2 s")), "{detail}");
    }
    assert_eq!(submitted(&host, &from(&json!({ "path": format!("{repos}/small") }))).await.0, 202);
    assert_eq!(processes_with(&stuck), [] as [String; 0]);
}

#[tokio::test]
async fn nobody_waits_for_a_silent_server_but_who_asked_it() {
    let setup = Setup::new().set("role", "dashboard");
    let server = repositories(&setup).await;
    let repos = setup.path("repos").display().to_string();
    let setup = setup.set("api.git_dirs", vec![repos.clone()]).set("api.git_urls", vec![server.url("/")]);
    let host = setup.start().await;
    let files = json!([{ "path": "long.txt", "content": "x".repeat(2 << 20) }]);
    let silent = json!({ "goal": "x", "files": files, "git": { "url": server.url("/silent/x") } });
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let request = host.post("/api/v1/tasks").json(&silent);
            tokio_util::task::AbortOnDropHandle::new(tokio::spawn(request.send()))
        })
        .collect();
    patience("four requests", server.until_asked(4)).await;
    let began = Instant::now();
    assert_eq!(submitted(&host, &json!({ "goal": "x", "files": files })).await.0, 202);
    assert_eq!(submitted(&host, &from(&json!({ "path": format!("{repos}/small") }))).await.0, 202);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    drop(waiting);
}

#[tokio::test]
async fn a_batch_reads_a_repository_once() {
    let setup = Setup::new().set("role", "dashboard");
    let server = repositories(&setup).await;
    let host = setup.set("api.git_urls", vec![server.url("/")]).start().await;
    let task = |path: &str| json!({ "task": { "goal": path, "git": { "url": server.url(path) } } });
    let tasks = ["/small", "/none", "/small", "/none", "/small"].map(task);
    let (_, reply) = json(host.post("/api/v1/tasks/batch").json(&json!({ "tasks": tasks }))).await;
    let statuses = reply["results"].as_array().expect("a list").iter().map(|result| &result["status"]);
    assert_eq!(statuses.collect::<Vec<_>>(), [202, 422, 202, 422, 202], "{reply:#}");
    let mut asked = server.asked();
    asked.retain(|path| path.ends_with("/info/refs"));
    asked.sort_unstable();
    assert_eq!(asked, ["/none/info/refs", "/small/info/refs"]);
}

#[tokio::test]
async fn an_interrupt_ends_a_fetch_of_the_command_line() {
    let model = FakeModel::start([]).await;
    let setup = Setup::with_model(&model);
    let server = repositories(&setup).await;
    let silent = server.url("/silent/x");
    let child = setup.program().args(["run", "x", "--git", &silent]).spawn().expect("it starts");
    patience("a request", server.until_asked(1)).await;
    let id = child.id().expect("it runs").to_string();
    let sent = tokio::process::Command::new("sh").args(["-c", &format!("kill -INT {id}")]).status().await;
    assert!(sent.expect("sh runs").success());
    let said = patience("its end", child.wait_with_output()).await.expect("it ends");
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(text.contains("stopped before all of the repository was there"), "{text}");
    assert_eq!(processes_with(&silent), [] as [String; 0]);
}

/// Those whose command line has this in it.
fn processes_with(part: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("Linux").flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(part)).collect()
}
