//! A hub that is part of another program, such as `fanfare load`, and must not outlive it.
use std::{
    io::{self, Read as _},
    process,
};

/// Reads standard input until it ends, and then ends the process: whoever held the other end is gone, however it went.
/// Nothing is kept or finished, since nobody is left for whom it could be.
pub(super) fn end_with_standard_input() {
    let mut ignored = [0; 64];
    while !matches!(io::stdin().read(&mut ignored), Ok(0) | Err(_)) {}
    process::exit(0)
}
