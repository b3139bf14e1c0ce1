//! Standard error, for messages to people. A message that cannot be written is lost: there is no other place for it,
//! and the command goes on without it. (`eprintln!` would end the command with a panic.)
use std::{fmt, io::Write as _};

/// Prints `text`.
pub(crate) fn print(text: impl fmt::Display) {
    _ = write!(anstream::stderr().lock(), "{text}");
}
