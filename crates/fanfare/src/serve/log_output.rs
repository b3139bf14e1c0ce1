//! The output of the log: standard error, without the secrets that may be in what is logged.
use fanfare_mask::masked;
use std::io::{self, Write};

/// Standard error, for whole events.
#[derive(Debug, Default)]
pub(super) struct MaskedStderr;

impl Write for MaskedStderr {
    /// An event comes in one piece.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match str::from_utf8(bytes) {
            Ok(text) => io::stderr().write_all(masked(text).as_bytes()),
            Err(_) => io::stderr().write_all(bytes),
        }?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
