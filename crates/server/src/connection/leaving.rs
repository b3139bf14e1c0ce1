//! The reasons why hyper stops serving a connection.
use crate::delivery::stream::Stream;

/// The reason why hyper stops serving a connection.
#[allow(clippy::large_enum_variant, reason = "each connection has one value of this type, for a short time")]
pub(super) enum Left {
    /// hyper has finished with the connection, or it has failed with this error.
    Ended(Option<hyper::Error>),
    /// A shard takes the connection and delivers this stream.
    Granted(Stream),
    /// hyper wants to refuse the head of a request. Perhaps the head can be repaired.
    Refused,
    /// The peer took too long to send a request.
    Late,
    /// The server stops, and does not wait for the connection any longer.
    Cut,
}
