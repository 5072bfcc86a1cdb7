//! Runs a guest's future under its two clocks, and finds out how it ended.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, PoolConcurrencyLimitError, Store, Trap, UpdateDeadline, WasmBacktrace};

use super::Failure;
use super::aside::LONG;
use super::meter::Meter;
use super::state::State;
use super::ticker::Ticker;
use super::turns::Turn;

/// How many frames of a trap's backtrace are worth showing.
const FRAMES: usize = 8;

/// What ends a call from outside.
pub(super) struct Clocks<'a> {
    pub(super) meter: &'a Meter,
    pub(super) ticker: &'a Ticker,
    /// Whose timers are used: the threads that guests are moved to have none.
    pub(super) service: &'a Handle,
    pub(super) cancel: &'a CancellationToken,
    pub(super) deadline: Instant,
    /// From the call's start to `deadline`.
    pub(super) wall: Duration,
}

impl Clocks<'_> {
    /// Polls `guest` until it ends or is ended; a guest that waits is ended at once.
    pub(super) async fn run<T>(
        &self,
        mut turn: Turn,
        guest: impl Future<Output = wasmtime::Result<T>> + Send,
    ) -> wasmtime::Result<T> {
        let mut guest = pin!(guest);
        let metered = poll_fn(|cx| {
            turn.look(self.meter);
            let _running = self.ticker.running();
            let _stretch = self.meter.stretch();
            match catch_unwind(AssertUnwindSafe(|| guest.as_mut().poll(cx))) {
                Ok(poll) => poll,
                Err(panic) => {
                    let text = format!("the host panicked: {}", panic_text(&*panic));
                    Poll::Ready(Err(Failure::Host(text).into()))
                }
            }
        });
        let deadline = {
            let _service = self.service.enter();
            tokio::time::sleep_until(self.deadline.into())
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Failure::Cancelled.into()),
            () = deadline => Err(Failure::Deadline(self.wall).into()),
            ended = metered => ended,
        }
    }
}

/// Sets everything that can end a call while it computes. To be called before the instance is made.
pub(super) fn limit(store: &mut Store<State>, wall: Duration, crossing_bytes: usize) {
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(crossing_bytes);
    // The epoch moves only while guests run; each tick looks at the clocks, then lets others run.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |store| {
        let state = store.data();
        if state.cancel.is_cancelled() {
            return Err(Failure::Cancelled.into());
        }
        let spent = state.meter.spent();
        if spent >= state.meter.budget() {
            return Err(Failure::Compute(state.meter.budget()).into());
        }
        if Instant::now() >= state.deadline {
            return Err(Failure::Deadline(wall).into());
        }
        // What is nearly done anyway is not worth a move.
        if spent < LONG {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::Yield(1))
    });
}

/// What an error of the guest's future means.
pub(super) fn failure(error: &Error, state: &State, output_limit: u64) -> Failure {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.clone();
    }
    if state.memory.denied() {
        return Failure::Memory(state.memory.limit());
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return Failure::Trap(format!("the plugin called exit({})", exit.0));
    }
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return Failure::Host(format!("too many plugin calls at once: {full}"));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return Failure::Trap(format!("held more than {} handles", state.table.max_capacity()));
    }
    // wasmtime has no type for it; a test pins the words.
    if error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted") {
        return Failure::Output(output_limit);
    }
    Failure::Trap(trap_text(error))
}

fn trap_text(error: &Error) -> String {
    let cause = match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "call stack exhausted (endless recursion?)".to_owned(),
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None => error.root_cause().to_string(),
    };
    let frames =
        error.downcast_ref::<WasmBacktrace>().map(|trace| frames(&trace.to_string())).unwrap_or_default();
    if frames.is_empty() { cause } else { format!("{cause}; in {}", frames.join(" < ")) }
}

/// The functions of wasmtime's own rendering, which demangles their names:
/// `   0:   0x1f2 - <unknown>!slugify::build`.
fn frames(trace: &str) -> Vec<String> {
    let function = |line: &str| {
        let (_, place) = line.split_once(" - ")?;
        let (_, function) = place.split_once('!')?;
        Some(function.chars().take(120).collect())
    };
    trace.lines().filter_map(function).take(FRAMES).collect()
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
