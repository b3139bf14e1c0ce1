//! A request to the teller.
use super::subscriber::Subscriber;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A message to the teller.
#[derive(Debug)]
pub(super) enum Request {
    Came(Arc<Subscriber>),
    Left(Arc<Subscriber>),
    /// A client waits until all earlier requests were published. The teller makes no pauses until then.
    Ask(oneshot::Sender<()>),
}
