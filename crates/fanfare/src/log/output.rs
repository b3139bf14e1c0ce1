//! Standard output, whose reader may close it early.
use super::error::LogCommandError;
use crate::stdout::unless_closed;
use serde::Serialize;
use std::{
    io::{self, BufWriter, Stdout, Write as _},
    ops::ControlFlow,
};

/// A writer of lines to standard output. Each method returns [`ControlFlow::Break`] if the reader has closed standard
/// output (`| head`), which is not a failure.
pub(super) struct Output(BufWriter<Stdout>);

impl Output {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// Writes one line of JSON.
    ///
    /// # Errors
    /// [`LogCommandError::Print`] if it cannot be written.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<ControlFlow<()>, LogCommandError> {
        let written = serde_json::to_writer(&mut self.0, value).map_err(io::Error::from);
        ended(written.and_then(|()| self.0.write_all(b"\n")))
    }

    /// Writes one line of text.
    ///
    /// # Errors
    /// The same as those of [`Self::json`].
    pub(super) fn text(&mut self, line: &str) -> Result<ControlFlow<()>, LogCommandError> {
        ended(writeln!(self.0, "{line}"))
    }

    /// Writes out the lines that are still in the buffer.
    ///
    /// # Errors
    /// The same as those of [`Self::json`].
    pub(super) fn flush(&mut self) -> Result<ControlFlow<()>, LogCommandError> {
        ended(self.0.flush())
    }
}

/// Prints one line on standard output, for a verb that prints nothing else.
///
/// # Errors
/// [`LogCommandError::Print`] if it cannot be written.
pub(super) fn line(text: &str) -> Result<(), LogCommandError> {
    let mut output = Output::new();
    if output.text(text)?.is_continue() {
        _ = output.flush()?;
    }
    Ok(())
}

fn ended(written: io::Result<()>) -> Result<ControlFlow<()>, LogCommandError> {
    unless_closed(written).map_err(LogCommandError::Print)
}
