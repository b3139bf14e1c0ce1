//! The hub that a relay's updates go to: the one in this process, or one over HTTP.
pub(super) mod failure;
mod local;
mod remote;

pub(crate) use local::LocalSink;
pub(crate) use remote::RemoteSink;

use super::{batch::Item, held::Held};
use failure::Failure;

/// The hub that a relay publishes to.
#[derive(Debug)]
pub(crate) enum Sink {
    /// The hub of this process.
    Local(LocalSink),
    /// A hub over HTTP.
    Remote(Box<RemoteSink>),
}

impl Sink {
    /// Publishes `items` in order, and returns the position of the last one in the hub's log, if the hub says it.
    ///
    /// # Errors
    /// [`Failure`] says which items were not published, and why.
    pub(super) async fn publish(&self, items: &[Item]) -> Result<Option<String>, Failure> {
        match self {
            Self::Local(sink) => sink.publish(items).await.map(Some),
            Self::Remote(sink) => sink.publish(items).await,
        }
    }

    /// Reads from the hub's log the updates of the relay's topics after the position `after`, and puts them into
    /// `held`. Returns the position after which the updates in `held` begin. Without `after`, reads no updates and
    /// returns the position of the end of the log.
    ///
    /// # Errors
    /// [`Failure`] says why the log cannot be read. Then `held` is incomplete.
    pub(super) async fn look_up(&self, after: Option<&str>, held: &mut Held) -> Result<Option<String>, Failure> {
        held.clear();
        match self {
            Self::Local(sink) => sink.look_up(after, held).await.map(Some),
            Self::Remote(sink) => sink.look_up(after, held).await,
        }
    }
}
