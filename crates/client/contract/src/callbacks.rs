//! The messages that the service sends to the tests, each in a separate request.
use bytes::Bytes;
use fanfare_client::{BoxError, MessageEvent, transport::HyperTransport};
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;
use std::{fmt, future::poll_fn};
use tower_service::Service as _;

/// A message that tells the tests what a stream returned, or how it failed.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Message<'a> {
    Event { event: Event<'a> },
    Comment { comment: &'a str },
    Error { error: String },
}

#[derive(Serialize)]
pub(crate) struct Event<'a> {
    r#type: &'a str,
    data: &'a str,
    id: &'a str,
}

/// Sends the messages about one stream to the tests.
pub(crate) struct Callbacks {
    transport: HyperTransport,
    url: String,
    sent: u64,
}

/// The reason why a message did not reach the tests, or was not accepted by them.
#[derive(Debug)]
pub(crate) enum Untold {
    Unreachable(BoxError),
    Refused(StatusCode),
}

impl<'a> From<&'a MessageEvent> for Message<'a> {
    fn from(event: &'a MessageEvent) -> Self {
        // The tests expect the last event ID, whether or not this event itself has set it.
        Self::Event { event: Event { r#type: &event.event_type, data: &event.data, id: &event.last_event_id } }
    }
}

impl Callbacks {
    /// Makes a sender whose messages go to `url`, followed by a slash and the number of the message.
    pub(crate) fn new(transport: HyperTransport, url: &str) -> Self {
        Self { transport, url: url.to_owned(), sent: 0 }
    }

    /// Sends the next message, and waits until the tests have accepted it, which keeps the order.
    pub(crate) async fn tell(&mut self, message: &Message<'_>) -> Result<(), Untold> {
        self.sent += 1;
        let json = serde_json::to_vec(message).expect("strings are JSON");
        let request = Request::post(format!("{}/{}", self.url, self.sent))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(json)))
            .expect("the URL has been checked");
        poll_fn(|cx| self.transport.poll_ready(cx)).await.map_err(|error| Untold::Unreachable(error.into()))?;
        let response = self.transport.call(request).await.map_err(|error| Untold::Unreachable(error.into()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Untold::Refused(status));
        }
        // The response is read to its end, so that the next request can use its connection.
        response.into_body().collect().await.map_err(|error| Untold::Unreachable(error.into()))?;
        Ok(())
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "the callback cannot be reached: {error}"),
            Self::Refused(status) => write!(f, "the callback was answered with {status}"),
        }
    }
}
