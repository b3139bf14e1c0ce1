//! Notices of a command: lines on standard error, apart from its output.
use crate::stderr;
use fanfare_mask::masked;
use std::fmt;

const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// Prints one line for people, without secrets.
pub(crate) fn notice(text: impl fmt::Display) {
    stderr::print(format_args!("{DIM}fanfare: {}{DIM:#}\n", masked(&text.to_string())));
}
