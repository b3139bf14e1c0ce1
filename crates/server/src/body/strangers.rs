//! The limit of the bodies of senders without a token, in sum.

/// The greatest number of bytes of the bodies of requests without a token that are in memory at the same time.
pub const MAX_STRANGERS_BYTES: usize = 32 << 20;
