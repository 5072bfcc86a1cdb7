//! Tasks that start from a repository elsewhere: only where the operator says so, and only from there.

use serde_json::{Value, json};

use crate::fake_model::{FakeModel, Reply};
use crate::git_server::GitServer;
use crate::refusals::form;
use crate::sample;
use crate::test_host::{Setup, TestHost, json};

/// Makes `repos/team/shop` (`v1`, `main`, a branch `fix/one`), `repos/team/wide` and `repos/else/shop`.
async fn repositories(setup: &Setup) -> GitServer {
    setup.file("repos/team/shop/shop.py", "first\n");
    setup.file("repos/else/shop/secret.py", "secret\n");
    setup.file("repos/team/wide/noise", noise());
    let script = "
        begin() { cd $1; git init -q -b main .; git add .; git commit -qm first; }
        export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
        export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
        (begin else/shop); (begin team/wide); begin team/shop
        git tag -a v1 -m one; git checkout -qb fix/one; echo fixed > shop.py; git commit -qam fixed
        git checkout -q main; echo second > shop.py; git commit -qam second
        ln -s shop.py link; git add link; git commit -qm third
        git rev-parse main~1";
    let made =
        tokio::process::Command::new("sh").args(["-ec", script]).current_dir(setup.path("repos")).output();
    let made = made.await.expect("sh runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    setup.file("second", made.stdout.trim_ascii());
    GitServer::start(&setup.path("repos")).await
}

/// Three megabytes that no packing makes smaller.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(step).take(3 << 20).collect()
}

/// What a task starts from.
async fn files(host: &TestHost, id: &str) -> Vec<(String, String)> {
    let bytes = host.get(&format!("/api/v1/tasks/{id}/archive?round=0")).send().await.expect("an answer");
    let bytes = bytes.bytes().await.expect("whole");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        (path, std::io::read_to_string(&mut entry).expect("text"))
    };
    archive.entries().expect("an archive").map(read).collect()
}

fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

async fn refused(host: &TestHost, git: Value) -> (u16, String) {
    let (status, problem) = json(host.post("/api/v1/tasks").json(&json!({ "goal": "x", "git": git }))).await;
    (status.as_u16(), problem["detail"].as_str().expect("text").to_owned())
}

/// Nothing of what was fetched stays.
fn left_behind(setup: &Setup) -> Vec<String> {
    let entries = std::fs::read_dir(setup.path("state")).expect("the state folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("fetch")).collect()
}

#[tokio::test]
async fn a_task_starts_from_a_repository_elsewhere() {
    let setup = Setup::new().set("role", "dashboard");
    let server = repositories(&setup).await;
    let allowed = server.url("/team/");
    let setup = setup.set("api.git_urls", vec![allowed.clone()]);
    let host = setup.start().await;
    let (_, about) = json(host.get("/api/v1/about")).await;
    assert_eq!(about["git_urls"], json!([allowed]));
    let shop = server.url("/team/shop");

    let id = host.submit(&json!({ "goal": "x", "git": { "url": shop } })).await;
    assert_eq!(files(&host, &id).await, pairs(&[("link", ""), ("shop.py", "second\n")]));
    let second = std::fs::read_to_string(setup.path("second")).expect("written");
    for (revision, text) in [
        ("v1", "first\n"),
        ("fix/one", "fixed\n"),
        ("refs/tags/v1", "first\n"),
        (second.as_str(), "second\n"),
    ] {
        let id = host.submit(&json!({ "goal": "x", "git": { "url": shop, "revision": revision } })).await;
        assert_eq!(files(&host, &id).await, pairs(&[("shop.py", text)]), "{revision}");
    }
    let over = json!([{ "path": "shop.py", "content": "mine" }]);
    let body = json!({ "goal": "x", "git": { "url": format!("{shop}/"), "revision": "v1" }, "files": over });
    let id = host.submit(&body).await;
    assert_eq!(files(&host, &id).await, pairs(&[("shop.py", "mine")]));
    let repository = json!({ "url": shop, "revision": "v1" }).to_string();
    let (_, sent) = json(form(&host, &[("goal", b"x"), ("git", repository.as_bytes())])).await;
    assert_eq!(files(&host, sent["id"].as_str().expect("an id")).await, pairs(&[("shop.py", "first\n")]));
    let args =
        ["submit", "x", "--git", &shop, "--rev", "fix/one", "--tests", "shop.py", "--server", &host.url];
    let said = setup.run(args).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let id = said.out.trim();
    assert_eq!(files(&host, id).await, pairs(&[("shop.py", "fixed\n")]));
    assert_eq!(host.task(id).await["spec"]["tests"], json!(["shop.py"]));
    assert_eq!(left_behind(&setup), [] as [&str; 0]);
}

#[tokio::test]
async fn nothing_is_asked_that_the_operator_has_not_listed() {
    let setup = Setup::new().set("role", "dashboard");
    let server = repositories(&setup).await;
    let allowed = server.url("/team/");
    let host = setup.set("api.git_urls", vec![allowed.clone()]).start().await;
    let outside = |url: &str| {
        format!(
            "{url} is neither at nor below an address that the operator lists in api.git_urls; GET /api/v1/about lists them"
        )
    };
    let port = server.port();
    for url in [
        server.url("/else/shop"),
        server.url("/teams/shop"),
        server.url("/"),
        format!("http://127.0.0.1.example:{port}/team/shop"),
        format!("http://127.0.0.1.evil:{port}/team/shop"),
        format!("http://localhost:{port}/team/shop"),
        format!("https://127.0.0.1:{port}/team/shop"),
        format!("http://127.0.0.1:{}/team/shop", port ^ 1),
    ] {
        assert_eq!(refused(&host, json!({ "url": url })).await, (422, outside(&url)));
    }
    for (url, why) in [
        (server.url("/team/../else/shop"), "is not spelled out"),
        (server.url("/team/%2e%2e/else/shop"), "is not spelled out"),
        (server.url("/team/..%2felse/shop"), "has an encoded /"),
        (format!("http://127.0.0.1:{port}@evil.example/team/shop"), "the URL names a user"),
        (format!("http://me:pass@127.0.0.1:{port}/team/shop"), "the URL names a user"),
        (format!("{allowed}shop?service=x"), "has a ? or #"),
        ("--upload-pack=touch /tmp/x".to_owned(), "is no URL"),
        (format!("ext::sh -c {allowed}"), "is no https:// or http:// URL"),
        ("file:///srv/git/shop".to_owned(), "is no https:// or http:// URL"),
    ] {
        let (status, detail) = refused(&host, json!({ "url": url })).await;
        assert!(status == 422 && detail.contains(why), "{url}: {status} {detail}");
    }
    let shop = server.url("/team/shop");
    for revision in ["", "--upload-pack=touch", "main:other", "^main", "+main", "v1^{}", "main~1", "a b", "*"]
    {
        let (status, detail) = refused(&host, json!({ "url": shop, "revision": revision })).await;
        assert!(status == 422 && detail.contains("is no branch, tag or commit"), "{revision}: {detail}");
    }
    for git in [json!({}), json!({ "url": shop, "path": "/" })] {
        assert_eq!(refused(&host, git).await, (422, "git must have either `path` or `url`".to_owned()));
    }
    assert_eq!(server.asked(), [] as [&str; 0]);
}

#[tokio::test]
async fn what_cannot_be_fetched_says_why() {
    let setup = Setup::new().set("role", "dashboard").set("workspace.max_mib", 1);
    let setup = setup.set("workspace.max_files", 100);
    let server = repositories(&setup).await;
    let setup = setup.set("api.git_urls", vec![server.url("/team/")]);
    let host = setup.start().await;
    let nobody = "1234567890123456789012345678901234567890";
    let shop = server.url("/team/shop");
    for (path, revision, why) in [
        (
            "shop",
            "v9",
            format!("git: no revision \"v9\" at {shop}: name a branch, a tag, or a commit by its whole id"),
        ),
        ("shop", nobody, format!("git: no revision \"{nobody}\" at {shop}: name a branch")),
        ("none", "HEAD", format!("git: {0}: repository '{0}/' not found", server.url("/team/none"))),
        (
            "moved",
            "HEAD",
            format!("git: {} leads to another address, which is not followed", server.url("/team/moved")),
        ),
        ("private", "HEAD", format!("git: {} is not there, or wants a log-in", server.url("/team/private"))),
    ] {
        let git = json!({ "url": server.url(&format!("/team/{path}")), "revision": revision });
        let (status, detail) = refused(&host, git).await;
        assert!(status == 422 && detail.starts_with(&why), "{status} {detail}");
        let asked = server.asked();
        assert!(asked.iter().all(|it| it.starts_with(&format!("/team/{path}/"))), "{asked:?}");
    }
    let wide = server.url("/team/wide");
    let (status, detail) = refused(&host, json!({ "url": wide })).await;
    let why = format!("too large at {wide}: what git fetches of it holds more than 1253376 bytes");
    assert!(status == 422 && detail.starts_with(&why) && detail.ends_with("workspace.max_mib"), "{detail}");
    assert_eq!(left_behind(&setup), [] as [&str; 0]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let setup = Setup::new().set("role", "dashboard").set("api.timeout_s", 2);
    let server = repositories(&setup).await;
    let host = setup.set("api.git_urls", vec![server.url("/")]).start().await;
    let silent = server.url("/silent/shop");
    let (status, detail) = refused(&host, json!({ "url": silent })).await;
    let why = format!(
        "{silent} was not fetched within 2 s: is its server or disk slow, or the repository large? The operator \
         sets the limit with api.timeout_s"
    );
    assert_eq!((status, detail), (504, why));
    assert_eq!(server.asked(), ["/silent/shop/info/refs"]);
}

#[tokio::test]
async fn without_a_list_nothing_is_fetched() {
    let host = Setup::new().set("role", "dashboard").start().await;
    let detail = "this host fetches no repositories from elsewhere: the operator lists their addresses in api.git_urls";
    assert_eq!(refused(&host, json!({ "url": "https://git.example/x" })).await, (403, detail.to_owned()));
    let (_, about) = json(host.get("/api/v1/about")).await;
    assert_eq!(about["git_urls"], json!([]));
    let said = Setup::new().set("api.git_urls", vec!["git.example/team"]).run(["--print-config"]).await;
    assert!(said.err.contains("\"git.example/team\" is no URL, such as https://"), "{}", said.err);
    let setup = Setup::new().env("AIAGENT_API_GIT_URLS", "https://a.example/x, https://b.example/");
    let said = setup.run(["--print-config"]).await;
    assert!(
        said.out.contains(r#"["https://a.example/x", "https://b.example/"]"#),
        "{} {}",
        said.out,
        said.err
    );
}

#[tokio::test]
async fn a_task_of_the_command_line_starts_from_one_too() {
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    setup.file("repos/add/test_add.py", sample::TEST);
    let git =
        "cd repos/add && git init -q . && git add . && git -c user.name=t -c user.email=t@t commit -qm one";
    let made =
        tokio::process::Command::new("sh").args(["-c", git]).current_dir(setup.path("")).status().await;
    assert!(made.expect("sh runs").success());
    let server = GitServer::start(&setup.path("repos")).await;
    let said = setup.run(["run", sample::GOAL, "--git", &server.url("/add"), "--tests", "test_add.py"]).await;
    assert_eq!((said.code, said.out.as_str()), (0, sample::DIFF), "{}", said.err);
    let said = setup.run(["run", sample::GOAL, "--git", "repos/add"]).await;
    let hint = "a folder's repository is taken by --dir PATH --rev REV";
    assert!(said.code == 2 && said.err.contains(hint), "{}", said.err);
}
