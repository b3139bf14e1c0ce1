//! Prints events on standard output.
use super::{SubscribeError, args::Format, format::Style, received::Received};
use crate::stdout::unless_closed;
use fanfare_client::{Block, MessageEvent};
use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
};

/// A writer of events to standard output, whose reader may close it.
pub(super) struct Output {
    style: Style,
    out: BufWriter<Box<dyn Write>>,
}

impl Output {
    pub(super) fn new(style: Style) -> Self {
        // Only this format has colours. They are removed if standard output is not a terminal that shows colours.
        let out: Box<dyn Write> = match style.format {
            Format::Pretty => Box::new(anstream::stdout()),
            _ => Box::new(io::stdout()),
        };
        Self { style, out: BufWriter::new(out) }
    }

    /// Writes one event, which appears after [`flush`](Self::flush). Returns [`ControlFlow::Break`] if the reader has
    /// closed the output.
    ///
    /// # Errors
    /// [`SubscribeError::Print`] if it cannot be written.
    pub(super) fn print(&mut self, event: &Received, came: &MessageEvent) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.style.write(event, came, &mut self.out))
    }

    /// Writes a comment, if the format shows comments (raw).
    ///
    /// # Errors
    /// The same as those of [`print`](Self::print).
    pub(super) fn comment(&mut self, text: &str) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.style.write_comment(text, &mut self.out))
    }

    /// Writes a block of fields without data, which is not an event, if the format shows such blocks (raw).
    ///
    /// # Errors
    /// The same as those of [`print`](Self::print).
    pub(super) fn block(&mut self, block: &Block) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.style.write_block(block, &mut self.out))
    }

    /// Writes out everything that is still in the buffer. Returns [`ControlFlow::Break`] if the reader has closed the
    /// output.
    ///
    /// # Errors
    /// [`SubscribeError::Print`] if it cannot be written.
    pub(super) fn flush(&mut self) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.out.flush())
    }
}

fn ended(written: io::Result<()>) -> Result<ControlFlow<()>, SubscribeError> {
    unless_closed(written).map_err(SubscribeError::Print)
}
