//! Events on standard output.
use super::{SubscribeError, args::Format, format::Style, received::Received};
use fanfare_client::{Block, MessageEvent};
use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
};

/// Prints events as long as somebody reads them.
pub(super) struct Output {
    style: Style,
    out: BufWriter<Box<dyn Write>>,
}

impl Output {
    pub(super) fn new(style: Style) -> Self {
        // Colours go only to a terminal that shows them.
        let out: Box<dyn Write> = match style.format {
            Format::Pretty => Box::new(anstream::stdout()),
            _ => Box::new(io::stdout()),
        };
        Self { style, out: BufWriter::new(out) }
    }

    /// Writes one event, which is seen after [`flush`](Self::flush). Breaks when nobody reads on.
    ///
    /// # Errors
    /// [`SubscribeError::Print`] if it cannot be written.
    pub(super) fn print(&mut self, event: &Received, came: &MessageEvent) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.style.write(event, came, &mut self.out))
    }

    /// Writes a comment, if the format has comments.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub(super) fn comment(&mut self, text: &str) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.style.write_comment(text, &mut self.out))
    }

    /// Writes a block that is no event, if the format has such.
    ///
    /// # Errors
    /// As [`print`](Self::print).
    pub(super) fn block(&mut self, block: &Block) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.style.write_block(block, &mut self.out))
    }

    /// Shows what was written. Breaks when nobody reads on.
    ///
    /// # Errors
    /// [`SubscribeError::Print`] if it cannot be written.
    pub(super) fn flush(&mut self) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.out.flush())
    }
}

/// Takes it for the end, and not for a failure, that the reader of a pipe has gone (`| head`).
fn ended(written: io::Result<()>) -> Result<ControlFlow<()>, SubscribeError> {
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(SubscribeError::Print(error)),
    }
}
