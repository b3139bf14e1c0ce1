//! The signals of an event source: events, and everything else that it reports.
use crate::{Cause, Masked, MessageEvent, Text, masked::MaskedHeaders};
use bytes::Bytes;
use fanfare_event_stream::{BlockRef, ParseError, encode_comment};
use fanfare_mask::shortened;
use std::{fmt, time::Duration};
use url::Url;

/// The longest ID that a message shows, in characters. A server can choose longer IDs.
const MAX_SHOWN_ID_CHARS: usize = 64;

/// Anything that an event source reports, in order. [`Signals`](crate::Signals) is a stream of these.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal {
    /// A connection is open: the `open` event of browsers.
    Open(Box<Opened>),
    /// An event that the server sent.
    Event(MessageEvent),
    /// A comment, without the colon and the one space after it. Servers send comments to keep connections alive.
    Comment(Text),
    /// A block without data. It is not an event, but it may have set the last event ID or the reconnection time. It is
    /// given only with [`Builder::blocks`](crate::Builder::blocks).
    Block(Block),
    /// A connection ended or could not be made, and there will be another attempt. Browsers fire an `error` event in
    /// this case.
    Reconnecting {
        /// The reason why the connection ended or could not be made.
        cause: Cause,
        /// The time until the next attempt.
        delay: Duration,
    },
    /// Something did not work as it should, but the stream goes on.
    Warning(Warning),
}

impl Signal {
    /// Returns the event, block or comment as bytes that mean the same to another client. `None` for other signals.
    #[must_use]
    pub fn to_wire(&self) -> Option<Bytes> {
        let mut out = Vec::new();
        match self {
            Self::Event(event) => event.encode_into(&mut out),
            Self::Block(block) => block.encode_into(&mut out),
            Self::Comment(text) => encode_comment(text, &mut out),
            Self::Open(_) | Self::Reconnecting { .. } | Self::Warning(_) => return None,
        }
        Some(out.into())
    }
}

/// A block without data, which is not an event ([WHATWG HTML,
/// 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage), step 2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// The event type that the block names, if any.
    pub event_type: Option<Text>,
    /// The ID that the block sets, if any. From this block on, it is the last event ID.
    pub id: Option<Text>,
    /// The reconnection time that the block sets, in milliseconds, if any.
    pub retry_ms: Option<u64>,
}

impl Block {
    /// Appends the block to `out`, in the format of an event stream. Only the order of the fields may differ from the
    /// original bytes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let (event_type, id) = (self.event_type.as_deref(), self.id.as_deref());
        BlockRef { event_type, id, retry_ms: self.retry_ms }.encode_into(out);
    }
}

impl From<BlockRef<'_>> for Block {
    fn from(block: BlockRef<'_>) -> Self {
        let BlockRef { event_type, id, retry_ms } = block;
        Self { event_type: event_type.map(Text::from), id: id.map(Text::from), retry_ms }
    }
}

/// The response that began an event stream.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opened {
    /// The URL that answered, after redirects.
    pub url: Url,
    /// The head of the response: status, version, headers and extensions.
    pub parts: http::response::Parts,
    /// The last event ID that the request has sent; empty if it has sent none. Bytes that are not UTF-8 are replaced by
    /// U+FFFD.
    pub last_event_id: Text,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("url", &Masked(&self.url))
            .field("status", &self.parts.status)
            .field("version", &self.parts.version)
            .field("headers", &MaskedHeaders(&self.parts.headers))
            .field("last_event_id", &self.last_event_id)
            .finish_non_exhaustive()
    }
}

/// Something that did not work as it should, although the stream goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The last event ID contains control characters, which no header can carry, so the request was sent without it
    /// ([whatwg/html#689](https://github.com/whatwg/html/issues/689)).
    UnsendableLastEventId {
        /// The last event ID that was not sent.
        id: Text,
    },
    /// The response names unknown content codings. Its body is read as if these names were not there, as browsers do.
    UnknownEncoding {
        /// The names of the first four unknown codings, separated by commas, with at most 32 characters of each.
        coding: String,
    },
    /// An event was larger than the limits allow, and was skipped. Its ID becomes the last event ID nevertheless. This
    /// is given only with [`Builder::skip_large_events`](crate::Builder::skip_large_events).
    EventSkipped {
        /// The limit that the event exceeds.
        error: ParseError,
        /// The size in bytes of the data, ID, type or line that was too large.
        bytes: u64,
        /// The last event ID, the skipped event included: its own ID, or an earlier one if it has none. With
        /// [`Acknowledge::Manual`](crate::Acknowledge::Manual) this ID is saved once it is
        /// [acknowledged](crate::EventSource::acknowledge_skipped).
        last_event_id: Text,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsendableLastEventId { id } => {
                let id = shortened(id, MAX_SHOWN_ID_CHARS);
                write!(
                    f,
                    "the last event ID {id:?} contains characters that are not allowed in a header, so it is not sent"
                )
            }
            Self::UnknownEncoding { coding } => {
                write!(f, "the content coding {coding:?} is not known: the response is read unchanged")
            }
            Self::EventSkipped { error, bytes, last_event_id } => {
                let id = shortened(last_event_id, MAX_SHOWN_ID_CHARS);
                write!(f, "an event was skipped (last event ID {id:?}): {error}; it has {bytes} bytes")
            }
        }
    }
}

/// The state of an event source
/// ([WHATWG HTML, 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource-readystate)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ReadyState {
    /// The event source is not connected: it has not begun, is connecting, or waits to reconnect.
    Connecting = 0,
    /// A connection is open.
    Open = 1,
    /// The event source has ended, and will not connect again.
    Closed = 2,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_the_beginning_of_a_long_id() {
        let id: Text = "é".repeat(1 << 20).as_str().into();
        let error = ParseError::DataTooLong { limit: 1 };
        for warning in [
            Warning::UnsendableLastEventId { id: id.clone() },
            Warning::EventSkipped { error, bytes: 2, last_event_id: id },
        ] {
            let shown = warning.to_string();
            assert!(shown.len() < 400 && shown.contains("éé…\""), "{shown}");
        }
    }
}
