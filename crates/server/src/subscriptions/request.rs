//! The messages to the teller.
use super::subscriber::Subscriber;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A message to the teller.
#[derive(Debug)]
pub(super) enum Request {
    Came(Arc<Subscriber>),
    Left(Arc<Subscriber>),
    /// Asks for an answer when all changes that were sent before this message are published. A client waits for the
    /// answer, so the task that publishes the changes makes no pauses between batches until it has answered.
    Ask(oneshot::Sender<()>),
}
