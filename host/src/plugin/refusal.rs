//! Why a file is not served as a plugin, and what to do about it.

use super::trial::TRAPS;
use crate::task::Digest;

/// Its `Display` is the reason; [`Refusal::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
pub enum Refusal {
    #[error("can't be read: {0}")]
    Unreadable(String),
    #[error("{0} bytes are more than a plugin may have ({max})", max = super::manifest::MAX_FILE_BYTES)]
    TooLarge(u64),
    #[error("{0:?} can't be a plugin's name")]
    Name(String),
    #[error("is {is}, and only {wanted} may be loaded as {plugin}")]
    Content { plugin: String, is: Digest, wanted: Digest },
    #[error("not WebAssembly: it begins with {0}")]
    NotWasm(String),
    #[error("truncated: {0}")]
    Truncated(String),
    #[error("not a valid component: {0}")]
    Invalid(String),
    #[error("a core module that does not say which world it targets")]
    BareModule,
    #[error("a core module that can't be made a component: {0}")]
    Module(String),
    #[error("exports no step: {}", list(.exports))]
    NoStep { exports: Vec<String> },
    #[error("exports several steps: {}", list(.exports))]
    SeveralSteps { exports: Vec<String> },
    #[error("{name} is of another version of the contract; this host speaks {ours}", ours = super::manifest::CONTRACT)]
    Version { name: String },
    #[error("imports {name}: {why}")]
    Import { name: String, why: String },
    #[error("imports {name}, which nobody granted it")]
    Exec { name: String, plugin: String },
    #[error("imports {name}, which is granted to {} only", bound.short())]
    ExecElsewhere { name: String, plugin: String, bound: Digest },
    #[error("asks for more than the {plugin} before it: {}", .more.join(", "))]
    HeldBack { plugin: String, file: String, digest: Digest, more: Vec<String> },
    #[error("withdrawn after {TRAPS} traps in a row, the last: {last_trap}")]
    Withdrawn { last_trap: String },
    #[error("another plugin is called {plugin:?} already: {first}")]
    Duplicate { plugin: String, first: String },
    #[error("can't be compiled: {0}")]
    Compile(String),
    #[error("compiling it takes more than {seconds} s of processor time")]
    Slow { plugin: String, seconds: u64 },
    #[error("the compiler {0}")]
    Compiler(String),
    #[error("loading it made the host panic: {0}")]
    Panicked(String),
    #[error("does not fit the contract: {0}")]
    Link(String),
    #[error("does not start: {0}")]
    Start(String),
}

/// What is to become of a file that is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It can't be served as it is.
    Refused,
    /// It waits for the operator's word.
    HeldBack,
    /// It was served, and trapped too often.
    Withdrawn,
}

impl Refusal {
    pub fn status(&self) -> Status {
        match self {
            Self::Exec { .. } | Self::ExecElsewhere { .. } | Self::HeldBack { .. } => Status::HeldBack,
            Self::Withdrawn { .. } => Status::Withdrawn,
            _ => Status::Refused,
        }
    }

    /// Whether the same bytes are refused until the host is started anew, whatever else changes.
    pub(super) fn is_lasting(&self) -> bool {
        self.status() == Status::Refused && !matches!(self, Self::Unreadable(_) | Self::Duplicate { .. })
    }

    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable(_) => "make the file readable for the user the service runs as".into(),
            Self::TooLarge(_) => "strip debug information (wasm-tools strip) or split the plugin".into(),
            Self::Name(_) => "rename the file: letters, digits, - and _, then .wasm".into(),
            Self::Content { plugin, is, .. } => format!(
                "copy the right file again; or, if this one is meant, set in aiagent.toml: \
                 [plugins.{plugin}] sha256 = \"{is}\""
            ),
            Self::NotWasm(_) => "put a WebAssembly component there, or remove the file".into(),
            Self::Truncated(_) => "copy the file again; write it under another name, then rename it".into(),
            Self::Invalid(_) => "build it again; the toolchain may be newer than this host".into(),
            Self::BareModule => {
                "build it with wit-bindgen, which embeds the world, or run `wasm-tools component embed`"
                    .into()
            }
            Self::Module(_) => {
                "build it for wasm32-unknown-unknown, without WASI, or make it a component".into()
            }
            Self::NoStep { .. } => {
                "target one of the worlds builder, fixer, checker, adapter of aiagent:step".into()
            }
            Self::SeveralSteps { .. } => "make one plugin of each step".into(),
            Self::Version { .. } => {
                format!("build it against {}, or update the host", super::manifest::CONTRACT)
            }
            Self::Import { .. } => "build the plugin without it".into(),
            Self::Exec { plugin, .. } => format!(
                "if you trust it with native commands, add to aiagent.toml: [plugins.{plugin}] exec = true"
            ),
            Self::ExecElsewhere { plugin, .. } => {
                format!("if you trust this one too, change plugins.{plugin}.digest in aiagent.toml")
            }
            Self::HeldBack { plugin, file, digest, .. } => format!(
                "if it may do that, run `aiagent-host plugins allow {file}`, or add to aiagent.toml: \
                 [plugins.{plugin}] digest = \"{digest}\""
            ),
            Self::Withdrawn { .. } => "put a repaired file in its place".into(),
            Self::Duplicate { .. } => "rename or remove one of the two".into(),
            Self::Compile(_) => {
                "build it again without the features the host leaves off (threads, gc, exceptions)".into()
            }
            Self::Slow { plugin, .. } => format!(
                "build it with smaller functions, or allow more in aiagent.toml: [plugins.{plugin}] compile_ms"
            ),
            Self::Compiler(_) => "build it smaller; if it is small, the host's log may say more".into(),
            Self::Panicked(_) => "build it with another toolchain, and report the file".into(),
            Self::Start(_) => {
                "its start function or constructors must end by themselves, without asking the host".into()
            }
            Self::Link(_) => format!("build it against {} as published in wit/", super::manifest::CONTRACT),
        }
    }
}

/// A few of them: a hostile file may have any number, of any length.
fn list(exports: &[String]) -> String {
    const SHOWN: usize = 8;
    const MAX_CHARS: usize = 120;
    if exports.is_empty() {
        return "it exports nothing".to_owned();
    }
    let shown: Vec<String> =
        exports.iter().take(SHOWN).map(|name| name.chars().take(MAX_CHARS).collect()).collect();
    let more = exports.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it exports {}{more}", shown.join(", "))
}
