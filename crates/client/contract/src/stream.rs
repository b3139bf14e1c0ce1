//! One stream: sends the signals of its event source to the tests.
use crate::callbacks::{Callbacks, Message};
use fanfare_client::{Cause, Error, Signal, Signals};
use futures_util::StreamExt as _;

/// Reads signals and sends them, until the stream ends or a message is not accepted.
pub(crate) async fn report(mut signals: Signals, mut callbacks: Callbacks) {
    while let Some(signal) = signals.next().await {
        let Some(message) = message(&signal) else { continue };
        if let Err(error) = callbacks.tell(&message).await {
            eprintln!("{error}");
            return;
        }
    }
}

/// Converts a signal to a message, if it means something to the tests. An end that the server or the tests themselves
/// have caused is not an error.
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
