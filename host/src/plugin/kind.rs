//! The four kinds, and what each may import.

use serde::{Deserialize, Serialize};

/// Decided by the one interface a plugin exports.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Builder,
    Fixer,
    Checker,
    Adapter,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Builder, Self::Fixer, Self::Checker, Self::Adapter];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Fixer => "fixer",
            Self::Checker => "checker",
            Self::Adapter => "adapter",
        }
    }

    /// The interface of package `aiagent:step` that makes a component of this kind.
    pub fn export(self) -> &'static str {
        match self {
            Self::Builder => "build-step",
            Self::Fixer => "fix-step",
            Self::Checker => "check-step",
            Self::Adapter => "model-adapter",
        }
    }

    pub(super) fn exporting(interface: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.export() == interface)
    }

    /// Whether a step of this kind may change the workspace.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Builder | Self::Fixer)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One import of a component, and what it would allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Import {
    /// As the component spells it: `aiagent:step/workspace@0.1.0`.
    pub name: String,
    /// What the plugin can do with it, in words.
    pub allows: String,
    pub granted: bool,
}

/// What the host thinks of an import.
pub(super) enum Grant {
    /// Everybody of this kind has it.
    Always(&'static str),
    /// Only plugins that the operator names.
    Operator(&'static str),
    Never(&'static str),
}

/// `package` is without its version: `aiagent:step`, `wasi:io`.
pub(super) fn grant(kind: Kind, package: &str, interface: &str) -> Grant {
    use Grant::{Always, Never, Operator};
    match (package, interface) {
        ("aiagent:step", "types") => Always("nothing: shared types"),
        ("aiagent:step", "log") => Always("writing lines to the task's log"),
        ("aiagent:step", "workspace") => match kind {
            Kind::Builder | Kind::Fixer => {
                Always("reading and changing the task's files, protected ones excepted")
            }
            Kind::Checker => Always("reading the task's files"),
            Kind::Adapter => Never("an adapter sees no files"),
        },
        ("aiagent:step", "model") => match kind {
            Kind::Builder | Kind::Fixer => Always("asking the pipeline's model, within the task's budget"),
            Kind::Checker => Never("a checker can't ask a model"),
            Kind::Adapter => Never("an adapter has no network; the host sends what it encodes"),
        },
        ("aiagent:step", "check") => match kind {
            Kind::Builder | Kind::Fixer => Always("running the pipeline's checker, 32 times per step"),
            Kind::Checker | Kind::Adapter => Never("only builders and fixers run the checker"),
        },
        ("aiagent:step", "exec") => match kind {
            Kind::Builder | Kind::Fixer | Kind::Checker => {
                Operator("running native commands in an OS sandbox with no network")
            }
            Kind::Adapter => Never("an adapter runs no commands"),
        },
        ("aiagent:step", _) => Never("the contract has no such interface"),
        // WASI is linked inert for guests whose standard library wants it.
        ("wasi:cli", "stdout" | "stderr") => Always("printing, which goes to the task's log"),
        (
            "wasi:cli",
            "environment" | "exit" | "stdin" | "terminal-input" | "terminal-output" | "terminal-stdin"
            | "terminal-stdout" | "terminal-stderr",
        ) => Always("nothing: no environment, no arguments, no input"),
        ("wasi:clocks", "monotonic-clock" | "wall-clock") => Always("a clock that counts steps, not time"),
        ("wasi:filesystem", "types" | "preopens") => Always("nothing: there are no folders"),
        ("wasi:io", "error" | "poll" | "streams") => Always("nothing by itself"),
        ("wasi:random", "random" | "insecure" | "insecure-seed") => {
            Always("random numbers from the step's seed")
        }
        (
            "wasi:sockets",
            "network" | "instance-network" | "ip-name-lookup" | "tcp" | "tcp-create-socket" | "udp"
            | "udp-create-socket",
        ) => Always("nothing: every socket and look-up is refused"),
        ("wasi:http", _) => Never("a plugin has no network; ask the model through aiagent:step/model"),
        _ => Never("the host does not offer it"),
    }
}
