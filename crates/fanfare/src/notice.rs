//! Notices of a command: lines on standard error, separate from the output of the command.
use crate::stderr;
use fanfare_mask::masked;
use std::fmt;

const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// Prints a notice: one line for people, in which secrets are masked.
pub(crate) fn notice(text: impl fmt::Display) {
    stderr::print(format_args!("{DIM}fanfare: {}{DIM:#}\n", masked(&text.to_string())));
}
