//! What happens to an event source besides events.
use crate::{Cause, MessageEvent, Text};
use std::{fmt, time::Duration};
use url::Url;

/// Everything that an event source has to tell, in its order: what [`Signals`](crate::Signals) gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signal {
    /// A connection stands: the `open` event of browsers.
    Open(Box<Opened>),
    /// An event.
    Event(MessageEvent),
    /// A comment, without the colon and one space after it. Servers send them to keep connections alive.
    Comment(Text),
    /// A connection ended or did not come about, and another will be tried: the `error` event of browsers while they
    /// reconnect.
    Reconnecting {
        /// Why.
        cause: Cause,
        /// After which time.
        delay: Duration,
    },
    /// Something could not be done as it should, and the stream goes on.
    Warning(Warning),
}

/// The response that began an event stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The URL that answered, after redirects.
    pub url: Url,
    /// Status, version, headers and extensions.
    pub parts: http::response::Parts,
    /// The last event ID that was sent; empty if none was.
    pub last_event_id: Text,
}

/// What could not be done as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The last event ID holds control characters, which no header can carry: the request went out without it
    /// ([whatwg/html#689](https://github.com/whatwg/html/issues/689)).
    UnsendableLastEventId {
        /// The ID.
        id: Text,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsendableLastEventId { id } => {
                write!(f, "the last event ID {id:?} holds characters that no header can carry, so it is not sent")
            }
        }
    }
}

/// Where an event source stands
/// ([WHATWG HTML, 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource-readystate)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ReadyState {
    /// Not connected: not begun, connecting, or waiting to reconnect.
    Connecting = 0,
    /// Connected.
    Open = 1,
    /// Ended for good.
    Closed = 2,
}
