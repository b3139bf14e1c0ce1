//! The hub that a relay's updates go to: the one that it is part of, or one over HTTP.
pub(super) mod failure;
mod local;
mod remote;

pub(crate) use local::LocalSink;
pub(crate) use remote::RemoteSink;

use super::{batch::Item, held::Held};
use failure::Failure;

/// A hub.
#[derive(Debug)]
pub(crate) enum Sink {
    /// The hub of this process.
    Local(LocalSink),
    /// Elsewhere.
    Remote(Box<RemoteSink>),
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

    /// Reads into `held` what the hub has of the relay's topics behind the position `after`, and returns the position
    /// where that begins. Without one it begins at the end.
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
