//! The one place where wasmtime is configured.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

/// Calls that can be in the sandbox at once. A pool slot is address space, not memory, until it is used.
const CALLS: u32 = 10_000;
/// A small component counts as three core instances; one with CPython inside as about twenty.
const CORE_INSTANCES: u32 = 6 * CALLS;
/// The main module's table and the one of wit-component's shim.
const TABLES: u32 = 3 * CALLS;
/// CPython's table has about 10,000 entries.
const TABLE_ELEMENTS: usize = 40_000;
/// What stays in memory of a slot's linear memory when its call is over, so that the next one does
/// not fault its first pages in again.
const KEEP_RESIDENT: usize = 128 << 10;
/// The guest's share of a call's stack; interpreters recurse deeply.
const WASM_STACK: usize = 1 << 20;
/// Both shares: host functions run on the same stack.
const STACK: usize = 2 << 20;

/// An engine whose guests may have memories of up to `max_memory` bytes.
pub(super) fn engine(cache: Option<&Path>, max_memory: u64) -> Result<Engine> {
    let cache = cache.map(open_cache).transpose()?;
    let pooled = config(cache.clone(), Some(max_memory)).and_then(|config| Engine::new(&config));
    match pooled {
        Ok(engine) => Ok(engine),
        // Little address space (ulimit -v, a 39-bit kernel): the pool can't be reserved.
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "no pool of instances; calls start slower");
            Engine::new(&config(cache, None)?)
        }
    }
}

fn config(cache: Option<Cache>, pool: Option<u64>) -> Result<Config> {
    let mut config = Config::new();
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
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(STACK)
        .parallel_compilation(true)
        .cache(cache);
    if let Some(max_memory) = pool {
        let max_memory = usize::try_from(max_memory)?;
        let mut slots = PoolingAllocationConfig::new();
        slots
            .total_component_instances(CALLS)
            .total_core_instances(CORE_INSTANCES)
            .total_memories(CALLS)
            .total_tables(TABLES)
            .total_stacks(CALLS)
            .table_elements(TABLE_ELEMENTS)
            .max_memory_size(max_memory)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(KEEP_RESIDENT)
            .async_stack_keep_resident(16 << 10);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(slots));
    }
    Ok(config)
}

/// wasmtime trusts what lies in its cache as machine code, so nobody else may write there.
fn open_cache(dir: &Path) -> Result<Cache> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    let mut config = CacheConfig::new();
    config.with_directory(dir.canonicalize()?);
    Cache::new(config)
}
