//! `aiagent-host run`: one task, here and now.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::args::{Run, TaskArgs};
use super::progress::Progress;
use super::{Failed, exit, out, paint, serve};
use crate::app::{Host, SPANS_WITHIN, plugin_settings, tree_limits};
use crate::config::Settings;
use crate::plugin;
use crate::store::{Cancelled, Store};
use crate::submission::Submission;
use crate::task::{Changes, Event, EventBody, Outcome, Reason, Task, TaskId};
use crate::telemetry::spans;
use crate::workspace::{self, Blob, Deadline, Fetching, GitUrl, Imported, Tree, TreePath};

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    task: &'a Task,
    diff: &'a str,
}

pub(super) async fn run(args: Run, mut settings: Settings) -> Result<u8, Failed> {
    if args.apply
        && let Some(dir) = args.task.dir.as_ref().filter(|dir| !dir.is_dir())
    {
        let error = anyhow::anyhow!("--apply writes into a folder, and {} is none", dir.display());
        return Err(Failed::usage(error));
    }
    let pipeline = args.task.pipeline.as_ref().unwrap_or(&settings.pipeline);
    let of_pipeline = settings.pipelines.get(pipeline).map(|pipeline| pipeline.model.clone());
    let model = args.task.steps.wish().model.or(of_pipeline).unwrap_or_default();
    let replaying = !settings.replay.as_os_str().is_empty();
    if !model.is_empty() && !settings.models.contains_key(&model) && !replaying {
        let error = anyhow::anyhow!(
            "no model {model:?} is configured: set AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME \
             (and AIAGENT_MODEL_KEY), or a [models.{model}] section in aiagent.toml"
        );
        return Err(Failed { code: exit::NO_MODEL, error });
    }
    // git is in a process group of its own: a signal from the terminal reaches nobody but this program.
    let interrupted = CancellationToken::new();
    tokio::spawn(serve::watch_signals(interrupted.clone())?);
    let asked = (args.task.clone(), args.git.clone(), settings.clone(), interrupted.clone());
    let read = tokio::task::spawn_blocking(move || {
        let (task, git, settings, interrupted) = asked;
        let deadline = Deadline::new(Duration::from_secs(settings.api.timeout_s), interrupted);
        let fetched = git.map(|url| fetch(&url, task.rev.as_deref(), &deadline, &settings)).transpose()?;
        submission(&task, fetched, false, &deadline, &settings)
    });
    let submission = read.await.context("the files can't be read")?.map_err(Failed::usage)?;
    // This task lives as long as the command.
    "memory".clone_into(&mut settings.store);
    settings.worker.tasks = 1;
    // Who waits for it would rather know.
    settings.worker.model_retries = 0;
    // Whoever names a folder here wants what is in it; only a service has a past.
    let plugins = plugin::Settings { ledger_dir: None, ..plugin_settings(&settings) };
    let host = Host::assemble(settings, plugins).await.map_err(Failed::usage)?;
    let base = submission.tree.clone();
    let rounds = submission.budget.rounds;
    let catalog = host.runtime.catalog();
    let submitted =
        submission.submit(&host.settings, &catalog, host.store.as_ref(), &host.snapshots, None).await;
    let id = submitted.map_err(Failed::usage)?.id;

    let stop = CancellationToken::new();
    let (worked, outcome) = tokio::join!(host.work(stop.clone()), async {
        let outcome = follow(host.store.as_ref(), &id, rounds, &interrupted).await;
        stop.cancel();
        outcome
    });
    worked.context("the worker failed")?;
    spans::flush(SPANS_WITHIN).await;
    let outcome = outcome?;
    let task = host.store.get(&id).await?.context("the task is gone")?;
    let tree = host.snapshots.load(&outcome.tree).await?;
    let diff = workspace::diff(&base, &tree);
    if args.apply {
        apply(&args.task, &outcome, &base, &tree)?;
    }
    if args.json {
        let printed = serde_json::to_string_pretty(&Printed { task: &task, diff: &diff })?;
        say!("{printed}")?;
    } else {
        out::put(paint::diff(&diff))?;
    }
    Ok(code(&outcome))
}

pub(super) fn code(outcome: &Outcome) -> u8 {
    match outcome.reason {
        Reason::Green => 0,
        Reason::ModelFailed { .. } => exit::NO_MODEL,
        _ => exit::OTHERWISE,
    }
}

/// Shows events until the task has ended; a signal cancels it first.
async fn follow(
    store: &dyn Store,
    id: &TaskId,
    rounds: Option<u32>,
    interrupted: &CancellationToken,
) -> anyhow::Result<Outcome> {
    let mut progress = Progress::new(rounds);
    let mut watch = store.watch();
    let (mut after, mut cancelling) = (0, false);
    loop {
        for Event { id, body, .. } in store.events(id, after, 256).await? {
            after = id;
            progress.show(&body);
            if let EventBody::Ended { outcome, .. } = body {
                return Ok(outcome);
            }
        }
        tokio::select! {
            () = watch.changed(Duration::from_secs(1)) => {}
            () = interrupted.cancelled(), if !cancelling => {
                cancelling = true;
                if store.cancel(id).await? == Cancelled::Requested {
                    anstream::eprintln!("stopping …");
                }
            }
        }
    }
}

fn apply(args: &TaskArgs, outcome: &Outcome, base: &Tree, tree: &Tree) -> anyhow::Result<()> {
    let Some(dir) = &args.dir else { return Ok(()) };
    if !outcome.is_green() {
        anstream::eprintln!("not applied: the result is not green");
        return Ok(());
    }
    let changed = workspace::apply_to_folder(base, tree, dir)
        .with_context(|| format!("can't apply to {}; nothing was written", dir.display()))?;
    anstream::eprintln!("applied to {}: {} files", dir.display(), changed.len());
    Ok(())
}

/// Whoever names a repository here allows it.
fn fetch(url: &str, rev: Option<&str>, deadline: &Deadline, settings: &Settings) -> anyhow::Result<Imported> {
    let hint = "a folder's repository is taken by --dir PATH --rev REV";
    let url = GitUrl::parse(url).map_err(|why| anyhow::anyhow!("--git: {why}; {hint}"))?;
    let fetching = Fetching { folder: &std::env::temp_dir(), deadline: deadline.clone() };
    Ok(workspace::fetch_git(&url, rev.unwrap_or("HEAD"), fetching, tree_limits(settings))?)
}

/// The task that the arguments describe, with its files read: `fetched`, or what they name.
/// `in_repository`: the server has further ones, and tests may be among those.
pub(super) fn submission(
    args: &TaskArgs,
    fetched: Option<Imported>,
    in_repository: bool,
    deadline: &Deadline,
    settings: &Settings,
) -> anyhow::Result<Submission> {
    let goal = if args.goal == "-" {
        let mut goal = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut goal)
            .context("can't read the goal from standard input")?;
        goal
    } else {
        args.goal.clone()
    };
    let limits = tree_limits(settings);
    let Imported { mut tree, notes } = match (fetched, &args.dir) {
        (Some(fetched), _) => fetched,
        (None, None) => Imported { tree: Tree::new(limits), notes: Vec::new() },
        (None, Some(path)) => import(path, args.rev.as_deref(), deadline, limits)
            .with_context(|| format!("can't take the files of {}", path.display()))?,
    };
    for note in notes {
        anstream::eprintln!("{}note: {note}{}", paint::FAINT, paint::FAINT.render_reset());
    }
    let tests = args.tests.iter().map(|test| match in_repository.then(|| test.to_str()).flatten() {
        Some(text) if !test.exists() => Ok(text.to_owned()),
        _ => add_test(&mut tree, args.dir.as_deref(), test),
    });
    let tests = tests.collect::<anyhow::Result<_>>()?;
    let budget = args.budget.wish();
    let pipeline = args.pipeline.clone();
    let changes = Changes { steps: args.steps.wish(), protected: args.protect.clone() };
    Ok(Submission { goal, pipeline, tests, budget, tree, changes, ..Submission::default() })
}

fn import(
    path: &Path,
    rev: Option<&str>,
    deadline: &Deadline,
    limits: workspace::Limits,
) -> anyhow::Result<Imported> {
    if let Some(rev) = rev {
        return Ok(workspace::import_git(path, rev, deadline, limits)?);
    }
    if path.is_dir() {
        return Ok(workspace::import_folder(path, limits)?);
    }
    Ok(workspace::read_archive(BufReader::new(File::open(path)?), limits, false)?)
}

/// A test inside the imported folder keeps its place; one from elsewhere goes to the top.
fn add_test(tree: &mut Tree, dir: Option<&Path>, test: &Path) -> anyhow::Result<String> {
    let whole = |path: &Path| path.canonicalize().with_context(|| format!("no test file {}", path.display()));
    // `--tests tests/test_a.py` may also be meant relative to --dir.
    if let Some(text) = test.to_str()
        && tree.get(text).is_some()
    {
        return Ok(text.to_owned());
    }
    let found: PathBuf = whole(test)?;
    if let Some(dir) = dir.filter(|dir| dir.is_dir())
        && let Ok(inside) = found.strip_prefix(whole(dir)?)
        && let Some(text) = inside.to_str()
        && tree.get(text).is_some()
    {
        return Ok(text.to_owned());
    }
    let name = found.file_name().and_then(|name| name.to_str()).context("a test's name must be UTF-8")?;
    let path = TreePath::parse(name)?;
    anyhow::ensure!(
        tree.get(name).is_none(),
        "the test {} would replace the file {name} of --dir",
        test.display()
    );
    let bytes = std::fs::read(&found).with_context(|| format!("can't read {}", found.display()))?;
    tree.put(path, Blob::new(bytes), None)?;
    Ok(name.to_owned())
}
