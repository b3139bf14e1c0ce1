//! Messages to a shard from outside. Bounded by the places for subscribers.
use super::stream::Stream;
use std::net::TcpStream;

/// A message to a shard.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A stream to deliver, and the socket for it.
    Stream(TcpStream, Box<Stream>),
    /// All streams end, and those that come yet end behind their heads.
    EndAll,
    /// Nothing comes any more.
    Stop,
}
