//! Reads models' answers into edits, and asks for them: what the builder and the fixer share.
//!
//! Everything but [`host`] and [`ask`] is pure. Order of reading: [`scene`] looks at the tree, [`prompt`]
//! puts the question together, [`read`] makes edits of the answer.

/// The contract's types and imports.
pub mod bindings;
/// The one seam to the outside.
pub mod host;
/// `format`, `max_tokens`, `system`, `edit_retries`.
pub mod settings;

/// The tree, the tests, and the files a task is about.
pub mod scene;
/// What can be told about source text without a compiler.
pub mod source;

/// The loop of asking and applying.
pub mod ask;
/// A question that fits the model's window.
pub mod prompt;
/// The question for code to be written.
pub mod question;

/// Code without a fence.
mod bare;
/// Code blocks.
pub mod fence;
/// File names in prose, headings and comments.
pub mod name;
/// Which block is which file's.
pub mod place;
/// Repairs of Python files that are plainly right.
pub mod python;
/// From an answer to edits.
pub mod read;
/// Search/replace blocks and diffs.
pub mod replace;
/// Names of Python's standard library.
mod stdlib;
