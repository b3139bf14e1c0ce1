//! The connections that a shard is handed: those that hyper has let go of.
use crate::subscriptions::Arrival;
use fanfare_hub::{fan_out::Joining, opening::JoinPermit};
use std::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

/// A connection whose request is answered by a stream, of which nothing is written yet.
#[derive(Debug)]
pub(crate) struct Handed {
    /// The socket, in non-blocking mode.
    pub(crate) socket: TcpStream,
    /// The head of the response and what follows it at once.
    pub(crate) head: Vec<u8>,
    /// All that follows then.
    pub(crate) joining: Joining,
    /// Allows to join.
    pub(crate) permit: JoinPermit,
    /// Frees the subscriber's place when it is dropped.
    pub(crate) place: OwnedSemaphorePermit,
    /// The sign by which others are told that the subscriber is there, if that is told.
    pub(crate) arrival: Option<Arrival>,
}

/// A message to a shard from outside. Bounded by the places for subscribers.
#[derive(Debug)]
pub(super) enum Incoming {
    Subscriber(Box<Handed>),
    /// All streams end, and those that come yet end behind their heads.
    EndAll,
    /// Nothing comes any more.
    Stop,
}
