//! Drives an event source: connect, read, wait, again.
//!
//! It is polled and does nothing by itself. What to do after a connection has ended is decided in one place,
//! [`Session::ended`].
use crate::{
    BoxError, Cause, Error, MessageEvent, Opened, ReadyState, Signal, Text, Warning,
    clock::Sleep,
    config::Config,
    connect::{Outcome, Start, When, connect, last_event_id_value},
    connection::{Comments, Connection, Idle, Read},
    handle::{Command, Shared},
    keeper::{Keeper, Kept},
    message_event::{Arrivals, Origin},
    reconnect::Backoff,
};
use fanfare_event_stream::{EventId, Parser};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

pub(crate) struct Session {
    config: Arc<Config>,
    phase: Phase,
    parser: Parser,
    backoff: Backoff,
    keeper: Option<Keeper>,
    /// Attempts so far.
    attempts: u64,
    /// The reason why the last connection ended.
    cause: Option<Cause>,
    /// The signal that is to be told next.
    queued: Option<Signal>,
    /// The response of the present connection, and since when it stands.
    opened: Option<(Box<Opened>, Duration)>,
    /// The ID of which it was said that no header can carry it.
    unsendable: Option<Text>,
    shared: Arc<Shared>,
}

enum Phase {
    /// Not polled yet.
    Idle,
    /// The store is asked where to start from.
    Loading(Kept<Option<String>>),
    Connecting(Pin<Box<dyn Future<Output = Outcome> + Send>>),
    Open(Box<Connection>),
    Waiting(Sleep),
    /// No more connections; what was acknowledged is still to be kept, and then this to be told.
    Ending(Option<Error>),
    Closed,
}

impl Session {
    pub(crate) fn new(config: Config, parser: Parser, keeper: Option<Keeper>) -> Self {
        Self {
            backoff: Backoff::new(config.reconnect.clone()),
            config: Arc::new(config),
            phase: Phase::Idle,
            parser,
            keeper,
            attempts: 0,
            cause: None,
            queued: None,
            opened: None,
            unsendable: None,
            shared: Arc::default(),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// The response of the present connection.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        let is_open = matches!(self.phase, Phase::Open(_));
        self.opened.as_ref().filter(|_| is_open).map(|(opened, _)| &**opened)
    }

    pub(crate) fn keeper(&mut self) -> Option<&mut Keeper> {
        self.keeper.as_mut()
    }

    /// Ends the connection at once. What was acknowledged is kept when it is polled on.
    pub(crate) fn close(&mut self) {
        if !matches!(self.phase, Phase::Ending(_) | Phase::Closed) {
            self.end(None);
        }
    }

    /// The next event, where nothing else is to be done: the way of most events. Ready with none if something is.
    #[inline(always)] // As with making the event.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<MessageEvent>> {
        if self.keeper.is_some() || self.shared.has_command() {
            return Poll::Ready(None);
        }
        let Phase::Open(connection) = &mut self.phase else { return Poll::Ready(None) };
        if let Some(event) = connection.next_at_hand(&mut self.parser) {
            self.backoff.event();
            return Poll::Ready(Some(event));
        }
        self.poll_next_event(cx)
    }

    /// The same, waiting for more.
    fn poll_next_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<MessageEvent>> {
        let Phase::Open(connection) = &mut self.phase else { return Poll::Ready(None) };
        let polled = connection.poll_event(&mut self.parser, cx);
        match &polled {
            Poll::Ready(Some(_)) => self.backoff.event(),
            Poll::Ready(None) => {}
            Poll::Pending => {
                self.shared.register(cx.waker());
                if self.shared.has_command() {
                    return Poll::Ready(None);
                }
            }
        }
        polled
    }

    /// The next thing that happens.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        comments: Comments,
    ) -> Poll<Option<Result<Signal, Error>>> {
        if let Some(keeper) = &mut self.keeper {
            keeper.next();
        }
        loop {
            let polled = self.poll_signal(cx, comments);
            if polled.is_ready() {
                return polled;
            }
            // Only who waits has to be woken by a handle; what it asked for meanwhile is not waited for.
            self.shared.register(cx.waker());
            if !self.shared.has_command() {
                return Poll::Pending;
            }
        }
    }

    fn poll_signal(&mut self, cx: &mut Context<'_>, comments: Comments) -> Poll<Option<Result<Signal, Error>>> {
        loop {
            let signal = self.queued.take().or_else(|| self.obey());
            let kept = self.keep(cx);
            let signal = match &mut self.phase {
                _ if signal.is_some() => signal,
                Phase::Idle => self.begin(),
                Phase::Loading(loading) => {
                    let loaded = ready!(loading.as_mut().poll(cx));
                    self.loaded(loaded)
                }
                Phase::Connecting(connecting) => {
                    let outcome = ready!(connecting.as_mut().poll(cx));
                    self.connected(outcome)
                }
                Phase::Open(connection) => {
                    let wanted = match comments {
                        Comments::Skip if self.keeper.is_some() => Comments::SkipButBlocks,
                        comments => comments,
                    };
                    let read = ready!(connection.poll_read(&mut self.parser, cx, &*self.config.clock, wanted));
                    self.has_read(read)
                }
                Phase::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.connect()
                }
                Phase::Ending(error) => {
                    ready!(kept);
                    let error = error.take();
                    self.phase = Phase::Closed;
                    return Poll::Ready(error.map(Err));
                }
                Phase::Closed => return Poll::Ready(None),
            };
            if let Some(signal) = signal {
                return Poll::Ready(Some(Ok(signal)));
            }
        }
    }

    /// Does what a handle has asked for.
    fn obey(&mut self) -> Option<Signal> {
        match self.shared.take_command()? {
            Command::Close => self.close(),
            Command::Reconnect => match self.phase {
                Phase::Waiting(_) => return self.connect(),
                Phase::Open(_) if self.config.repeat => {
                    self.judge_connection(&Cause::Requested);
                    self.backoff.attempt_left();
                    self.cause = Some(Cause::Requested);
                    self.phase = Phase::Waiting(self.config.clock.sleep(Duration::ZERO));
                    self.shared.set(ReadyState::Connecting);
                    return Some(Signal::Reconnecting { cause: Cause::Requested, delay: Duration::ZERO });
                }
                _ => {}
            },
        }
        None
    }

    /// Goes on keeping what was acknowledged. Ready when all is kept, or cannot be, which ends the event source.
    fn keep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(keeper) = &mut self.keeper else { return Poll::Ready(()) };
        if let Err(error) = ready!(keeper.poll_saved(cx)) {
            self.keeper = None;
            if !matches!(self.phase, Phase::Ending(Some(_)) | Phase::Closed) {
                self.end(Some(Error::Store(error)));
            }
        }
        Poll::Ready(())
    }

    fn begin(&mut self) -> Option<Signal> {
        match &self.keeper {
            Some(keeper) if self.parser.last_event_id().is_empty() => {
                self.phase = Phase::Loading(keeper.load());
                None
            }
            _ => self.connect(),
        }
    }

    fn loaded(&mut self, loaded: Result<Option<String>, BoxError>) -> Option<Signal> {
        match loaded.and_then(|id| Ok(id.map(EventId::new).transpose()?)) {
            Ok(id) => {
                if let Some(id) = id {
                    self.parser = mem::take(&mut self.parser).resuming_from(&id);
                }
                if let Some(keeper) = &mut self.keeper {
                    keeper.loaded(self.parser.last_event_id().into());
                }
                self.connect()
            }
            Err(error) => {
                self.end(Some(Error::Store(error)));
                None
            }
        }
    }

    /// Begins an attempt. Tells once of an ID that no header can carry.
    fn connect(&mut self) -> Option<Signal> {
        self.attempts += 1;
        let last_event_id = Text::from(self.parser.last_event_id());
        let unsendable =
            last_event_id_value(&last_event_id).is_none() && self.unsendable.as_ref() != Some(&last_event_id);
        let start = Start { number: self.attempts, last_event_id: last_event_id.clone(), cause: self.cause.take() };
        self.phase = Phase::Connecting(Box::pin(connect(Arc::clone(&self.config), start)));
        self.shared.set(ReadyState::Connecting);
        unsendable.then(|| {
            self.unsendable = Some(last_event_id.clone());
            Signal::Warning(Warning::UnsendableLastEventId { id: last_event_id })
        })
    }

    fn connected(&mut self, outcome: Outcome) -> Option<Signal> {
        match outcome {
            Outcome::Open(opened, body, warning) => {
                // The ID survives from stream to stream, although all else begins again.
                self.parser.reset();
                self.parser.take_commented();
                let arrivals = Arrivals::new(Origin::from(&opened.url), self.parser.last_event_id().into());
                let idle = self.config.idle_timeout.map(|timeout| Idle::new(timeout, &*self.config.clock));
                self.phase = Phase::Open(Box::new(Connection::new(body, arrivals, idle, self.config.finishes)));
                self.shared.set(ReadyState::Open);
                self.opened = Some((opened.clone(), self.config.clock.now()));
                let open = Signal::Open(opened);
                let Some(warning) = warning else { return Some(open) };
                self.queued = Some(open);
                return Some(Signal::Warning(warning));
            }
            Outcome::Stopped => self.end(None),
            Outcome::Failed(cause) => return self.ended(cause, When::NotBefore(Duration::ZERO)),
            Outcome::Again(cause, when) => return self.ended(cause, when),
            Outcome::Refused(error) => self.end(Some(error)),
        }
        None
    }

    fn has_read(&mut self, read: Read) -> Option<Signal> {
        match read {
            Read::Event(event) => {
                self.backoff.event();
                if let Some(keeper) = &mut self.keeper {
                    keeper.given(&event);
                }
                Some(Signal::Event(event))
            }
            Read::Block(block) => {
                if let (Some(keeper), Some(id)) = (&mut self.keeper, &block.id) {
                    keeper.passed(id);
                }
                self.config.gives_blocks.then_some(Signal::Block(block))
            }
            Read::Comment(text) => Some(Signal::Comment(text)),
            Read::Ended(cause) => self.ended(cause, When::NotBefore(Duration::ZERO)),
            Read::TooLarge(error) if self.config.skips_large => {
                self.backoff.event();
                let last_event_id: Text = self.parser.last_event_id().into();
                if let Some(keeper) = &mut self.keeper {
                    keeper.skipped(&last_event_id);
                }
                let bytes = self.parser.skipped_bytes();
                Some(Signal::Warning(Warning::EventSkipped { error, bytes, last_event_id }))
            }
            Read::TooLarge(error) => {
                self.end(Some(Error::Parse(error)));
                None
            }
        }
    }

    /// A connection has ended, or did not come about: there is another, or this is the end.
    fn ended(&mut self, cause: Cause, when: When) -> Option<Signal> {
        if let Some(time) = self.parser.reconnection_time() {
            self.backoff.set_reconnection_time(time);
        }
        self.judge_connection(&cause);
        let attempts = self.backoff.attempt_ended();
        if let When::NotBefore(_) = when
            && let Err(error) = self.may_repeat(&cause, attempts)
        {
            self.end(error);
            return None;
        }
        let at_least = if let When::NotBefore(delay) = when { delay } else { Duration::ZERO };
        let Some(delay) = self.backoff.next_delay(at_least) else {
            self.end(Some(Error::GaveUp { attempts, cause }));
            return None;
        };
        let delay = if let When::After(delay) = when { delay } else { delay };
        self.cause = Some(cause.clone());
        self.phase = Phase::Waiting(self.config.clock.sleep(delay));
        self.shared.set(ReadyState::Connecting);
        Some(Signal::Reconnecting { cause, delay })
    }

    /// Counts a connection that has ended for `cause` as a healthy one, if it was, although it may have brought no
    /// event. A silence that was too long is no sign of health.
    fn judge_connection(&mut self, cause: &Cause) {
        let Some((_, since)) = self.opened.take() else { return };
        let stood = self.config.clock.now().saturating_sub(since);
        let was_quiet = !matches!(cause, Cause::IdleTimeout(_)) && stood >= self.config.reconnect.healthy();
        if self.parser.take_commented() || was_quiet {
            self.backoff.event();
        }
    }

    /// Allows another attempt, or returns the error with which the event source ends.
    fn may_repeat(&self, cause: &Cause, attempts: u32) -> Result<(), Option<Error>> {
        let never = self.config.reconnect.is_never();
        match cause {
            // Where the hook failed nothing was sent.
            Cause::Hook(_) if !never => Ok(()),
            _ if self.config.repeat && !never => Ok(()),
            Cause::EndOfStream => Err(None),
            cause if never => Err(Some(Error::GaveUp { attempts, cause: cause.clone() })),
            cause => Err(Some(Error::NotRepeated { cause: cause.clone() })),
        }
    }

    fn end(&mut self, error: Option<Error>) {
        self.phase = Phase::Ending(error);
        self.shared.set(ReadyState::Closed);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // For handles: nobody reads on.
        self.shared.set(ReadyState::Closed);
    }
}
