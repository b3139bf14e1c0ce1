//! The output of log lines: standard error, with the secrets in a line masked.
use fanfare_mask::masked;
use std::io::{self, Write};

/// A writer to standard error that masks secrets. Each call of `write` must get a whole line.
#[derive(Debug, Default)]
pub(super) struct MaskedStderr;

impl Write for MaskedStderr {
    /// Writes `bytes`, which is always one whole log line.
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
