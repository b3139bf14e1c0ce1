//! Messages to a shard from other threads. Their number is bounded, because each subscriber needs a permit.
use super::stream::Stream;
use std::net::TcpStream;

/// A message to a shard.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A stream to deliver, and the socket for it.
    Stream(TcpStream, Box<Stream>),
    /// All streams end. Streams that arrive later end after their heads.
    EndAll,
    /// No further message follows; the shard stops when it has no streams left.
    Stop,
}
