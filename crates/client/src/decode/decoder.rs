//! The interface of the decoders, which decode one slice of input at a time.

/// A decoder of one coding.
pub(super) trait Decode: Send {
    /// Decodes as much of `input` as fits in `output`. If the returned step has no bytes read and no bytes written, the
    /// decoder needs more input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;

    /// Returns true if the compressed data that has been decoded is complete, so that the body may end after it.
    fn is_complete(&self) -> bool;
}

/// The number of bytes that one step read and wrote.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// The reason why the input cannot be decoded.
pub(super) enum Fault {
    Corrupt(String),
    Trailing,
}
