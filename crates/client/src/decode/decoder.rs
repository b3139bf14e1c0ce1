//! One coding, undone from slice to slice.

/// A decoder of one coding.
pub(super) trait Decode: Send {
    /// Decodes as much of `input` as fits `output`. With neither read nor written it waits for more input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;

    /// True if the body may end here.
    fn is_complete(&self) -> bool;
}

/// The work of one step, in bytes.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// The fault of the input.
pub(super) enum Fault {
    Corrupt(String),
    Trailing,
}
