//! The real program with the real plugins, in a state folder of its own, on a free port.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, LazyLock};

use aiagent_host::config::Environment;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{OnceCell, watch};

use crate::fake_model::FakeModel;
use crate::patience;
use crate::sse::Events;

const PROGRAM: &str = env!("CARGO_BIN_EXE_aiagent-host");

/// What a host is started with. Started again, it finds the state it left.
pub(crate) struct Setup {
    program: PathBuf,
    dir: Arc<tempfile::TempDir>,
    config: toml::Table,
    env: Vec<(String, String)>,
}

/// A running host; killed when dropped.
pub(crate) struct TestHost {
    child: Child,
    log: Arc<Log>,
    http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    _dir: Arc<tempfile::TempDir>,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A host's standard error, line by line.
struct Log(watch::Sender<Vec<String>>);

/// `make build` leaves the plugins beside the program's folder.
pub(crate) fn plugins() -> PathBuf {
    let folder =
        Path::new(PROGRAM).parent().and_then(Path::parent).expect("the program is in a target folder");
    let folder = folder.join("plugins");
    assert!(
        folder.join("check-python.wasm").is_file(),
        "{} has no plugins; `make build` (or plugins/build.sh) makes them",
        folder.display()
    );
    folder
}

/// Compiled plugins, for all tests of all runs.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}

impl Setup {
    pub(crate) fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let mut setup = Self { program: PROGRAM.into(), dir, config: toml::Table::new(), env: Vec::new() };
        setup.put("plugins_dir", vec![plugins().display().to_string()]);
        setup.put("listen", "127.0.0.1:0");
        setup.put("state_dir", setup.path("state").display().to_string());
        setup.put("cache_dir", cache().display().to_string());
        // A killed host's tasks shall not wait half a minute.
        setup.put("worker.lease_s", 3);
        // A model that fails ends its task, unless a test says otherwise.
        setup.put("worker.model_retries", 0);
        // A scripted model's first wrong answer is the fixer's.
        setup.put("pipelines.default.candidates", 1);
        setup.put("pipelines.default.max_rounds", 4);
        setup
    }

    /// With this model as the default one.
    pub(crate) fn with_model(model: &FakeModel) -> Self {
        Self::new()
            .set("models.default.base_url", model.url())
            .set("models.default.model", "fake")
            .set("models.default.allow", vec!["127.0.0.1".to_owned()])
    }

    /// A value of aiagent.toml, by its dotted key.
    pub(crate) fn set(mut self, key: &str, value: impl Into<toml::Value>) -> Self {
        self.put(key, value);
        self
    }

    /// Another version of the host, which may not know all that `new` sets.
    pub(crate) fn with_program(mut self, program: &Path) -> Self {
        if let Some(worker) = self.config.get_mut("worker").and_then(toml::Value::as_table_mut) {
            worker.remove("model_retries");
        }
        Self { program: program.to_owned(), ..self }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn put(&mut self, key: &str, value: impl Into<toml::Value>) {
        let mut table = &mut self.config;
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().expect("a key");
        for part in parts {
            let inner = table.entry(part).or_insert_with(|| toml::Table::new().into());
            table = inner.as_table_mut().expect("a table");
        }
        table.insert(last.to_owned(), value.into());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into the test's folder and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is writable");
        std::fs::write(&path, content).expect("the folder is writable");
        path
    }

    /// The program with this configuration and nothing of the developer's environment.
    pub(crate) fn program(&self) -> Command {
        self.dressed(Command::new(&self.program))
    }

    /// Runs a command to its end, inside another program that starts it.
    pub(crate) async fn run_in<'a>(&self, outer: &[&str], args: impl IntoIterator<Item = &'a str>) -> Said {
        compiled().await;
        finish(self.inside(outer).args(args), b"").await
    }

    fn inside(&self, outer: &[&str]) -> Command {
        let mut program = Command::new(outer[0]);
        program.args(&outer[1..]).arg(&self.program);
        self.dressed(program)
    }

    fn dressed(&self, mut program: Command) -> Command {
        static OURS: LazyLock<Environment> = LazyLock::new(Environment::of_process);
        let config = self.file("aiagent.toml", self.config.to_string());
        program.env_clear().env("PATH", OURS.get("PATH").unwrap_or_default()).env("HOME", self.path("home"));
        program.env("AIAGENT_CONFIG", config).current_dir(self.dir.path()).kill_on_drop(true);
        program.envs(self.env.iter().map(|(name, value)| (name, value)));
        program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        program
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
        compiled().await;
        finish(self.program().args(args), b"").await
    }

    /// Likewise, with this standard input.
    pub(crate) async fn run_with(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: &[u8],
    ) -> Said {
        compiled().await;
        finish(self.program().args(args), input).await
    }

    pub(crate) async fn start(&self) -> TestHost {
        self.serve(self.program()).await
    }

    /// Starts it inside another program.
    pub(crate) async fn start_in(&self, outer: &[&str]) -> TestHost {
        self.serve(self.inside(outer)).await
    }

    async fn serve(&self, mut program: Command) -> TestHost {
        compiled().await;
        let mut child = program.arg("serve").spawn().expect("the program starts");
        let log = Log::follow(child.stderr.take().expect("piped"));
        let line = log.until("serving http://").await;
        let url = line
            .split("serving ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .expect("an address");
        aiagent_host::model::install_tls();
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let token = self.config.get("token").and_then(|token| token.as_str()).map(str::to_owned);
        TestHost { child, log, http, url: url.to_owned(), token, _dir: Arc::clone(&self.dir) }
    }
}

/// Compiles the plugins once, so that not every test does it at the same time.
async fn compiled() {
    static ONCE: OnceCell<()> = OnceCell::const_new();
    ONCE.get_or_init(|| async {
        let said = finish(Setup::new().program().args(["plugins", "list"]), b"").await;
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    })
    .await;
}

async fn finish(program: &mut Command, input: &[u8]) -> Said {
    let mut child = program.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    let written = async {
        // A program that does not read its input has closed it.
        stdin.write_all(input).await.or_else(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error),
        })?;
        drop(stdin);
        std::io::Result::Ok(())
    };
    let both = async { tokio::join!(written, child.wait_with_output()) };
    let (written, output) = patience("a command's end", both).await;
    written.expect("its input is taken");
    let output = output.expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

impl Log {
    fn follow(stderr: tokio::process::ChildStderr) -> Arc<Self> {
        let log = Arc::new(Self(watch::channel(Vec::new()).0));
        let writer = Arc::clone(&log);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                writer.0.send_modify(|all| all.push(line));
            }
        });
        log
    }

    async fn until(&self, part: &str) -> String {
        let mut lines = self.0.subscribe();
        let find = |lines: &Vec<String>| lines.iter().find(|line| line.contains(part)).cloned();
        let found =
            patience(&format!("{part:?} in the log"), lines.wait_for(|lines| find(lines).is_some())).await;
        find(&found.expect("the log is open")).expect("just seen")
    }
}

impl TestHost {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Submits and returns the task's id.
    pub(crate) async fn submit(&self, body: &Value) -> String {
        let (status, answer) = json(self.post("/api/v1/tasks").json(body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn task(&self, id: &str) -> Value {
        let (status, task) = json(self.get(&format!("/api/v1/tasks/{id}"))).await;
        assert_eq!(status, StatusCode::OK, "{task}");
        task
    }

    /// The task's events after that one.
    pub(crate) async fn events(&self, id: &str, after: u64) -> Events {
        let request = self.get(&format!("/api/v1/tasks/{id}/events")).header("last-event-id", after);
        Events::open(request).await
    }

    /// Follows a task to its end and returns it.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        self.events(id, 0).await.all().await;
        self.task(id).await
    }

    /// Waits for a line with this text in the host's log.
    pub(crate) async fn logged(&self, part: &str) -> String {
        self.log.until(part).await
    }

    /// What it has logged so far, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.0.borrow().clone()
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id().expect("it still runs")
    }

    /// The same signal as `kill -9`: no time for last words.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it still runs");
    }

    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it still runs").to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().await;
        assert!(sent.expect("sh runs").success());
    }

    /// Waits for the host's own end. Returns its exit code.
    pub(crate) async fn exit(mut self) -> Option<i32> {
        patience("the host's end", self.child.wait()).await.expect("it ends").code()
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for line in self.log.0.borrow().iter() {
                eprintln!("host: {line}");
            }
        }
    }
}

/// Sends a request and reads its answer as JSON.
pub(crate) async fn json(request: RequestBuilder) -> (StatusCode, Value) {
    let (status, text) = text(request).await;
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (status, value)
}

pub(crate) async fn text(request: RequestBuilder) -> (StatusCode, String) {
    let answer = async {
        let answer = request.send().await.expect("the host answers");
        (answer.status(), answer.text().await.expect("the answer is whole"))
    };
    patience("an answer of the host", answer).await
}
