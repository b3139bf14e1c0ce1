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

/// An open stream.
pub struct Stream {
    /// The headers that it came with.
    pub headers: HeaderMap,
    body: Incoming,
    parser: Parser,
    events: VecDeque<Event>,
    raw: Vec<u8>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type.
    pub event_type: String,
    /// Its own ID; `None` if the event has no such field.
    pub id: Option<String>,
    /// The reconnection time that it sets.
    pub retry_ms: Option<u64>,
    /// Its data.
    pub data: String,
}

impl Stream {
    pub(crate) fn new(headers: HeaderMap, body: Incoming) -> Self {
        Self { headers, body, parser: Parser::new(), events: VecDeque::new(), raw: Vec::new() }
    }

    /// The value of a header, which may be any text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| str::from_utf8(value.as_bytes()).ok())
    }

    /// Everything read so far, as it came.
    #[must_use]
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Reads on. `false` at the end.
    async fn read(&mut self) -> Result<bool, Fault> {
        let frame = match timeout(PATIENCE, self.body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            // A connection that is cut ends a stream, as its proper end does.
            Ok(None | Some(Err(_))) => return Ok(false),
            Err(_) => return Err(Fault::Broken(format!("nothing comes behind {:?}", self.raw()))),
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
                Err(error) => return Err(Fault::Broken(format!("the stream is none: {error}"))),
            }
        }
    }

    /// The next event that a publisher made. What the hub tells of itself is passed over: its types begin with its
    /// name.
    ///
    /// # Errors
    /// [`Fault::Broken`] if none comes.
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

    /// Reads as many events as there are data, and compares.
    ///
    /// # Errors
    /// [`Fault::Broken`] if others come, or none.
    pub async fn expect(&mut self, data: &[&str]) -> Result<(), Fault> {
        for expected in data {
            let event = self.next().await?;
            check_eq!(event.data, *expected, "data of an event, where {data:?} should come");
        }
        Ok(())
    }

    /// Reads to the event that has this data, and gives the data of those before it. One update that comes twice in a
    /// row, with the same ID, counts once: no draft says how often a hub sends it to a subscriber that asks for it
    /// twice.
    ///
    /// # Errors
    /// [`Fault::Broken`] if it does not come.
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

    /// Reads to the end.
    ///
    /// # Errors
    /// [`Fault::Broken`] if it does not come in time.
    pub async fn end(&mut self) -> Result<(), Fault> {
        while self.read().await? {}
        Ok(())
    }
}
