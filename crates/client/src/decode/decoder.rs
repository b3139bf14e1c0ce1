//! The interface of the decoders, which decode one slice of input at a time.

/// A decoder of one coding.
pub(super) trait Decode: Send {
    /// Decodes as much of `input` as fits in `output`. If this call reads no bytes and writes none, the decoder needs
    /// more input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;

    /// Returns true if the compressed data that has been decoded is complete, so that the body may end after it.
    fn is_complete(&self) -> bool;
}

/// Counts the bytes that one call of [`Decode::decode`] read from its input and wrote to its output.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// The reason why the input cannot be decoded.
pub(super) enum Fault {
    Corrupt(String),
    Trailing,
}
