//! Ends a hub that belongs to another program, such as `fanfare load`, together with that program.
use std::{
    io::{self, Read as _},
    process,
};

/// Reads standard input until it is closed, and then ends the process. Standard input is a pipe from the program that
/// started this hub: it is closed when that program has ended, even if it was killed. The hub saves and finishes
/// nothing, because nobody needs it any more.
pub(super) fn end_with_standard_input() {
    let mut ignored = [0; 64];
    while !matches!(io::stdin().read(&mut ignored), Ok(0) | Err(_)) {}
    process::exit(0)
}
