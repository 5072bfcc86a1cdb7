//! A plugin that has replaced another is on trial: while it is, what a trap of it spoils is done again by
//! the one before, and three traps in a row withdraw it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::generation::Set;
use super::ledger::{self, Withdrawal};
use super::load::Plugin;
use super::runtime::Shared;
use super::{Catalog, Change, Failure, Generation, Loaded, Refusal, Refused, What};
use crate::task::Digest;

/// One trap may be the input's fault, two a coincidence.
pub(super) const TRAPS: u32 = 3;

/// The trial ends after so many calls that gave a result, and the plugin before is let go.
const PROVEN: u64 = 100;

/// The plugin that this one has replaced, for as long as the trial lasts.
#[derive(Default)]
pub(super) struct Before(Mutex<Option<Arc<Plugin>>>);

/// What a call that trapped is done again on.
pub struct Fallback {
    /// As it was, but for the plugin that trapped.
    pub generation: Generation,
    /// The plugin before the one that trapped.
    pub restored: Digest,
    /// This trap was the last one.
    pub withdrawn: bool,
}

impl Before {
    pub(super) fn new(plugin: Arc<Plugin>) -> Self {
        // One that is failing itself is nothing to go back to, where there is another.
        let older = match plugin.uses.record().traps_in_a_row {
            0 => None,
            _ => plugin.before.get(),
        };
        Self(Mutex::new(Some(older.unwrap_or(plugin))))
    }

    pub(super) fn get(&self) -> Option<Arc<Plugin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> Option<Arc<Plugin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Generation {
    /// Counts how a call of `plugin` went. `Some` where it is on trial and has trapped.
    pub(super) fn judge(
        &self,
        plugin: &Arc<Plugin>,
        failure: Option<&Failure>,
        wall: Duration,
    ) -> Option<Fallback> {
        let traps = plugin.uses.count(failure, wall);
        if failure.is_some_and(Failure::is_the_guests) {
            plugin.habit.note();
        }
        if !matches!(failure, Some(Failure::Trap(_))) {
            if failure.is_none() && plugin.uses.passed() == PROVEN && plugin.before.take().is_some() {
                self.shared.proven(plugin);
            }
            return None;
        }
        let before = plugin.before.get()?;
        let withdrawn = traps == TRAPS && self.shared.withdraw(plugin, &before, failure);
        let restored = before.digest.clone();
        let set = Arc::new(self.set.with(before));
        Some(Fallback { generation: Self { shared: Arc::clone(&self.shared), set }, restored, withdrawn })
    }
}

impl Set {
    /// Ends the trials of what this set replaces, so that no chain of old plugins stays in memory.
    pub(super) fn let_go(&self) {
        for before in self.plugins.values().filter_map(|plugin| plugin.before.get()) {
            before.before.take();
        }
    }

    /// The same, but for this plugin in the place of its namesake.
    fn with(&self, plugin: Arc<Plugin>) -> Self {
        let mut catalog = Catalog::clone(&self.catalog);
        for loaded in &mut catalog.loaded {
            if *loaded.name == *plugin.name {
                *loaded = Loaded::of(&plugin);
            }
        }
        let mut plugins = self.plugins.clone();
        plugins.insert(Arc::clone(&plugin.name), plugin);
        Self { catalog: Arc::new(catalog), plugins, ..self.clone() }
    }
}

impl Shared {
    /// Serves the plugin before again. False where something else is served by now.
    fn withdraw(
        self: &Arc<Self>,
        plugin: &Arc<Plugin>,
        before: &Arc<Plugin>,
        failure: Option<&Failure>,
    ) -> bool {
        let last_trap = failure.map(ToString::to_string).unwrap_or_default();
        let refusal = Refusal::Withdrawn { last_trap: last_trap.clone() };
        let mut book = self.ledger.book();
        let set = self.current();
        if !set.plugins.get(&plugin.name).is_some_and(|served| Arc::ptr_eq(served, plugin)) {
            return false;
        }
        let mut set = set.with(Arc::clone(before));
        let refused = Refused::of(
            plugin.file.clone(),
            Some(plugin.digest.clone()),
            &refusal,
            Some(before.digest.clone()),
        );
        let generation = set.catalog.generation + 1;
        let mut catalog = Catalog::clone(&set.catalog);
        catalog.generation = generation;
        catalog.refused.push(refused);
        set.catalog = Arc::new(catalog);
        book.generation = generation;
        if let Some(entry) = book.files.get_mut(&ledger::key(&plugin.file)) {
            entry.serving = ledger::Taken::of(before);
            entry.before = None;
            entry.withdrawn = Some(Withdrawal { digest: plugin.digest.clone(), last_trap });
        }
        let change = Change {
            at: crate::task::now(),
            generation,
            plugin: plugin.name.to_string(),
            what: What::Withdrawn,
            from: Some(plugin.digest.clone()),
            to: Some(before.digest.clone()),
            why: Some(format!("{refusal}; {}", refusal.remedy())),
        };
        change.log();
        book.note(change);
        self.publish(Arc::new(set));
        drop(book);
        self.save_aside();
        true
    }

    /// The one before is not gone back to any more, not even after a restart.
    fn proven(self: &Arc<Self>, plugin: &Plugin) {
        let mut book = self.ledger.book();
        match book.files.get_mut(&ledger::key(&plugin.file)) {
            Some(entry) if entry.serving.digest == plugin.digest => entry.before = None,
            _ => return,
        }
        drop(book);
        self.save_aside();
    }

    fn save_aside(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || shared.ledger.save());
    }
}
