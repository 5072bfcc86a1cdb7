//! The plugin runtime, and the worker over it, with guests that behave and guests that don't.

#[path = "support/flaky.rs"]
mod flaky;
#[path = "support/guest.rs"]
mod guest;
#[path = "support/hostile.rs"]
mod corpus;
#[path = "support/outside.rs"]
mod outside;
#[path = "support/shop.rs"]
mod shop;

#[path = "plugin/adapter.rs"]
mod adapter;
#[path = "plugin/calls.rs"]
mod calls;
#[path = "plugin/hostile.rs"]
mod hostile;
#[path = "plugin/limits.rs"]
mod limits;
#[path = "plugin/loading.rs"]
mod loading;
#[path = "plugin/swap.rs"]
mod swap;
#[path = "plugin/watch.rs"]
mod watch;
#[path = "plugin/worker.rs"]
mod worker;
