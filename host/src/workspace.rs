//! A task's files: a virtual tree, its snapshots, edits, diffs, import and export.
//!
//! Invariant: no path in a tree is absolute, climbs, or names a folder; nothing here touches the disk
//! or the network but `import` and `export`.

mod path;
mod globs;
mod tree;
mod apply;
mod diff;
mod link;
mod git_url;
mod import;
mod export;
mod snapshot;
mod snapshots;

pub use apply::{ApplyError, Edit, MAX_EDITS, Rejection};
pub use diff::{FileStat, Status, diff, diff_stat};
pub use export::{ExportError, FolderChange, apply_to_folder, to_tar_gz, write_into};
pub use git_url::GitUrl;
pub use globs::{BadGlob, Globs};
pub use import::{
    Deadline, Fetching, ImportError, Imported, fetch_git, git_version, import_archive, import_folder,
    import_folder_but, import_git, read_archive,
};
pub use link::in_git_folder;
pub use path::TreePath;
pub use snapshot::{SnapshotError, load, manifest, save};
pub use snapshots::Snapshots;
pub use tree::{Blob, File, Limits, Manifest, Mode, Tree, TreeError};
