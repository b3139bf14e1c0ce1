//! Callbacks in place of a stream, as browsers have them
//! ([WHATWG HTML, 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface)).
use crate::{Cause, Error, EventSource, Handle, MessageEvent, Opened, ReadyState, Signal, Text, session::Comments};
use std::{fmt, future::poll_fn, time::Duration};

type Callback<'a> = Box<dyn FnMut(&MessageEvent) + Send + 'a>;
type OnOpen<'a> = Box<dyn FnMut(&Opened) + Send + 'a>;
type OnError<'a> = Box<dyn FnMut(&ErrorEvent<'_>) + Send + 'a>;

/// Calls functions for what an event source has to tell: made by [`EventSource::listen`].
///
/// They are called one after the other, within [`run`](Self::run), and may borrow what lives as long. After
/// [`Handle::close`] none is called, not even the next one for the same event.
///
/// Unlike in browsers, an event of the type `open` or `error` that the server sends is a message like any other:
/// listeners of that type get it, [`on_open`](Self::on_open) and [`on_error`](Self::on_error) do not.
#[must_use = "nothing is called until it runs"]
pub struct Listeners<'a> {
    source: EventSource,
    on_open: Option<OnOpen<'a>>,
    on_error: Option<OnError<'a>>,
    /// The listeners in the order in which they are called.
    listeners: Vec<Listener<'a>>,
}

struct Listener<'a> {
    event_type: Text,
    /// True if it is the one that [`Listeners::on_message`] sets.
    on_message: bool,
    call: Callback<'a>,
}

/// There is no connection (any more): the `error` event of browsers, and why.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ErrorEvent<'a> {
    /// Another one will be tried: [`ReadyState::Connecting`].
    Reconnecting {
        /// The reason why the last one ended, or could not be made.
        cause: &'a Cause,
        /// The time until the next attempt.
        delay: Duration,
    },
    /// It is over: [`ReadyState::Closed`].
    Closed {
        /// The reason; `None` if the server has said that there is no more, or ended a response that is not asked for
        /// twice.
        error: Option<&'a Error>,
    },
}

impl ErrorEvent<'_> {
    /// The `readyState` that a browser's `EventSource` has in such an event.
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

    /// Calls `callback` whenever a connection is open. Replaces the one before.
    pub fn on_open(mut self, callback: impl FnMut(&Opened) + Send + 'a) -> Self {
        self.on_open = Some(Box::new(callback));
        self
    }

    /// Calls `callback` for events of the type `message`: those for which the server names no type. Replaces the one
    /// before, in its place among the listeners.
    pub fn on_message(mut self, callback: impl FnMut(&MessageEvent) + Send + 'a) -> Self {
        let call: Callback<'a> = Box::new(callback);
        match self.listeners.iter_mut().find(|listener| listener.on_message) {
            Some(listener) => listener.call = call,
            None => self.push("message".into(), true, call),
        }
        self
    }

    /// Calls `callback` whenever a connection has ended or could not be made. Replaces the one before.
    pub fn on_error(mut self, callback: impl FnMut(&ErrorEvent<'_>) + Send + 'a) -> Self {
        self.on_error = Some(Box::new(callback));
        self
    }

    /// Calls `callback` too for events of this type, after those that were added before.
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

    /// Receives events and calls whom they concern, until the event source ends or is closed.
    ///
    /// # Errors
    /// The error that ended the event source, as its stream gives it.
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
            // Each of them may close it, and so may others at any time.
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
