//! The ways in which a connection leaves hyper.
use crate::delivery::stream::Stream;

/// The reason why a connection leaves hyper.
#[allow(clippy::large_enum_variant, reason = "there is one for a connection, for a moment")]
pub(super) enum Left {
    /// hyper has finished with it, or failed.
    Ended(Option<hyper::Error>),
    /// A shard is to take it, for this stream.
    Granted(Stream),
    /// hyper wants to refuse a head, which can perhaps be repaired.
    Refused,
    /// Its time is over.
    Late,
    /// The server does not wait for it any longer.
    Cut,
}
