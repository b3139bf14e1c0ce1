//! The ways in which a hub does not take updates.
use crate::http::Refusal;

/// The reason why updates were not published, or not surely.
#[derive(Debug)]
pub(in crate::relay) enum Failure {
    /// The hub cannot be reached or fails. The updates may be published or not; it may be better later.
    Passing(String),
    /// One update was refused for what it is. Those before it were published, none behind it was.
    Refused {
        index: usize,
        reason: String,
        /// True if it may be its ID that is refused.
        may_be_id: bool,
    },
    /// The request was refused for its size, by a proxy before the hub or by a hub that does not say how much of it was
    /// published. Nothing of it was.
    TooLarge(String),
    /// The hub will not take anything.
    Final(Closed),
}

/// The hub takes nothing from this relay, now or later.
#[derive(Debug)]
pub(crate) enum Closed {
    /// It says so.
    Refused(Refusal),
    /// It has ended.
    Ended,
}
