//! The messages to the teller.
use super::subscriber::Subscriber;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A message to the teller.
#[derive(Debug)]
pub(super) enum Request {
    Came(Arc<Subscriber>),
    Left(Arc<Subscriber>),
    /// A client waits until all changes before this message are published. Until then, the teller makes no pauses
    /// between batches.
    Ask(oneshot::Sender<()>),
}
