//! The notices of a command beside its output: a line on standard error.
use fanfare_mask::masked;
use std::fmt;

const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// Prints one line for people, without secrets.
pub(crate) fn notice(text: impl fmt::Display) {
    anstream::eprintln!("{DIM}fanfare: {}{DIM:#}", masked(&text.to_string()));
}
