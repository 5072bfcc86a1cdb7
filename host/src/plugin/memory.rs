//! The memory limit of one call, over all its memories and tables together.

use wasmtime::{ResourceLimiter, Result};

/// wasmtime counts a table's entry as a pointer.
const TABLE_ENTRY_BYTES: usize = 8;

#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    now: u64,
    peak: u64,
    /// Remembered, so that the trap that mostly follows is reported for what it is.
    denied: bool,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, now: 0, peak: 0, denied: false }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn peak(&self) -> u64 {
        self.peak
    }

    pub(super) fn denied(&self) -> bool {
        self.denied
    }

    fn grow(&mut self, by: usize) -> bool {
        let wanted = self.now.saturating_add(by as u64);
        if wanted > self.limit {
            self.denied = true;
            return false;
        }
        self.now = wanted;
        self.peak = self.peak.max(wanted);
        true
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // Beyond its own maximum the growth fails anyway, and must not be counted.
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let bytes = desired.saturating_sub(current).saturating_mul(TABLE_ENTRY_BYTES);
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.grow(bytes))
    }

    /// CPython as a component is about 40 core instances around one memory.
    fn instances(&self) -> usize {
        256
    }

    fn tables(&self) -> usize {
        256
    }

    fn memories(&self) -> usize {
        64
    }
}
