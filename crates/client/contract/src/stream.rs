//! One stream: what its event source gives, told to the tests.
use crate::callbacks::{Callbacks, Message};
use fanfare_client::{Cause, Error, Signal, Signals};
use futures_util::StreamExt as _;

/// Reads until the stream ends for good, or nobody takes what it brings.
pub(crate) async fn report(mut signals: Signals, mut callbacks: Callbacks) {
    while let Some(signal) = signals.next().await {
        let Some(message) = message(&signal) else { continue };
        if let Err(error) = callbacks.tell(&message).await {
            eprintln!("{error}");
            return;
        }
    }
}

/// The meaning of a signal to the tests, if it has one: an end that the server or the tests themselves have brought
/// about is no error.
fn message(signal: &Result<Signal, Error>) -> Option<Message<'_>> {
    match signal {
        Ok(Signal::Event(event)) => Some(event.into()),
        Ok(Signal::Comment(comment)) => Some(Message::Comment { comment }),
        Ok(Signal::Reconnecting { cause: Cause::EndOfStream | Cause::Requested, .. }) => None,
        Ok(Signal::Reconnecting { cause, .. }) => Some(Message::Error { error: cause.to_string() }),
        Ok(_) => None,
        Err(error) => Some(Message::Error { error: error.to_string() }),
    }
}
