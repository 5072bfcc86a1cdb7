//! A task's files: a virtual tree, its snapshots, edits, diffs, import and export.
//!
//! Invariant: no path in a tree is absolute, climbs, or names a folder; nothing here touches the disk
//! but `import` and `export`.

mod apply;
mod globs;
mod path;
mod tree;

pub use apply::{ApplyError, Edit, MAX_EDITS, Rejection};
pub use globs::{BadGlob, Globs};
pub use path::TreePath;
pub use tree::{Blob, File, Limits, Manifest, Mode, Tree, TreeError};
