//! A machine on which no memory may be first written and then run, as under systemd's `MemoryDenyWriteExecute`.

use crate::fake_model::{FakeModel, Reply};
use crate::sample;
use crate::test_host::Setup;

/// Python's way to `prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN)`, which a program that is then run inherits.
const DENY: &str = "\
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0): sys.exit(f'prctl: {os.strerror(ctypes.get_errno())}')
os.execvp(sys.argv[1], sys.argv[1:])";

const DENIED: [&str; 3] = ["python3", "-c", DENY];

#[tokio::test]
async fn only_the_interpreter_runs_plugins_where_written_memory_may_not_run() {
    let possible = tokio::process::Command::new(DENIED[0]).args(&DENIED[1..]).arg("true").output().await;
    // Linux before 6.3 has no such switch.
    let possible = possible.is_ok_and(|possible| possible.status.success());
    let model = FakeModel::start([Reply::says(sample::RIGHT)]).await;
    let setup = Setup::with_model(&model);
    setup.file("test_add.py", sample::TEST);
    let run = ["run", sample::GOAL, "--tests", "test_add.py"];

    if possible {
        let said = setup.run_in(&DENIED, run).await;
        assert_ne!(said.code, 0, "machine code ran: {}", said.out);
    }

    let setup = setup.set("interpreter", true);
    let said = if possible { setup.run_in(&DENIED, run).await } else { setup.run(run).await };
    assert_eq!((said.code, said.out.as_str()), (0, sample::DIFF), "{}", said.err);
}
