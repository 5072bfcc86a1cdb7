//! `aiagent:step/log`: lines for whoever watches the task, up to the step's limit.

use std::sync::{Arc, Mutex, MutexGuard};

use wasmtime::Result;

use super::bindings::log::Host;
use super::bindings::types;
use super::state::State;
use super::{Outside, convert};
use crate::task::Level;

/// Each line becomes an event of its own, so that a flood of empty ones must end too.
const MAX_LINES: u32 = 10_000;

/// Where a call's lines go.
pub(super) enum Sink {
    Task(Arc<dyn Outside>),
    /// An adapter works for no task in particular.
    Service {
        plugin: Arc<str>,
    },
}

/// One call's log. Shared with the guest's stdout and stderr.
pub(super) struct Log {
    sink: Sink,
    count: Mutex<Count>,
}

struct Count {
    left_bytes: u64,
    left_lines: u32,
    dropped_lines: u64,
}

impl Log {
    pub(super) fn new(sink: Sink, limit_bytes: u64) -> Self {
        Self {
            sink,
            count: Mutex::new(Count { left_bytes: limit_bytes, left_lines: MAX_LINES, dropped_lines: 0 }),
        }
    }

    pub(super) fn line(&self, level: Level, message: String) {
        {
            let mut count = self.count();
            let left = count.left_bytes.checked_sub(message.len() as u64 + 1);
            match left.zip(count.left_lines.checked_sub(1)) {
                Some((bytes, lines)) if count.dropped_lines == 0 => {
                    (count.left_bytes, count.left_lines) = (bytes, lines);
                }
                _ => {
                    count.dropped_lines += 1;
                    return;
                }
            }
        }
        self.emit(level, message);
    }

    /// Says what was dropped; called once, when the call is over.
    pub(super) fn close(&self) {
        let dropped = std::mem::take(&mut self.count().dropped_lines);
        if dropped > 0 {
            let message = format!("{dropped} more log lines were dropped (raise plugins.NAME.log_kib)");
            self.emit(Level::Warn, message);
        }
    }

    fn emit(&self, level: Level, message: String) {
        match &self.sink {
            Sink::Task(outside) => outside.log(level, message),
            Sink::Service { plugin } => tracing::debug!(plugin = &**plugin, ?level, "{message}"),
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Host for State {
    fn log(&mut self, level: types::Level, message: String) -> Result<()> {
        self.log.line(convert::level(level), message);
        Ok(())
    }
}
