//! aiagent-host, room by room, in reading order.

pub mod config;
pub mod task;
pub mod coordinator;
pub mod store;
pub mod plugin;
pub mod model;
pub mod workspace;
pub mod exec;
