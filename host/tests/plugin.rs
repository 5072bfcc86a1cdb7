//! The plugin runtime through its front door, with guests that behave and guests that don't.

#[path = "support/guest.rs"]
mod guest;
#[path = "support/outside.rs"]
mod outside;

#[path = "plugin/adapter.rs"]
mod adapter;
#[path = "plugin/calls.rs"]
mod calls;
#[path = "plugin/limits.rs"]
mod limits;
#[path = "plugin/loading.rs"]
mod loading;
