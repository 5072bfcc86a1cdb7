//! A task that asks for something otherwise than its pipeline has it: parts, protected files, a repository.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::refusals::form;
use crate::sample;
use crate::test_host::{Setup, TestHost, json, plugins, text};

async fn accepted(host: &TestHost, path: &str, body: &Value) -> Value {
    let (status, accepted) = json(host.post(path).json(body)).await;
    assert_eq!(status, 202, "{accepted}");
    host.task(accepted["id"].as_str().expect("an id")).await
}

fn names(task: &Value) -> [&Value; 4] {
    let pipeline = &task["spec"]["pipeline"];
    [&pipeline["builder"]["name"], &pipeline["fixer"], &pipeline["checker"]["name"], &pipeline["model"]]
}

#[tokio::test]
async fn parts_take_the_place_of_the_pipelines() {
    let setup = Setup::new();
    let builder = std::fs::read(plugins().join("builder.wasm")).expect("built");
    let more = setup.file("more/agent.wasm", builder);
    let folders = [plugins(), more.parent().expect("a folder").to_owned()];
    let host = setup
        .set("plugins_dir", folders.map(|dir| dir.display().to_string()).to_vec())
        .set("pipelines.default.builder_settings.tone", "plain")
        .set("pipelines.other.max_rounds", 2)
        .set("models.large.model", "large")
        .set("models.large.base_url", "https://models.example/v1")
        .set("role", "dashboard")
        .start()
        .await;
    let steps = json!({ "builder": "agent", "fixer": "", "model": "large" });
    let body = json!({ "goal": "Anything", "steps": steps, "protected": ["docs/**"] });
    let task = accepted(&host, "/api/v1/tasks", &body).await;
    let changed = [&json!("agent"), &Value::Null, &json!("check-python"), &json!("large")];
    assert_eq!(names(&task), changed);
    assert_eq!(task["spec"]["pipeline"]["builder"]["settings"], json!({}));
    assert_eq!(task["spec"]["changes"], json!({ "steps": steps, "protected": ["docs/**"] }));
    let protected = task["spec"]["pipeline"]["protected"].as_array().expect("a list");
    assert!(protected.len() > 1 && protected.contains(&json!("docs/**")), "{protected:?}");

    // Running it again is running it as it was, unless something else is asked for.
    let again = format!("/api/v1/tasks/{}/again", task["id"].as_str().expect("an id"));
    let same = accepted(&host, &again, &json!({})).await;
    assert_eq!((names(&same), &same["spec"]["changes"]), (changed, &task["spec"]["changes"]));
    let other = accepted(&host, &again, &json!({ "pipeline": "other" })).await;
    assert_eq!(other["spec"]["changes"], json!({ "protected": ["docs/**"] }));
    let bare = accepted(&host, &again, &json!({ "steps": {}, "protected": [] })).await;
    assert_eq!((&bare["spec"]["changes"], names(&bare)[0]), (&Value::Null, &json!("builder")));

    let many = vec!["a"; 257];
    for (body, said) in [
        (json!({ "steps": { "builder": "agnt" } }), "there is no builder \"agnt\": did you mean \"agent\"?"),
        (json!({ "steps": { "builder": "x" } }), "there is no builder \"x\": loaded are: agent, builder"),
        (
            json!({ "steps": { "checker": "agent" } }),
            "there is no checker \"agent\": that is the name of a plugin that is a builder",
        ),
        (json!({ "steps": { "model": "lage" } }), "there is no model \"lage\": did you mean \"large\"?"),
        (json!({ "protected": ["a["] }), "protected: \"a[\" is not a glob"),
        (
            json!({ "protected": many }),
            "protected: 257 globs are more than 256: name folders, such as \"tests/**\"",
        ),
    ] {
        let (status, problem) = json(host.post(&again).json(&body)).await;
        let detail = problem["detail"].as_str().expect("text");
        assert!(status == 422 && detail.starts_with(said), "{status} {detail}");
    }
}

#[tokio::test]
async fn a_file_that_a_task_protects_is_kept() {
    let note = "\n```text\n# docs/a.txt\nchanged\n```\n";
    let model =
        FakeModel::start([Reply::Says(format!("{}{note}", sample::WRONG)), Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    let (tests, notes) = (setup.file("test_add.py", sample::TEST), setup.file("in/docs/a.txt", "kept\n"));
    let host = setup.start().await;
    let dir = notes.ancestors().nth(2).expect("a folder").display().to_string();
    let tests = tests.display().to_string();
    let args = ["submit", sample::GOAL, "--dir", &dir, "--tests", &tests, "--protect", "docs/**", "*.cfg"];
    let said =
        setup.run(args.into_iter().chain(["--follow", "--fixer", "fixer", "--server", &host.url])).await;
    assert_eq!((said.code, said.out.as_str()), (0, sample::DIFF), "{}", said.err);
    let (_, page) = json(host.get("/api/v1/tasks")).await;
    let task = host.task(page["tasks"][0]["id"].as_str().expect("an id")).await;
    let changes = json!({ "steps": { "fixer": "fixer" }, "protected": ["docs/**", "*.cfg"] });
    assert_eq!(task["spec"]["changes"], changes);
}

#[tokio::test]
async fn a_task_starts_from_a_repository_of_the_host() {
    let setup = Setup::new().set("role", "dashboard");
    setup.file("repos/shop/shop.py", "first\n");
    setup.file("else/secret.txt", "secret\n");
    let git = "cd repos/shop && git init -q . && git add . && git -c user.name=t -c user.email=t@t commit -qm first \
               && git tag v1 && echo second > shop.py && git -c user.name=t -c user.email=t@t commit -qam second \
               && ln -s ../else ../link";
    let made =
        tokio::process::Command::new("sh").args(["-c", git]).current_dir(setup.path("")).status().await;
    assert!(made.expect("sh runs").success());
    let repos = setup.path("repos").display().to_string();
    let shop = setup.path("repos/shop").display().to_string();
    let setup = setup.set("api.git_dirs", vec![repos.clone()]);
    let host = setup.start().await;
    let (_, about) = json(host.get("/api/v1/about")).await;
    assert_eq!(about["git_dirs"], json!([repos]));

    // A task that nobody works on has the tree it began with; its archive holds that.
    let files = async |id: &str| {
        let bytes = host.get(&format!("/api/v1/tasks/{id}/archive")).send().await.expect("an answer");
        let bytes = bytes.bytes().await.expect("whole");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
            let mut entry = entry.expect("an entry");
            let path = entry.path().expect("a path").display().to_string();
            (path, std::io::read_to_string(&mut entry).expect("text"))
        };
        archive.entries().expect("an archive").map(read).collect::<Vec<_>>()
    };
    let pair = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let id = host.submit(&json!({ "goal": "x", "git": { "path": shop } })).await;
    let (_, diff) = text(host.get(&format!("/api/v1/tasks/{id}/diff?round=0"))).await;
    assert_eq!(diff, "");
    assert_eq!(files(&id).await, [pair("shop.py", "second\n")]);
    let over = json!([{ "path": "test_shop.py", "content": "t" }, { "path": "shop.py", "content": "mine" }]);
    let body = json!({ "goal": "x", "git": { "path": shop, "revision": "v1" }, "files": over, "tests": ["test_shop.py"] });
    let id = host.submit(&body).await;
    assert_eq!(files(&id).await, [pair("shop.py", "mine"), pair("test_shop.py", "t")]);
    let said = setup
        .run(["submit", "x", "--git", &shop, "--rev", "v1", "--tests", "shop.py", "--server", &host.url])
        .await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(files(said.out.trim()).await, [pair("shop.py", "first\n")]);
    let repository = json!({ "path": shop, "revision": "v1" }).to_string();
    let (_, sent) = json(form(&host, &[("goal", b"x"), ("git", repository.as_bytes())])).await;
    assert_eq!(files(sent["id"].as_str().expect("an id")).await, [pair("shop.py", "first\n")]);

    let outside = |path: &str| {
        format!(
            "{path:?} is no folder within those that the operator lists in api.git_dirs; GET /api/v1/about lists them"
        )
    };
    let (elsewhere, link) = (setup.path("else").display().to_string(), format!("{repos}/link"));
    let (none, up) = (setup.path("none").display().to_string(), format!("{repos}/../else"));
    for path in [&elsewhere, &link, &none, &up, "shop"] {
        let (status, problem) =
            json(host.post("/api/v1/tasks").json(&json!({ "goal": "x", "git": { "path": path } }))).await;
        assert_eq!((status.as_u16(), &problem["detail"]), (422, &json!(outside(path))));
    }
    let (status, problem) = json(
        host.post("/api/v1/tasks").json(&json!({ "goal": "x", "git": { "path": shop, "revision": "v9" } })),
    )
    .await;
    let detail = problem["detail"].as_str().expect("text");
    assert!(status == 422 && detail.contains("no revision \"v9\""), "{detail}");
    let both = form(&host, &[("goal", b"x"), ("git", repository.as_bytes()), ("archive", b"x")]);
    assert_eq!(text(both).await.0, 422);
}

#[tokio::test]
async fn without_a_list_no_repository_is_read() {
    let host = Setup::new().set("role", "dashboard").start().await;
    let (status, problem) =
        json(host.post("/api/v1/tasks").json(&json!({ "goal": "x", "git": { "path": "/" } }))).await;
    let detail = "this host takes no files from its own repositories: the operator lists their folders in api.git_dirs";
    assert_eq!((status.as_u16(), &problem["detail"]), (403, &json!(detail)));
    let said = Setup::new().set("api.git_dirs", vec!["repos"]).run(["--print-config"]).await;
    assert!(said.err.contains("api.git_dirs: repos is no absolute path"), "{}", said.err);
}
