//! Where a relay's updates go: the hub that it is part of, or one over HTTP.
mod local;
mod remote;

pub(crate) use local::LocalSink;
pub(crate) use remote::RemoteSink;

use super::{batch::Item, held::Held};
use crate::http::Refusal;

/// A hub.
#[derive(Debug)]
pub(crate) enum Sink {
    /// In this process.
    Local(LocalSink),
    /// Elsewhere.
    Remote(Box<RemoteSink>),
}

/// Why updates were not published, or not surely.
#[derive(Debug)]
pub(super) enum Failure {
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

impl Sink {
    /// Publishes `items` in order, and returns the hub's position behind the last, if the hub tells it.
    ///
    /// # Errors
    /// [`Failure`] says what became of them.
    pub(super) async fn publish(&self, items: &[Item]) -> Result<Option<String>, Failure> {
        match self {
            Self::Local(sink) => sink.publish(items).await.map(Some),
            Self::Remote(sink) => sink.publish(items).await,
        }
    }

    /// Reads into `held` what the hub has of the relay's topics behind the position `after`, and returns the position where
    /// that begins. Without one it begins at the end.
    ///
    /// # Errors
    /// [`Failure`]; `held` is then of no use.
    pub(super) async fn look_up(&self, after: Option<&str>, held: &mut Held) -> Result<Option<String>, Failure> {
        held.clear();
        match self {
            Self::Local(sink) => sink.look_up(after, held).await.map(Some),
            Self::Remote(sink) => sink.look_up(after, held).await,
        }
    }
}
