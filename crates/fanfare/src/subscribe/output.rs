//! Events on standard output.
use super::{Format, SubscribeError, pretty, received::Received};
use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
};

/// Prints events until as many as wanted are printed, or nobody reads on.
pub(super) struct Output {
    format: Format,
    out: BufWriter<Box<dyn Write>>,
    /// How many are still wanted; `None` is all.
    wanted: Option<u64>,
}

impl Output {
    /// Prints in `format`, at most `count` events.
    pub(super) fn new(format: Format, count: Option<u64>) -> Self {
        // Colours go only to a terminal that shows them.
        let out: Box<dyn Write> = match format {
            Format::Pretty => Box::new(anstream::stdout()),
            Format::Json => Box::new(io::stdout()),
        };
        Self { format, out: BufWriter::new(out), wanted: count }
    }

    /// Writes one event, which is seen after [`flush`](Self::flush). Breaks when it was the last one wanted.
    ///
    /// # Errors
    /// [`SubscribeError::Print`] if it cannot be written.
    pub(super) fn print(&mut self, event: &Received) -> Result<ControlFlow<()>, SubscribeError> {
        let written = match self.format {
            Format::Pretty => pretty::write(event, &mut self.out),
            Format::Json => json(event, &mut self.out),
        };
        if ended(written)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.wanted = self.wanted.map(|wanted| wanted - 1);
        if self.wanted == Some(0) {
            self.flush().map(|_| ControlFlow::Break(()))
        } else {
            Ok(ControlFlow::Continue(()))
        }
    }

    /// Shows what was written. Breaks when nobody reads on.
    ///
    /// # Errors
    /// [`SubscribeError::Print`] if it cannot be written.
    pub(super) fn flush(&mut self) -> Result<ControlFlow<()>, SubscribeError> {
        ended(self.out.flush())
    }
}

/// That the reader of a pipe has gone (`| head`) is the end, not a failure.
fn ended(written: io::Result<()>) -> Result<ControlFlow<()>, SubscribeError> {
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(SubscribeError::Print(error)),
    }
}

fn json(event: &Received, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")
}
