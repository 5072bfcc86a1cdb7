//! The one place where wasmtime is configured.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result,
};

/// A small component counts as three core instances; one with CPython inside as about twenty.
const CORE_INSTANCES_PER_CALL: u32 = 6;
/// The main module's table and the one of wit-component's shim.
const TABLES_PER_CALL: u32 = 3;
/// Memories or tables of one module; compilers make one of each.
const PER_MODULE: u32 = 4;
/// CPython's table has about 10,000 entries.
const TABLE_ELEMENTS: usize = 40_000;
/// What stays in memory of a slot's linear memory when its call is over, so that the next one does
/// not fault its first pages in again.
const KEEP_RESIDENT: usize = 128 << 10;
/// Likewise of a table and a stack. Calls rarely get the same ones again, so what stays in memory is soon
/// that of all of them: 40 MiB for a thousand checks with 128 KiB each.
const KEEP_OF_TABLE: usize = 4 << 10;
const KEEP_OF_STACK: usize = 8 << 10;
/// The guest's share of a call's stack. CPython counts frames of Python, not of C: attribute look-ups and
/// comparisons that recurse take over 1 KiB a frame here, and freeing a long chain some 100 bytes a link.
/// It is address space until it is used.
const WASM_STACK: usize = 16 << 20;
/// Both shares: host functions run on the same stack.
const STACK: usize = 17 << 20;

/// Pulley on the processors that we run on: 64 bits, little endian.
const PULLEY: &str = "pulley64";

/// What the pool is made for. A slot is address space (4 GiB per call), not memory, until it is used.
#[derive(Clone, Copy)]
pub(super) struct Pool {
    pub(super) calls: u32,
    pub(super) max_memory_bytes: u64,
}

/// What plugins are compiled to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// This machine's own.
    #[default]
    Native,
    /// That of wasmtime's interpreter, Pulley, which needs no memory that is first written and then run.
    Interpreted,
}

impl Code {
    pub fn new(interpreted: bool) -> Self {
        if interpreted { Self::Interpreted } else { Self::Native }
    }
}

pub(super) fn engine(cache: Option<&Path>, code: Code, pool: Pool) -> Result<Engine> {
    let cache = cache.map(open_cache).transpose()?;
    let pooled = config(cache.clone(), code, Some(pool)).and_then(|config| Engine::new(&config));
    match pooled {
        Ok(engine) => Ok(engine),
        // Little address space (ulimit -v, a 39-bit kernel): the pool can't be reserved.
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "no pool of instances; calls start slower");
            Engine::new(&config(cache, code, None)?)
        }
    }
}

/// Compiles into the cache for the engine above; makes no instances, and so needs no address space for them.
pub(super) fn compiler(cache: &Path, code: Code) -> Result<Engine> {
    Engine::new(&config(Some(open_cache(cache)?), code, None)?)
}

fn config(cache: Option<Cache>, code: Code, pool: Option<Pool>) -> Result<Config> {
    let mut config = Config::new();
    if code == Code::Interpreted {
        config.target(PULLEY)?;
    }
    config
        .concurrency_support(false)
        .gc_support(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .wasm_shared_everything_threads(false)
        .wasm_stack_switching(false)
        .wasm_memory64(false)
        .wasm_component_model(true)
        // A step that goes on on another machine, perhaps of another make, computes the same bits.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(STACK)
        .parallel_compilation(true)
        .cache(cache);
    if let Some(Pool { calls, max_memory_bytes }) = pool {
        let mut slots = PoolingAllocationConfig::new();
        slots
            .total_component_instances(calls)
            .total_core_instances(calls.saturating_mul(CORE_INSTANCES_PER_CALL))
            .total_memories(calls)
            .total_tables(calls.saturating_mul(TABLES_PER_CALL))
            .max_memories_per_module(PER_MODULE)
            .max_tables_per_module(PER_MODULE)
            .total_stacks(calls)
            .table_elements(TABLE_ELEMENTS)
            .max_memory_size(usize::try_from(max_memory_bytes)?)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(KEEP_OF_TABLE)
            // Only what a guest has written is reset, and only that much stays.
            .pagemap_scan(Enabled::Auto)
            .async_stack_keep_resident(KEEP_OF_STACK);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(slots));
    }
    Ok(config)
}

/// wasmtime trusts what lies in its cache as machine code, so nobody else may write there.
fn open_cache(dir: &Path) -> Result<Cache> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    std::fs::create_dir_all(bounded_dir(dir))?;
    // wasmtime tidies its folder of whatever it does not know.
    let code = dir.join("code");
    std::fs::create_dir_all(&code)?;
    let mut config = CacheConfig::new();
    config.with_directory(code.canonicalize()?);
    Cache::new(config)
}

/// Which plugins this host has compiled within bounds; see `compile`.
pub(super) fn bounded_dir(cache: &Path) -> PathBuf {
    cache.join("bounded")
}
