//! The property that all kinds of compiled patterns have in common.

/// A compiled pattern.
pub(super) trait Pattern {
    /// The memory that the pattern takes, in bytes.
    fn held_bytes(&self) -> usize;
}
