//! Standard output, whose reader may close it early, as `head` does. Then nobody reads the rest, and a command that
//! stops printing has not failed.
use std::{
    fmt,
    io::{self, Write as _},
    ops::ControlFlow,
};

/// Prints `text` at once. Returns [`ControlFlow::Break`] if the reader has closed the output.
///
/// # Errors
/// [`io::Error`] if the text cannot be written for another reason.
pub(crate) fn print(text: &impl fmt::Display) -> io::Result<ControlFlow<()>> {
    let mut stdout = io::stdout().lock();
    unless_closed(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Converts the result of writing to standard output: [`ControlFlow::Continue`] if the text was written,
/// [`ControlFlow::Break`] if the reader has closed the output.
///
/// # Errors
/// [`io::Error`] if writing failed for another reason.
pub(crate) fn unless_closed(written: io::Result<()>) -> io::Result<ControlFlow<()>> {
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error),
    }
}
