//! The command line: one file per group of commands.

#[macro_use]
mod out;
mod args;
mod backup;
mod client;
mod doctor;
mod findings;
mod paint;
mod plugins;
mod production;
mod queue;
mod progress;
mod run;
mod serve;
mod tasks;
mod token;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::pin::Pin;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::config::{Config, Environment};
use crate::plugin::Code;
use args::{Cli, Command};

/// `--version`: with the commit, where the build knew it, and the engine.
pub const VERSION: &str = env!("AIAGENT_VERSION");

/// Exit codes beside 0.
mod exit {
    /// A task ended, but not green; or a request failed.
    pub(super) const OTHERWISE: u8 = 1;
    /// The command line or the configuration is wrong.
    pub(super) const USAGE: u8 = 2;
    /// No model can be used.
    pub(super) const NO_MODEL: u8 = 3;
}

/// An error with the exit code that it ends the program with.
struct Failed {
    code: u8,
    error: anyhow::Error,
}

impl Failed {
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: exit::USAGE, error: error.into() }
    }

    fn is_broken_pipe(&self) -> bool {
        let error = self.error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { code: exit::OTHERWISE, error: error.into() }
    }
}

/// Boxed, so that it is compiled here and not once more in the program.
pub fn main() -> Pin<Box<dyn Future<Output = ExitCode>>> {
    Box::pin(parse_and_run())
}

async fn parse_and_run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match dispatch(cli).await {
        Ok(code) => ExitCode::from(code),
        // `… | head`: whoever reads the output has read enough.
        Err(failed) if failed.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failed) => {
            complain(&failed.error);
            ExitCode::from(failed.code)
        }
    }
}

/// Says what went wrong, each cause after the thing it caused.
pub fn complain(error: &anyhow::Error) {
    anstream::eprintln!("{}error:{} {error:#}", paint::BAD, paint::BAD.render_reset());
}

async fn dispatch(cli: Cli) -> Result<u8, Failed> {
    let environment = Environment::of_process();
    if let Some(Command::Completions { shell }) = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "aiagent-host", &mut script);
        // clap_complete 4.6 takes the hyphen of our name for a subcommand, in half of the places.
        out::put(String::from_utf8_lossy(&script).replace("aiagent__subcmd__host", "aiagent__host"))?;
        return Ok(0);
    }
    if let Some(Command::Compile { cache, interpreter, seconds }) = cli.command {
        let code = Code::new(interpreter);
        std::io::stdout().write_all(&crate::plugin::compile(&cache, code, seconds, std::io::stdin())?)?;
        return Ok(0);
    }
    let mut overrides = cli.common.overrides();
    if let Some(Command::Run(run)) = &cli.command {
        overrides.values.extend(run.overrides());
    }
    overrides.of_service = cli.command.as_ref().is_some_and(Command::of_service);
    let config = match (Config::load(&environment, overrides), &cli.command) {
        (Err(error), Some(Command::Doctor(doctor))) => return doctor::unreadable(&error, doctor),
        (config, _) => config.map_err(Failed::usage)?,
    };
    if cli.common.print_config {
        out::put(config.print())?;
        return Ok(0);
    }
    let quiet = !matches!(cli.command, None | Some(Command::Serve));
    // One-shot commands speak for themselves; their log is for what they can't say.
    let filter = if quiet && config.settings.log == "info" { "warn" } else { &config.settings.log };
    crate::telemetry::start(filter, config.settings.log_format).map_err(Failed::usage)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(Command::Backup(backup)) = cli.command {
        return backup::backup(backup, config).await;
    }
    if let Some(Command::Restore(restore)) = cli.command {
        return backup::restore(restore, config).await;
    }
    if let Some(Command::Doctor(doctor)) = cli.command {
        return doctor::doctor(doctor, config).await;
    }
    if let Some(Command::Token { command }) = cli.command {
        return token::token(command, &config);
    }
    let user = token::user(&config.environment);
    let settings = config.settings;
    match cli.command {
        // The two that hold a whole host are kept apart from the others, which are small.
        None | Some(Command::Serve) => Box::pin(serve::serve(settings)).await,
        Some(Command::Run(run)) => Box::pin(run::run(*run, settings)).await,
        Some(Command::Submit(submit)) => client::submit(*submit, &settings).await,
        Some(Command::Tasks(tasks)) => tasks::tasks(tasks, &settings).await,
        Some(Command::Task { command }) => tasks::task(command, &settings).await,
        Some(Command::Show(show)) => client::show(show, &settings).await,
        Some(Command::Events(events)) => client::events(events, &settings).await,
        Some(Command::Cancel(cancel)) => client::cancel(cancel, &settings).await,
        Some(Command::Queue { command }) => queue::queue(command, &settings).await,
        Some(Command::Plugins { command }) => plugins::plugins(command, settings, user).await,
        Some(Command::Healthcheck { server }) => client::healthcheck(&server, &settings).await,
        Some(Command::ProductionCheck(check)) => production::check(check, &settings).await,
        Some(Command::Smoke(smoke)) => client::smoke(smoke, &settings).await,
        Some(Command::Migrate(migrate)) => backup::migrate(migrate, &settings).await,
        // Done above.
        Some(
            Command::Backup(_)
            | Command::Restore(_)
            | Command::Doctor(_)
            | Command::Token { .. }
            | Command::Completions { .. }
            | Command::Compile { .. },
        ) => Ok(0),
    }
}
