//! An event stream as a subscriber reads it.
use crate::{
    http::PATIENCE,
    outcome::{Fault, check_eq},
};
use fanfare_event_stream::{Chunk, Parser};
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, body::Incoming};
use std::collections::VecDeque;
use tokio::time::timeout;

/// An open event stream.
pub struct Stream {
    /// The headers of the hub's answer.
    pub headers: HeaderMap,
    body: Incoming,
    parser: Parser,
    events: VecDeque<Event>,
    raw: Vec<u8>,
}

/// An event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event type; `message` if the event names none.
    pub event_type: String,
    /// The ID in the event's own `id` field; `None` if the event has no such field.
    pub id: Option<String>,
    /// The reconnection time that the event sets, in milliseconds; `None` if it sets none.
    pub retry_ms: Option<u64>,
    /// The data of the event.
    pub data: String,
}

impl Stream {
    pub(crate) fn new(headers: HeaderMap, body: Incoming) -> Self {
        Self { headers, body, parser: Parser::new(), events: VecDeque::new(), raw: Vec::new() }
    }

    /// Returns the value of a header. It may be any UTF-8 text, not only ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| str::from_utf8(value.as_bytes()).ok())
    }

    /// Returns all bytes that were read so far, as text.
    #[must_use]
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Reads the next part of the body. Returns false at the end of the stream.
    async fn read(&mut self) -> Result<bool, Fault> {
        let frame = match timeout(PATIENCE, self.body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            // A connection that breaks off ends the stream in the same way as a proper end.
            Ok(None | Some(Err(_))) => return Ok(false),
            Err(_) => return Err(Fault::Broken(format!("nothing came after {:?}", self.raw()))),
        };
        let Ok(bytes) = frame.into_data() else { return Ok(true) };
        self.raw.extend_from_slice(&bytes);
        let mut chunk = Chunk::new(&bytes);
        loop {
            match self.parser.next_event(&mut chunk) {
                Ok(Some(event)) => self.events.push_back(Event {
                    event_type: event.event_type.to_owned(),
                    id: event.id().map(str::to_owned),
                    retry_ms: event.retry_ms,
                    data: event.data.to_owned(),
                }),
                Ok(None) => return Ok(true),
                Err(error) => return Err(Fault::Broken(format!("this is not an event stream: {error}"))),
            }
        }
    }

    /// Returns the next event of a publisher. Skips the events that the hub sends about itself: their types begin with
    /// the hub's name.
    ///
    /// # Errors
    /// [`Fault::Broken`] if no event comes.
    pub async fn next(&mut self) -> Result<Event, Fault> {
        loop {
            match self.events.pop_front() {
                Some(event) if event.event_type.starts_with("fanfare.") => {}
                Some(event) => return Ok(event),
                None if self.read().await? => {}
                None => return Err(Fault::Broken(format!("the stream ends after {:?}", self.raw()))),
            }
        }
    }

    /// Reads as many events as `data` has elements, and expects exactly these data in this order.
    ///
    /// # Errors
    /// [`Fault::Broken`] if an event has other data, or if no event comes.
    pub async fn expect(&mut self, data: &[&str]) -> Result<(), Fault> {
        for expected in data {
            let event = self.next().await?;
            check_eq!(event.data, *expected, "data of an event, where {data:?} should come");
        }
        Ok(())
    }

    /// Reads up to the event with the data `end`, and returns the data of the events before it. An update that comes
    /// twice in a row with the same ID counts once: no draft says how often a hub sends an update to a subscriber that
    /// asks for it twice.
    ///
    /// # Errors
    /// [`Fault::Broken`] if the event does not come.
    pub async fn until(&mut self, end: &str) -> Result<Vec<String>, Fault> {
        let (mut seen, mut last) = (Vec::new(), None);
        loop {
            let event = self.next().await?;
            if event.data == end {
                return Ok(seen);
            }
            if last.as_ref() != Some(&event) || event.id.is_none() {
                seen.push(event.data.clone());
            }
            last = Some(event);
        }
    }

    /// Reads the stream up to its end.
    ///
    /// # Errors
    /// [`Fault::Broken`] if the stream neither ends nor sends anything in time.
    pub async fn end(&mut self) -> Result<(), Fault> {
        while self.read().await? {}
        Ok(())
    }
}
