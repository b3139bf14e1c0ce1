//! The reasons why hyper stops serving a connection.
use crate::delivery::stream::Stream;

/// The reason why hyper stops serving a connection.
#[allow(clippy::large_enum_variant, reason = "each connection has only one such value, for a short time")]
pub(super) enum Left {
    /// hyper has finished with the connection, or has failed with this error.
    Ended(Option<hyper::Error>),
    /// A shard takes the connection and delivers this stream.
    Granted(Stream),
    /// hyper wants to refuse a head, which can perhaps be repaired.
    Refused,
    /// The connection has waited too long for a request.
    Late,
    /// The server stops, and does not wait for the connection any longer.
    Cut,
}
