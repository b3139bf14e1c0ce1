//! Ends a hub that belongs to another program, such as `fanfare load`, together with that program.
use std::{
    io::{self, Read as _},
    process,
};

/// Reads standard input until it ends, and then ends the process: the end means that the program at the other end is
/// gone, even if it was killed. Nothing is saved or finished, because nobody is left who needs it.
pub(super) fn end_with_standard_input() {
    let mut ignored = [0; 64];
    while !matches!(io::stdin().read(&mut ignored), Ok(0) | Err(_)) {}
    process::exit(0)
}
