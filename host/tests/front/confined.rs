//! Native commands on a machine that can't sandbox them.

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::Setup;

/// Inside this, nobody makes a namespace of their own.
const CONFINED: [&str; 6] = ["bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/"];

#[tokio::test]
async fn without_user_namespaces_a_command_is_refused_with_the_reason() {
    let possible = tokio::process::Command::new(CONFINED[0]).args(&CONFINED[1..]).arg("true").output().await;
    // `.ci/setup.sh test` installs it.
    let Ok(possible) = possible else { return };
    assert!(possible.status.success(), "{possible:?}");
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model)
        .set("pipelines.default.checker", "check-command")
        .set("pipelines.default.checker_settings.command", "touch ran")
        .set("pipelines.default.max_rounds", 1)
        .set("plugins.check-command.exec", true)
        // In there root is the only user there is.
        .set("exec.user", 0);
    let said = setup.run_in(&CONFINED, ["run", sample::GOAL]).await;
    assert_eq!(said.code, 1, "{}", said.err);
    let end = said.err.lines().last().unwrap_or_default();
    for part in ["bubblewrap can't set up a sandbox: ", "amespace", "; "] {
        assert!(end.contains(part), "{end}");
    }
    let warned = said.err.lines().any(|line| line.contains("native commands are refused on this machine"));
    assert!(warned, "{}", said.err);
}
