//! Warnings of commands, on standard error.
use crate::stderr;
use fanfare_mask::masked;

/// Prints a warning, in which secrets are masked.
pub(crate) fn print(text: &str) {
    let style = anstyle::AnsiColor::Yellow.on_default().bold();
    stderr::print(format_args!("{style}warning:{style:#} {}\n", masked(text)));
}
