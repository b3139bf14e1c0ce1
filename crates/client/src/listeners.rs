//! An event source that calls functions for its events, as in browsers ([WHATWG HTML,
//! 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface)).
use crate::{Cause, Error, EventSource, Handle, MessageEvent, Opened, ReadyState, Signal, Text, session::Comments};
use std::{fmt, future::poll_fn, time::Duration};

type Callback<'a> = Box<dyn FnMut(&MessageEvent) + Send + 'a>;
type OnOpen<'a> = Box<dyn FnMut(&Opened) + Send + 'a>;
type OnError<'a> = Box<dyn FnMut(&ErrorEvent<'_>) + Send + 'a>;

/// Calls functions for the events of an event source, made by [`EventSource::listen`].
///
/// The functions are called one after the other, within [`run`](Self::run), so they may borrow data that lives longer
/// than this call. After [`Handle::close`] no function is called, not even the next one for the same event.
///
/// This differs from browsers in one point: an event of the type `open` or `error` that the server sends is a message
/// like any other. Listeners of that type get it; [`on_open`](Self::on_open) and [`on_error`](Self::on_error) do not.
#[must_use = "no listener is called until `run` is called and its future is polled"]
pub struct Listeners<'a> {
    source: EventSource,
    on_open: Option<OnOpen<'a>>,
    on_error: Option<OnError<'a>>,
    /// The listeners in the order in which they are called.
    listeners: Vec<Listener<'a>>,
}

struct Listener<'a> {
    event_type: Text,
    /// True if [`Listeners::on_message`] has set this listener.
    on_message: bool,
    call: Callback<'a>,
}

/// The `error` event of browsers, with its reason: a connection could not be made, or it has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ErrorEvent<'a> {
    /// There will be another attempt: [`ReadyState::Connecting`].
    Reconnecting {
        /// The reason why the last connection ended, or could not be made.
        cause: &'a Cause,
        /// The time until the next attempt.
        delay: Duration,
    },
    /// The event source has ended: [`ReadyState::Closed`].
    Closed {
        /// The error that ended the event source. `None` if the server has said that it has no more events, or if the
        /// server ended the response and the request is not sent again.
        error: Option<&'a Error>,
    },
}

impl ErrorEvent<'_> {
    /// Returns the `readyState` that a browser's `EventSource` has during this event.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        match self {
            Self::Reconnecting { .. } => ReadyState::Connecting,
            Self::Closed { .. } => ReadyState::Closed,
        }
    }
}

impl fmt::Display for ErrorEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reconnecting { cause, delay } => write!(f, "{cause}; reconnecting in {delay:?}"),
            Self::Closed { error: Some(error) } => error.fmt(f),
            Self::Closed { error: None } => f.write_str("the server has no more events"),
        }
    }
}

impl<'a> Listeners<'a> {
    pub(crate) fn new(source: EventSource) -> Self {
        Self { source, on_open: None, on_error: None, listeners: Vec::new() }
    }

    /// Returns a handle for callbacks that close or reconnect the event source: clone it into them.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.source.handle()
    }

    /// Calls `callback` each time that a connection opens. Replaces the callback that was set before.
    pub fn on_open(mut self, callback: impl FnMut(&Opened) + Send + 'a) -> Self {
        self.on_open = Some(Box::new(callback));
        self
    }

    /// Calls `callback` for events of the type `message`, which is also the type of an event for which the server names
    /// no type. Replaces the callback that was set before, and keeps its position among the listeners.
    pub fn on_message(mut self, callback: impl FnMut(&MessageEvent) + Send + 'a) -> Self {
        let call: Callback<'a> = Box::new(callback);
        match self.listeners.iter_mut().find(|listener| listener.on_message) {
            Some(listener) => listener.call = call,
            None => self.push("message".into(), true, call),
        }
        self
    }

    /// Calls `callback` each time that a connection has ended or could not be made. Replaces the callback that was set
    /// before.
    pub fn on_error(mut self, callback: impl FnMut(&ErrorEvent<'_>) + Send + 'a) -> Self {
        self.on_error = Some(Box::new(callback));
        self
    }

    /// Adds `callback` to the listeners for events of this type. The listeners of an event are called in the order in
    /// which they were added.
    pub fn add_event_listener(
        mut self,
        event_type: impl Into<Text>,
        callback: impl FnMut(&MessageEvent) + Send + 'a,
    ) -> Self {
        self.push(event_type.into(), false, Box::new(callback));
        self
    }

    fn push(&mut self, event_type: Text, on_message: bool, call: Callback<'a>) {
        self.listeners.push(Listener { event_type, on_message, call });
    }

    /// Receives events and calls the functions that are set for them, until the event source ends or is closed.
    ///
    /// # Errors
    /// The error that ended the event source, the same that its stream would return.
    ///
    /// # Cancel safety
    /// Dropping the future ends the connection.
    pub async fn run(mut self) -> Result<(), Error> {
        while let Some(signal) = poll_fn(|cx| self.source.poll_signal(cx, Comments::Skip)).await {
            match signal {
                Ok(Signal::Open(opened)) => self.opened(&opened),
                Ok(Signal::Event(event)) => self.dispatch(&event),
                Ok(Signal::Reconnecting { cause, delay }) => {
                    self.failed(&ErrorEvent::Reconnecting { cause: &cause, delay });
                }
                Ok(Signal::Comment(_) | Signal::Block(_) | Signal::Warning(_)) => {}
                Err(error) => {
                    self.failed(&ErrorEvent::Closed { error: Some(&error) });
                    return Err(error);
                }
            }
        }
        self.failed(&ErrorEvent::Closed { error: None });
        Ok(())
    }

    fn opened(&mut self, opened: &Opened) {
        if let Some(callback) = &mut self.on_open
            && !self.source.was_closed()
        {
            callback(opened);
        }
    }

    fn dispatch(&mut self, event: &MessageEvent) {
        for listener in self.listeners.iter_mut().filter(|listener| listener.event_type == event.event_type) {
            // The state is checked before each listener, because the previous listener or a handle may have closed the
            // event source.
            if self.source.was_closed() {
                return;
            }
            (listener.call)(event);
        }
    }

    fn failed(&mut self, error: &ErrorEvent<'_>) {
        if let Some(callback) = &mut self.on_error
            && !self.source.was_closed()
        {
            callback(error);
        }
    }
}

impl fmt::Debug for Listeners<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types = self.listeners.iter().map(|listener| &listener.event_type).collect::<Vec<_>>();
        f.debug_struct("Listeners").field("source", &self.source).field("types", &types).finish_non_exhaustive()
    }
}
