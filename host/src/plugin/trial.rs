//! A plugin that has replaced another is on trial: while it is, what a trap of it spoils is done again by
//! the one before. Three traps in a row withdraw it, not counting those that the one before had, too: an input
//! that any version traps on is no reason to go back.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::generation::Set;
use super::ledger::{self, Withdrawal};
use super::load::Plugin;
use super::runtime::Shared;
use super::{Catalog, Change, Failure, Generation, Loaded, Refusal, Refused, What};
use crate::task::Digest;

/// One may be a coincidence, two as well.
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
    pub before: Digest,
}

/// A plugin that serves no more, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    pub plugin: String,
    pub digest: Digest,
    /// What serves in its place.
    pub restored: Digest,
    /// The last trap.
    pub why: String,
}

/// A call that is done again.
pub(super) struct Again {
    /// What it trapped on.
    plugin: Arc<Plugin>,
    failure: Failure,
    /// Whether it is known whose fault that was.
    judged: AtomicBool,
    withdrawn: Mutex<Option<Withdrawn>>,
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
        plugin.uses.count(failure, wall);
        if let Some(again) = self.set.again.get(&plugin.name) {
            self.shared.compare(again, plugin, failure);
        }
        if failure.is_some_and(Failure::is_the_guests) {
            plugin.habit.note();
        }
        if !matches!(failure, Some(Failure::Trap(_))) {
            if failure.is_none() && plugin.uses.passed() >= PROVEN && plugin.before.take().is_some() {
                self.shared.proven(plugin);
            }
            return None;
        }
        let (before, failure) = (plugin.before.get()?, failure?.clone());
        let digest = before.digest.clone();
        let mut set = self.set.with(before);
        let again = Again {
            plugin: Arc::clone(plugin),
            failure,
            judged: AtomicBool::new(false),
            withdrawn: Mutex::default(),
        };
        set.again.insert(Arc::clone(&plugin.name), Arc::new(again));
        let generation = Self { shared: Arc::clone(&self.shared), set: Arc::new(set) };
        Some(Fallback { generation, before: digest })
    }

    /// The plugins that were withdrawn since this was last asked, because what they had trapped on went well on
    /// this generation.
    pub fn take_withdrawn(&self) -> Vec<Withdrawn> {
        let take = |again: &Arc<Again>| again.withdrawn.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.set.again.values().filter_map(take).collect()
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
    /// What `before` made of a call that its successor has trapped on.
    fn compare(self: &Arc<Self>, again: &Again, before: &Arc<Plugin>, failure: Option<&Failure>) {
        let tells = !matches!(
            failure,
            Some(
                Failure::Cancelled
                    | Failure::LeaseLost
                    | Failure::Missing(_)
                    | Failure::Diverged(_)
                    | Failure::Host(_)
            )
        );
        if !tells || again.judged.swap(true, SeqCst) || matches!(failure, Some(Failure::Trap(_))) {
            return;
        }
        let plugin = &again.plugin;
        if plugin.uses.blame() == TRAPS && self.withdraw(plugin, before, &again.failure) {
            let withdrawn = Withdrawn {
                plugin: plugin.name.to_string(),
                digest: plugin.digest.clone(),
                restored: before.digest.clone(),
                why: again.failure.to_string(),
            };
            *again.withdrawn.lock().unwrap_or_else(PoisonError::into_inner) = Some(withdrawn);
        }
    }

    /// Serves the plugin before again. False where something else is served by now.
    fn withdraw(self: &Arc<Self>, plugin: &Arc<Plugin>, before: &Arc<Plugin>, failure: &Failure) -> bool {
        let last_trap = failure.to_string();
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
