//! WASI 0.2 for guests whose standard library wants it, linked inert: no files, no sockets, no
//! environment; printing goes to the log, time counts reads, random numbers come from the seed.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime::{Result, bail};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::{clocks, random};
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::log::Log;
use super::state::State;
use crate::task::Level;

/// The wall clock starts here for every step: 2026-01-01T00:00:00Z.
const EPOCH_SECONDS: u64 = 1_767_225_600;
/// How far each look moves the clock: enough for a loop that waits for a second to end.
const TICK_NANOS: u64 = 10_000;
/// A line without an end is cut here.
const MAX_LINE_BYTES: usize = 8 << 10;
const MAX_RANDOM_BYTES: u64 = 1 << 20;

pub(super) struct Wasi {
    ctx: WasiCtx,
    clock: Clock,
    random: SplitMix,
    stdout: Lines,
    stderr: Lines,
}

impl Wasi {
    pub(super) fn new(seed: u64, log: &Arc<Log>) -> Self {
        let stdout = Lines::new(Level::Info, log);
        let stderr = Lines::new(Level::Warn, log);
        let mut ctx = WasiCtx::builder();
        ctx.stdout(stdout.clone()).stderr(stderr.clone());
        ctx.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        Self { ctx: ctx.build(), clock: Clock::default(), random: SplitMix(seed), stdout, stderr }
    }

    /// Logs what was printed without a line's end.
    pub(super) fn close(&self) {
        self.stdout.end_line();
        self.stderr.end_line();
    }
}

/// Adds all of WASI, then puts our own clocks and random numbers over wasmtime's.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    clocks::monotonic_clock::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    clocks::wall_clock::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    random::random::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    random::insecure::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    random::insecure_seed::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl State {
    fn wasi(&mut self) -> &mut Wasi {
        self.wasi.as_mut().expect("made for every plugin that imports WASI")
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.as_mut().expect("made for every plugin that imports WASI");
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut self.table }
    }
}

/// Nanoseconds since the step began, as far as the guest can tell.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn look(&self) -> u64 {
        self.0.fetch_add(TICK_NANOS, Relaxed).saturating_add(TICK_NANOS)
    }
}

/// A sleep takes no time: the clock jumps to its end.
struct Alarm {
    clock: Clock,
    at: u64,
}

#[async_trait::async_trait]
impl Pollable for Alarm {
    async fn ready(&mut self) {
        self.clock.0.fetch_max(self.at, Relaxed);
        // A guest that does nothing but sleep must let others run.
        tokio::task::yield_now().await;
    }
}

impl clocks::monotonic_clock::Host for State {
    fn now(&mut self) -> Result<u64> {
        Ok(self.wasi().clock.look())
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(TICK_NANOS)
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let alarm = Alarm { clock: self.wasi().clock.clone(), at: when.min(u64::MAX >> 1) };
        let alarm = self.table.push(alarm)?;
        subscribe(&mut self.table, alarm)
    }

    fn subscribe_duration(&mut self, duration: u64) -> Result<Resource<DynPollable>> {
        let when = self.wasi().clock.look().saturating_add(duration);
        self.subscribe_instant(when)
    }
}

impl clocks::wall_clock::Host for State {
    fn now(&mut self) -> Result<clocks::wall_clock::Datetime> {
        let nanos = self.wasi().clock.look();
        Ok(clocks::wall_clock::Datetime {
            seconds: EPOCH_SECONDS + nanos / 1_000_000_000,
            nanoseconds: (nanos % 1_000_000_000) as u32,
        })
    }

    fn resolution(&mut self) -> Result<clocks::wall_clock::Datetime> {
        Ok(clocks::wall_clock::Datetime { seconds: 0, nanoseconds: TICK_NANOS as u32 })
    }
}

/// Repeatable, not secret: the generator of Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators" (2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        if len > MAX_RANDOM_BYTES {
            bail!("asked for {len} random bytes at once; the limit is {MAX_RANDOM_BYTES}");
        }
        let words = std::iter::from_fn(|| Some(self.next().to_le_bytes()));
        Ok(words.flatten().take(len as usize).collect())
    }
}

impl random::random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.wasi().random.bytes(len)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        Ok(self.wasi().random.next())
    }
}

impl random::insecure::Host for State {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.wasi().random.bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        Ok(self.wasi().random.next())
    }
}

impl random::insecure_seed::Host for State {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        let random = &mut self.wasi().random;
        Ok((random.next(), random.next()))
    }
}

/// A guest's stdout or stderr: each line becomes a line of the log.
#[derive(Clone)]
struct Lines {
    level: Level,
    log: Arc<Log>,
    /// The line that has not ended yet; shared by all handles of the stream.
    open: Arc<Mutex<Vec<u8>>>,
}

impl Lines {
    fn new(level: Level, log: &Arc<Log>) -> Self {
        Self { level, log: Arc::clone(log), open: Arc::default() }
    }

    fn print(&self, bytes: &[u8]) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(MAX_LINE_BYTES) {
                open.extend_from_slice(piece);
                if open.ends_with(b"\n") || open.len() >= MAX_LINE_BYTES {
                    self.emit(&mut open);
                }
            }
        }
    }

    fn end_line(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.is_empty() {
            self.emit(&mut open);
        }
    }

    fn emit(&self, open: &mut Vec<u8>) {
        let line = String::from_utf8_lossy(open).trim_end_matches(['\r', '\n']).to_owned();
        open.clear();
        self.log.line(self.level, line);
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
