//! `EventSource` ([WHATWG HTML,
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

/// The events of a server, however often it has to connect again.
///
/// A lazy stream: it connects when it is polled first, and does nothing while it is not polled. It reconnects by
/// itself, which is no error, and sends the last event ID, so that a server that keeps its events leaves none out. An
/// `Err` is the last item. A server that answers 204 ends the stream without one.
///
/// # Cancel safety
/// Nothing is lost by dropping the future of `next()`. Dropping the event source ends its connection.
#[must_use = "an event source does nothing until it is polled"]
pub struct EventSource {
    driver: Driver,
}

/// All that an event source has to tell: made by [`EventSource::signals`].
#[must_use = "an event source does nothing until it is polled"]
pub struct Signals {
    source: EventSource,
}

impl EventSource {
    /// The events of `url`, as a browser would receive them.
    ///
    /// # Errors
    /// [`BuildError`] if `url` cannot be asked.
    pub fn new(url: impl AsRef<str>) -> Result<Self, BuildError> {
        Self::builder(url).build()
    }

    /// The events of `url`, with what else is to be said about them.
    pub fn builder(url: impl AsRef<str>) -> Builder {
        Builder::new(url.as_ref())
    }

    /// Waits for an event, when none has come yet.
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

    /// Waits until a connection is open, and returns the response that began the stream: to look at its headers, or to
    /// know that there are events before going on. Events are not touched: they come when the stream is polled. An
    /// event source that is open is not asked again.
    ///
    /// Tries again while there is no connection, as the [policy](crate::Reconnect) has it, which is for ever
    /// by default: [`Reconnect::max_attempts`](crate::Reconnect::max_attempts) and
    /// [`Reconnect::never`](crate::Reconnect::never) say otherwise.
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
    /// the program has closed it.
    ///
    /// # Cancel safety
    /// Nothing is lost.
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
                None => return Err(Error::NoContent),
            }
        }
    }

    pub(crate) fn driven(driver: Driver) -> Self {
        Self { driver }
    }

    /// Ends the connection. No event comes after it. May be called again.
    pub fn close(&mut self) {
        self.driver.shared().set_closed_by_program();
        self.driver.close();
    }

    /// Its state.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        self.driver.shared().ready_state()
    }

    /// The URL that was given; the one that answered is in [`Opened`](crate::Opened).
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.driver.rules().target.url
    }

    /// The last event ID, which the next connection starts from; empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.driver.last_event_id()
    }

    /// Connects again at once: see [`Handle::reconnect_now`].
    pub fn reconnect_now(&mut self) {
        self.driver.shared().command(Command::Reconnect);
    }

    /// Returns a handle for whoever closes or reconnects it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(self.driver.shared()))
    }

    /// `event` has been dealt with: its last event ID may be kept in the store, which happens while the stream is
    /// polled. Only with a store and [`Acknowledge::Manual`](crate::Acknowledge::Manual) is there any need to say so.
    pub fn acknowledge(&mut self, event: &MessageEvent) {
        self.driver.acknowledge(&event.last_event_id);
    }

    /// Does the same for an event that was too large and was skipped
    /// ([`Warning::EventSkipped`](crate::Warning::EventSkipped)), with the ID that the warning tells: until then a
    /// skipped event is not passed over for good, so that a program that tells somebody else of it can be interrupted
    /// and begin again. [`acknowledge`](Self::acknowledge) of a later event covers it.
    pub fn acknowledge_skipped(&mut self, last_event_id: &Text) {
        self.driver.acknowledge(last_event_id);
    }

    /// Waits until all that was acknowledged is kept.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be kept. The event source goes on.
    ///
    /// # Cancel safety
    /// Going on with the stream goes on keeping it.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.driver.poll_saved(cx).map_err(Error::Store)).await
    }

    /// The same with all that happens beside events: connections that open and end, comments, warnings.
    pub fn signals(self) -> Signals {
        Signals { source: self }
    }

    /// The same by callbacks, as browsers have it.
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

    /// True if it was the program that closed it.
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
    /// The event source itself, to ask it or to close it.
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
