//! Compiling in a process of its own. A compiler can't be interrupted and may need any amount of memory;
//! a process can be limited and killed. It leaves the code in the cache, where the service finds it.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use super::load::Entry;
use super::{Code, Refusal, engine, manifest, runtime};
use crate::task::Digest;

/// The processor time that compiling one plugin may take, on all threads together. CPython as a component
/// takes 12 s on a slow machine.
pub(super) const DEFAULT_BUDGET: Duration = Duration::from_secs(60);
/// CPython takes 0.5 GB.
const MEMORY_BYTES: u64 = 2 << 30;
/// On a busy machine the processor time takes this much longer to come by.
const PATIENCE: u32 = 10;
/// The service and its guests go first.
const NICENESS: i32 = 10;

/// The command of our own program that compiles, for [`Settings::compiler`](super::Settings).
pub const COMMAND: &str = "compile-plugin";

pub(super) struct Compiler<'a> {
    pub(super) program: &'a Path,
    pub(super) cache_dir: &'a Path,
    pub(super) code: Code,
}

impl Compiler<'_> {
    /// Returns once the code of `component` lies in the cache, made from the file with that
    /// digest, or with the reason why it never will.
    pub(super) fn prepare(
        &self,
        plugin: &str,
        digest: &Digest,
        component: &[u8],
        budget: Duration,
    ) -> Result<(), Refusal> {
        let note = self.note(digest);
        if note.exists() {
            return Ok(());
        }
        let seconds = budget.as_millis().div_ceil(1000).max(1);
        let failed = |error: io::Error| Refusal::Compiler(format!("can't be run: {error}"));
        let child = Command::new(self.program)
            .arg(COMMAND)
            .arg("--cache")
            .arg(self.cache_dir)
            .args(["--seconds", &seconds.to_string()])
            .args((self.code == Code::Interpreted).then_some("--interpreter"))
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (answer, status) = converse(child, component, budget.saturating_mul(PATIENCE)).map_err(failed)?;
        let slow = || Refusal::Slow { plugin: plugin.to_owned(), seconds: seconds as u64 };
        let Some(answer) = answer else { return Err(slow()) };
        match (serde_json::from_slice::<Result<(), Refusal>>(&answer), status.signal()) {
            (Ok(Ok(())), _) => {
                // Without the note it is compiled once more, next time.
                if let Err(error) = std::fs::write(&note, "") {
                    tracing::warn!(file = %note.display(), %error, "can't be written");
                }
                Ok(())
            }
            (Ok(Err(refusal)), _) => Err(refusal),
            (Err(_), Some(signal)) if signal == Signal::XCPU.as_raw() => Err(slow()),
            (Err(_), Some(signal)) if signal == Signal::KILL.as_raw() => Err(Refusal::Compiler(
                "was killed by somebody else, as the kernel does when the machine is out of memory".into(),
            )),
            (Err(_), _) => Err(Refusal::Compiler(format!(
                "gave up ({status}); it may use {} MiB of memory",
                MEMORY_BYTES >> 20
            ))),
        }
    }

    /// Says that this host can compile the file within bounds: there is no asking the cache itself.
    fn note(&self, digest: &Digest) -> PathBuf {
        let name = Digest::of(format!("{}\n{:?}\n{digest}", env!("AIAGENT_VERSION"), self.code).as_bytes());
        engine::bounded_dir(self.cache_dir).join(name.as_str().replace(':', "-"))
    }
}

/// Hands the component over and waits for the answer. `None`: it took too long, and was killed.
fn converse(
    mut child: Child,
    component: &[u8],
    patience: Duration,
) -> io::Result<(Option<Vec<u8>>, ExitStatus)> {
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (mut stdin, mut stdout) = pipes.expect("both were asked for");
    std::thread::scope(|scope| {
        let (done, ended) = channel();
        scope.spawn(move || {
            // A process that ended early tells why in its answer, or by its exit; after the patience is spent
            // nobody listens any more.
            let _ = stdin.write_all(component);
            drop(stdin);
            let mut answer = Vec::new();
            let _ = stdout.read_to_end(&mut answer);
            let _ = done.send(answer);
        });
        let answer = match ended.recv_timeout(patience) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                child.kill()?;
                None
            }
        };
        Ok((answer, child.wait()?))
    })
}

/// What the process does: compiles and links the component on `input`, under limits that it sets itself
/// first. Returns what the service reads.
pub fn answer(cache_dir: &Path, code: Code, seconds: u64, mut input: impl io::Read) -> io::Result<Vec<u8>> {
    for (resource, most) in [(Resource::Cpu, seconds), (Resource::Data, MEMORY_BYTES), (Resource::Core, 0)] {
        let set = getrlimit(resource);
        let current = set.maximum.map_or(most, |maximum| most.min(maximum));
        setrlimit(resource, Rlimit { current: Some(current), ..set })?;
    }
    rustix::process::nice(NICENESS)?;
    let mut component = Vec::new();
    input.read_to_end(&mut component)?;
    let engine = engine::compiler(cache_dir, code).map_err(io::Error::other)?;
    let linker = runtime::linker(&engine).map_err(io::Error::other)?;
    let compile = || {
        let (kind, _) = manifest::surface(&component)?.kind()?;
        Entry::compile(kind, &linker, &component)
    };
    Ok(serde_json::to_vec(&compile().map(drop))?)
}
