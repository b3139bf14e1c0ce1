//! The state of a connection on systems other than Linux, which do not tell what the peer has acknowledged. Such a
//! system itself decides when it gives up a peer.
use super::Sent;
use std::os::fd::{AsFd, BorrowedFd};

/// Returns false, because this system does not tell the number.
pub(crate) fn is_counted(_: &impl AsFd) -> bool {
    false
}

/// See [`Sent::of`].
pub(super) fn sent(_: BorrowedFd<'_>) -> Option<Sent> {
    None
}
