//! The type `EventSource` ([WHATWG HTML,
//! 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface)).
use crate::{
    BuildError, Builder, Error, Handle, Listeners, Masked, MessageEvent, Opened, ReadyState, Signal, Text,
    driver::Driver, handle::Command, session::Comments,
};
use futures_core::{FusedStream, Stream};
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use url::Url;

/// The events of a server, over any number of connections.
///
/// A lazy stream: it connects when it is first polled, and does nothing while it is not polled. It reconnects by itself
/// and does not report that as an error. With each request it sends the last event ID, so a server that keeps its
/// events leaves none out. An `Err` is always the last item of the stream. If the server answers 204, the stream ends
/// without an error.
///
/// # Cancel safety
/// Dropping the future of `next()` loses nothing. Dropping the event source ends its connection.
#[must_use = "an event source does nothing until it is polled"]
pub struct EventSource {
    driver: Driver,
}

/// The stream of everything that an event source reports, made by [`EventSource::signals`].
#[must_use = "an event source does nothing until it is polled"]
pub struct Signals {
    source: EventSource,
}

impl EventSource {
    /// Makes an event source for `url`, which receives the same events as a browser's `EventSource`.
    ///
    /// # Errors
    /// [`BuildError`] if no request can be made for `url`.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BuildError> {
        Self::builder(url).build()
    }

    /// Returns a builder for an event source with other settings.
    pub fn builder(url: impl AsRef<str>) -> Builder {
        Builder::new(url.as_ref())
    }

    /// Waits for the next event, if none has arrived yet.
    fn poll_on(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<MessageEvent, Error>>> {
        if let Some(event) = ready!(self.driver.poll_event(cx)) {
            return Poll::Ready(Some(Ok(event)));
        }
        loop {
            match ready!(self.driver.poll_next(cx, Comments::Skip)) {
                Some(Ok(Signal::Event(event))) => return Poll::Ready(Some(Ok(event))),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    /// Waits until a connection is open, and returns the response that began the stream. A program uses this method to
    /// look at the headers, or to wait until the stream works. No events are taken from the stream. If a connection is
    /// already open, this returns its response.
    ///
    /// Tries again while there is no connection, as the [policy](crate::Reconnect) says. By default it never gives up;
    /// [`Reconnect::max_attempts`](crate::Reconnect::max_attempts) and [`Reconnect::never`](crate::Reconnect::never)
    /// limit the attempts.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use fanfare_client::EventSource;
    /// let mut source = EventSource::new("https://example.com/events")?;
    /// match source.open().await {
    ///     Ok(opened) => println!("{} from {}", opened.parts.status, opened.url),
    ///     Err(error) => println!("{error}: {}", error.excerpt().unwrap_or_default()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error that ended the event source; [`Error::NoContent`] if the server has no events, [`Error::Closed`] if
    /// the program has closed it, [`Error::Ended`] if it had ended before in another way.
    ///
    /// # Cancel safety
    /// Dropping the future of `open()` loses nothing.
    pub async fn open(&mut self) -> Result<Opened, Error> {
        if let Some(opened) = self.driver.opened() {
            return Ok(opened.clone());
        }
        loop {
            match poll_fn(|cx| self.poll_signal(cx, Comments::Skip)).await {
                Some(Ok(Signal::Open(opened))) => return Ok(*opened),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None if self.was_closed() => return Err(Error::Closed),
                None if self.driver.had_no_content() => return Err(Error::NoContent),
                None => return Err(Error::Ended),
            }
        }
    }

    pub(crate) fn driven(driver: Driver) -> Self {
        Self { driver }
    }

    /// Ends the event source and its connection. No event comes after that. Calling it again has no effect.
    pub fn close(&mut self) {
        self.driver.shared().set_closed_by_program();
        self.driver.close();
    }

    /// Returns the state of the event source.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        self.driver.shared().ready_state()
    }

    /// Returns the URL that the event source was made with. The URL that answered is in [`Opened`](crate::Opened).
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.driver.rules().target.url
    }

    /// Returns the last event ID, which the next request will send; empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.driver.last_event_id()
    }

    /// Connects again at once: see [`Handle::reconnect_now`].
    pub fn reconnect_now(&mut self) {
        self.driver.shared().command(Command::Reconnect);
    }

    /// Returns a handle, with which another task or thread can close or reconnect the event source.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(self.driver.shared()))
    }

    /// Reports that the program has dealt with `event`, so its last event ID may be saved in the store. The ID is saved
    /// while the stream is polled. This is needed only with a store and
    /// [`Acknowledge::Manual`](crate::Acknowledge::Manual).
    pub fn acknowledge(&mut self, event: &MessageEvent) {
        self.driver.acknowledge(&event.last_event_id);
    }

    /// Reports that the program has dealt with an event that was too large and was skipped
    /// ([`Warning::EventSkipped`](crate::Warning::EventSkipped)). `last_event_id` is the ID in the warning. This ID is
    /// not saved before this call, so a program that is interrupted while it handles the warning gets the warning
    /// again. A call of [`acknowledge`](Self::acknowledge) for a later event covers the skipped event, too.
    pub fn acknowledge_skipped(&mut self, last_event_id: &Text) {
        self.driver.acknowledge(last_event_id);
    }

    /// Waits until all acknowledged IDs are saved.
    ///
    /// # Errors
    /// [`Error::Store`] if an ID cannot be saved. The event source does not end because of this.
    ///
    /// # Cancel safety
    /// If the future is dropped, the stream continues to save when it is polled.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_saved(cx).map_err(Error::Store)).await
    }

    /// Returns a stream that also reports what happens besides events: connections that open and end, comments,
    /// warnings.
    pub fn signals(self) -> Signals {
        Signals { source: self }
    }

    /// Turns the event source into one that calls functions for its events, as in browsers.
    pub fn listen<'a>(self) -> Listeners<'a> {
        Listeners::new(self)
    }

    pub(crate) fn poll_signal(
        &mut self,
        cx: &mut Context<'_>,
        comments: Comments,
    ) -> Poll<Option<Result<Signal, Error>>> {
        self.driver.poll_next(cx, comments)
    }

    /// Returns true if the program closed the event source.
    pub(crate) fn was_closed(&self) -> bool {
        self.driver.shared().closed_by_program()
    }
}

impl Stream for EventSource {
    type Item = Result<MessageEvent, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.driver.event_at_hand() {
            Some(event) => Poll::Ready(Some(Ok(event))),
            None => self.poll_on(cx),
        }
    }
}

impl FusedStream for EventSource {
    fn is_terminated(&self) -> bool {
        self.driver.is_closed()
    }
}

impl Signals {
    /// Returns the event source itself, to read its state or to close it.
    pub fn source(&mut self) -> &mut EventSource {
        &mut self.source
    }
}

impl Stream for Signals {
    type Item = Result<Signal, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.source.poll_signal(cx, Comments::Give)
    }
}

impl FusedStream for Signals {
    fn is_terminated(&self) -> bool {
        self.source.is_terminated()
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource")
            .field("url", &Masked(self.url()))
            .field("ready_state", &self.ready_state())
            .field("last_event_id", &self.last_event_id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signals").field(&self.source).finish()
    }
}
