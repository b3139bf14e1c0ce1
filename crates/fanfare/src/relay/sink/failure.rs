//! The reasons why a hub does not accept updates.
use crate::http::Refusal;

/// The reason why updates were not published, or may not have been published.
#[derive(Debug)]
pub(in crate::relay) enum Failure {
    /// The hub cannot be reached, or has failed. The updates may have been published or not. A later attempt may
    /// succeed.
    Passing(String),
    /// One update was refused because of its content. The updates before it were published, those after it were not.
    Refused {
        index: usize,
        reason: String,
        /// True if the reason may be the ID of the update.
        may_be_id: bool,
    },
    /// The request was refused as a whole because of its size, by a proxy in front of the hub or by the hub. No update
    /// of the request was published.
    TooLarge(String),
    /// The hub will not accept any update.
    Final(Closed),
}

/// The reason why the hub will never accept updates from this relay.
#[derive(Debug)]
pub(crate) enum Closed {
    /// The hub refused the relay.
    Refused(Refusal),
    /// The hub has ended.
    Ended,
}
