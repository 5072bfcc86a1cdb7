//! check-command: real commands under bubblewrap.

use std::sync::Arc;

use aiagent_host::exec::{self, ExecError, ExecLimits, Sandbox, SandboxConfig};
use aiagent_host::model::{Completion, Limits, ModelError, Request};
use aiagent_host::plugin::{Call, Failure, Interrupt, Outside, Overrides, Runtime, StepError};
use aiagent_host::task::{Level, Report, Verdict};
use aiagent_host::workspace::{Blob, Tree, TreePath};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::first_party::{block_on, runtime, settings};
use crate::outside::{Model, World};

/// A world with commands and without all else.
struct Commands {
    sandbox: Sandbox,
    world: Arc<World>,
}

#[async_trait]
impl Outside for Commands {
    fn limits(&self) -> Limits {
        self.world.limits()
    }

    async fn complete(&self, request: Request) -> Result<Completion, Interrupt<ModelError>> {
        self.world.complete(request).await
    }

    async fn check(&self, tree: Tree) -> Result<Report, Interrupt<StepError>> {
        self.world.check(tree).await
    }

    async fn exec(
        &self,
        tree: Tree,
        command: exec::Command,
    ) -> Result<(exec::Output, Option<Tree>), Interrupt<ExecError>> {
        let limits = ExecLimits { read_back: false, ..ExecLimits::default() };
        let ran = self.sandbox.run(&tree, &command, &limits, &CancellationToken::new()).await;
        ran.map_err(Interrupt::Answer)
    }

    fn log(&self, level: Level, message: String) {
        self.world.log(level, message);
    }
}

/// `None` where bubblewrap is not installed, which `.ci/setup.sh test` does; where it is and does not work,
/// that is a failure.
fn commands() -> Option<Arc<Commands>> {
    let sandbox = block_on(Sandbox::probe(SandboxConfig::default()));
    match sandbox.refusal() {
        None => Some(Arc::new(Commands { sandbox, world: World::new(Model::Never) })),
        Some(why) if why.contains("is not installed") => {
            eprintln!("SKIPPED, no command was run: {why}");
            None
        }
        Some(why) => panic!("bubblewrap is installed, but exec is refused here: {why}"),
    }
}

const SLUG: &str = "def slugify(text):\n    return text.lower().replace(' ', '-')\n";

const TEST: &str = "import unittest
from slug import slugify


class TestSlug(unittest.TestCase):
    def test_blank(self):
        self.assertEqual(slugify('A b'), 'a-b')

    def test_mark(self):
        self.assertEqual(slugify('a?'), EXPECTED)
";

fn call(commands: &Arc<Commands>, expected: &str, settings: &[(&str, &str)]) -> Call {
    let mut tree = Tree::default();
    for (path, text) in [("slug.py", SLUG), ("test_slug.py", &TEST.replace("EXPECTED", expected))] {
        let path = TreePath::parse(path).expect("a path");
        tree.put(path, Blob::new(text.as_bytes().to_vec()), None).expect("it fits");
    }
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let outside = Arc::clone(commands) as Arc<dyn Outside>;
    Call { tree, settings, outside, tests: vec!["test_slug.py".into()], ..commands.world.call() }
}

const COMMAND: (&str, &str) = ("command", "python3 -m unittest {tests}");

#[test]
fn a_command_s_end_becomes_a_report() {
    let Some(commands) = commands() else { return };
    let check = |expected, settings: &[(&str, &str)]| {
        let call = call(&commands, expected, settings);
        block_on(runtime().check("check-command", call)).result.expect("a report")
    };

    let report = check("'a?'", &[COMMAND]);
    assert_eq!((report.verdict, report.counts.passed, &report.problems[..]), (Verdict::Passed, 2, &[][..]));

    let report = check("'a'", &[COMMAND]);
    let counts = (report.counts.passed, report.counts.failed);
    let [problem] = &report.problems[..] else { panic!("{report:?}") };
    assert_eq!((report.verdict, counts), (Verdict::Failed, (1, 1)));
    let place = (problem.test.as_deref(), problem.path.as_deref(), problem.line);
    assert_eq!(place, (Some("test_slug.TestSlug.test_mark"), Some("test_slug.py"), Some(10)));
    assert!(problem.message.contains("AssertionError: 'a?' != 'a'"), "{}", problem.message);

    for (settings, verdict, said) in [
        (
            [("command", "python3 -c 'while True: pass'"), ("timeout_s", "0.5")],
            Verdict::Failed,
            "was stopped after 0.",
        ),
        ([("command", "no-such-runner --all"), ("env.CI", "1")], Verdict::Broken, "no-such-runner"),
        (
            [("command", "python3 -c 'import os; os.kill(os.getpid(), 9)'"), ("cwd", ".")],
            Verdict::Failed,
            "SIGKILL",
        ),
        (
            [("command", "python3 -c 'import os; assert os.environ[\"CI\"] == \"2\"'"), ("env.CI", "1")],
            Verdict::Failed,
            "AssertionError",
        ),
        (
            [("command", "python3 -m unittest discover -p 'no*.py'"), ("cwd", ".")],
            Verdict::Broken,
            "ran no tests",
        ),
    ] {
        let report = check("'a?'", &settings);
        let message = &report.problems[0].message;
        assert_eq!(report.verdict, verdict, "{settings:?}: {message}");
        assert!(message.contains(said), "{settings:?}: {message}");
    }
}

#[test]
fn what_is_wrong_with_the_settings_is_said() {
    let Some(commands) = commands() else { return };
    for (settings, said) in [
        (&[][..], "command is missing"),
        (&[("command", "a | b")][..], "no shell"),
        (&[COMMAND, ("timeout", "5")][..], "unknown setting \"timeout\""),
        (&[COMMAND, ("cwd", "../..")][..], "../.."),
        (&[COMMAND, ("cwd", "no/such/folder")][..], "no/such/folder"),
    ] {
        let ended = block_on(runtime().check("check-command", call(&commands, "'a?'", settings)));
        let Err(Failure::Step(StepError::Settings(text))) = &ended.result else {
            panic!("{:?}", ended.result)
        };
        assert!(text.contains(said), "{settings:?}: {text}");
    }
}

/// Without the operator's word the plugin is not even loaded, and the refusal names the line to add.
#[test]
fn without_a_grant_the_plugin_is_refused() {
    let mut settings = settings();
    settings.plugins.insert("check-command".to_owned(), Overrides::default());
    let runtime = block_on(Runtime::start(settings)).expect("the runtime starts");
    let call = World::new(Model::Never).call();
    let ended = block_on(runtime.check("check-command", call));
    let Err(Failure::Missing(why)) = ended.result else { panic!("{:?}", ended.result) };
    assert!(why.contains("aiagent:step/exec") && why.contains("plugins.check-command"), "{why}");
}
