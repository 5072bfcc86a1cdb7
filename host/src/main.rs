//! Parse, run, exit code.

use std::process::ExitCode;

use aiagent_host::cli;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Blocking work here is short (files, SQLite, compilation): a few threads are enough, and
        // their number is part of what the host promises to stay within.
        .max_blocking_threads(8)
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli::main());
            // A guest that is still being compiled must not hold up the exit.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            cli::complain(&anyhow::Error::new(error).context("can't start the async runtime"));
            ExitCode::FAILURE
        }
    }
}
