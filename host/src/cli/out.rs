//! Standard output: results, in colours on a terminal.

use std::io::Write as _;

/// Prints a line of the result. An error is for `?`: a reader that has gone ends the command.
macro_rules! say {
    ($($word:tt)*) => {
        $crate::cli::out::put(format_args!("{}\n", format_args!($($word)*)))
    };
}

/// Prints text as it is.
pub(super) fn put(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}
