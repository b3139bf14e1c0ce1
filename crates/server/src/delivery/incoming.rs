//! Messages to a shard from other threads. The number of waiting messages is bounded, because each stream needs a
//! permit for a subscriber.
use super::stream::Stream;
use std::net::TcpStream;

/// A message to a shard.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A stream to deliver, and the socket for it.
    Stream(TcpStream, Box<Stream>),
    /// The shard must end all streams. A stream that arrives after this message gets only the head of its response, and
    /// then ends.
    EndAll,
    /// The hub no longer trusts some of the signers of tokens. The shard must end the streams that these tokens have let
    /// in.
    EndRevoked,
    /// No further message follows; the shard stops when it has no streams left.
    Stop,
    /// The shard must stop at once. Its streams break off: they get no last chunk, so that clients see that the hub has
    /// not ended them.
    Abort,
    /// The shard panics.
    #[cfg(test)]
    Panic,
}
