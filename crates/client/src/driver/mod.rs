//! The driver of an event source: it carries out the orders of its [`Session`], and reports the results to it.
//!
//! The driver works only while it is polled. Everything that it waits for is a future in [`Io`] or the timer. So
//! dropping the driver ends the connection, and nothing else has to be informed.
mod io;
mod outside;
mod timer;

pub(crate) use outside::{BeforeAttempt, OnResponse, Outside};

use crate::{
    BoxError, Cause, Error, MessageEvent, Opened, Signal, Text, Verdict,
    handle::{Command, Shared},
    keeper::Keeper,
    session::{Answer, Comments, Order, Rules, Session},
    transport::ResponseBody,
};
use bytes::Bytes;
use http::Response;
use http_body::{Body as _, Frame};
use io::{Io, decoded, no_answer};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::SystemTime,
};
use timer::Timer;
use url::Url;

/// The number of chunks without a complete event that are read before other tasks get their turn.
const CHUNKS_PER_TURN: usize = 64;

pub(crate) struct Driver {
    session: Session,
    outside: Outside,
    keeper: Option<Keeper>,
    io: Io,
    /// The body of a response whose head was just reported to the session. The body is dropped if the next order of the
    /// session is not to read it.
    answered: Option<ResponseBody>,
    timer: Timer,
    shared: Arc<Shared>,
}

impl Driver {
    pub(crate) fn new(session: Session, outside: Outside, keeper: Option<Keeper>) -> Self {
        Self {
            session,
            outside,
            keeper,
            io: Io::Nothing,
            answered: None,
            timer: Timer::default(),
            shared: Arc::default(),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn rules(&self) -> &Rules {
        self.session.rules()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.session.last_event_id()
    }

    /// Returns the response that began the present connection.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.session.opened()
    }

    /// Returns true if the event source has ended because the server answered 204.
    pub(crate) fn had_no_content(&self) -> bool {
        self.session.had_no_content()
    }

    /// Ends the event source and its connection at once. Acknowledged IDs are still saved if the driver is polled
    /// further.
    pub(crate) fn close(&mut self) {
        self.session.close();
        self.carry_out();
    }

    /// Notes that the program has dealt with the event that has this last event ID.
    pub(crate) fn acknowledge(&mut self, last_event_id: &Text) {
        if let Some(progress) = self.session.progress() {
            progress.acknowledge(last_event_id);
        }
    }

    /// Continues to save acknowledged IDs. Ready when all of them are saved, or with the store's error if saving has
    /// failed.
    pub(crate) fn poll_saved(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match (&mut self.keeper, self.session.progress()) {
            (Some(keeper), Some(progress)) => keeper.poll_saved(progress, cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Returns an event that has arrived completely. `None` if there is none, or if something else has to be done
    /// first. Most events are returned by this function.
    #[inline(always)] // For the reason that `Arrivals::own` gives.
    pub(crate) fn event_at_hand(&mut self) -> Option<MessageEvent> {
        if self.has_more_to_do() { None } else { self.session.event_at_hand() }
    }

    /// Returns true if other work may come before an event: there is a store, in which IDs may have to be saved, or a
    /// handle has sent a command.
    #[inline]
    fn has_more_to_do(&self) -> bool {
        self.keeper.is_some() || self.shared.has_command()
    }

    /// Waits for the next event. Ready with `None` if something else has to be done first: then the caller has to call
    /// `poll_next`.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<MessageEvent>> {
        if self.has_more_to_do() {
            return Poll::Ready(None);
        }
        for _ in 0..CHUNKS_PER_TURN {
            let Io::Body(body) = &mut self.io else { break };
            if !self.session.is_dry() {
                break;
            }
            self.session.free_chunk();
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                // The waker is registered only when the task has to wait, because a handle need not wake a task that
                // runs. A command may have come just before the waker was registered, so commands are checked once
                // more.
                self.shared.register(cx.waker());
                return if self.shared.has_command() { Poll::Ready(None) } else { Poll::Pending };
            };
            self.received(frame);
            if let Some(event) = self.session.event_at_hand() {
                return Poll::Ready(Some(event));
            }
        }
        Poll::Ready(None)
    }

    /// Waits for the next signal.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        comments: Comments,
    ) -> Poll<Option<Result<Signal, Error>>> {
        if let Some(progress) = self.session.progress() {
            progress.next();
        }
        loop {
            let polled = self.poll_signal(cx, comments);
            if polled.is_ready() {
                return polled;
            }
            // A command may have come just before the waker was registered, so commands are checked once more.
            self.shared.register(cx.waker());
            if !self.shared.has_command() {
                return Poll::Pending;
            }
        }
    }

    fn poll_signal(&mut self, cx: &mut Context<'_>, comments: Comments) -> Poll<Option<Result<Signal, Error>>> {
        let mut chunks = 0;
        loop {
            if !self.session.has_signal() {
                self.obey();
            }
            let signal = self.session.next_signal(comments);
            // A block without an event, in the data that was just read, may have set an ID. This ID is saved even if an
            // error follows the block.
            let kept = self.keep(cx);
            self.carry_out();
            if let Some(signal) = signal {
                return Poll::Ready(Some(Ok(signal)));
            }
            match &mut self.io {
                Io::Nothing if self.session.is_closed() => return Poll::Ready(None),
                Io::Nothing if self.session.is_ending() => {
                    ready!(kept);
                    return Poll::Ready(self.session.finish().map(Err));
                }
                Io::Nothing if self.session.deadline().is_none() => self.session.start(self.outside.clock.now()),
                Io::Nothing => ready!(self.poll_deadline(cx)),
                Io::Loading(loading) => {
                    let loaded = ready!(loading.as_mut().poll(cx));
                    self.session.loaded(loaded, self.outside.clock.now());
                }
                Io::Preparing(preparing) => {
                    let prepared = ready!(preparing.as_mut().poll(cx));
                    self.session.prepared(prepared, self.outside.clock.now());
                }
                Io::Sending(sending, url) => match sending.as_mut().poll(cx) {
                    Poll::Ready(sent) => {
                        let url = url.clone();
                        self.sent(&url, sent);
                    }
                    Poll::Pending => ready!(self.poll_deadline(cx)),
                },
                Io::Body(_) if chunks == CHUNKS_PER_TURN => {
                    // Other tasks get their turn. The deadline is checked first: a body that always has more to read
                    // would otherwise never reach a check of the deadline.
                    if self.poll_deadline(cx).is_pending() {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                Io::Body(body) => {
                    chunks += 1;
                    self.session.free_chunk();
                    match Pin::new(body).poll_frame(cx) {
                        Poll::Ready(frame) => self.received(frame),
                        Poll::Pending => {
                            if self.rules().idle_timeout.is_some() {
                                self.session.silent(self.outside.clock.now());
                            }
                            ready!(self.poll_deadline(cx));
                        }
                    }
                }
                Io::Ended(cause) => {
                    let cause = cause.clone();
                    self.session.body_ended(cause, self.outside.clock.now());
                }
            }
        }
    }

    /// Carries out the command that a handle has sent.
    fn obey(&mut self) {
        match self.shared.take_command() {
            Some(Command::Close) => self.session.close(),
            Some(Command::Reconnect) => self.session.reconnect_now(self.outside.clock.now()),
            None => {}
        }
    }

    /// Continues to save acknowledged IDs. If saving fails, the event source ends.
    fn keep(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(self.poll_saved(cx)) {
            self.keeper = None;
            self.session.not_kept(error);
        }
        Poll::Ready(())
    }

    /// Carries out the order of the session, and shows the new state of the session to the handles.
    fn carry_out(&mut self) {
        let Some(order) = self.session.take_order() else { return };
        self.timer = Timer::default();
        let answered = self.answered.take();
        self.io = match order {
            Order::Load => self.keeper.as_ref().map_or(Io::Nothing, |keeper| Io::Loading(keeper.load())),
            Order::Prepare(attempt) => self.outside.prepare(attempt),
            Order::Send(target) => self.outside.send(&target, self.session.rules().repeat),
            Order::Read => answered.map_or(Io::Nothing, Io::Body),
            Order::Rest => Io::Nothing,
        };
        self.shared.set(self.session.ready_state());
    }

    /// Waits for the session's deadline and tells the session that it has passed; then it is ready. If the session has
    /// no deadline, it is always pending.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.session.deadline() else { return Poll::Pending };
        let now = ready!(self.timer.poll(deadline, &*self.outside.clock, cx));
        self.session.timed_out(now);
        Poll::Ready(())
    }

    /// Handles the result of a request to `url`: a response, or the transport's error.
    fn sent(&mut self, url: &Url, sent: Result<Response<ResponseBody>, BoxError>) {
        let now = self.outside.clock.now();
        let response = match sent {
            Ok(response) => response,
            Err(error) => return self.session.failed(no_answer(error), now),
        };
        let (parts, body) = response.into_parts();
        if let Some(cookies) = &self.outside.cookies {
            cookies.store(url, &parts.headers);
        }
        let body = decoded(&parts, body);
        let answer = Answer { parts, undecodable: body.as_ref().err().cloned(), date: SystemTime::now() };
        self.answered = body.ok();
        let hook = self.outside.on_response.as_ref();
        self.session.answered(answer, |parts| hook.map_or(Verdict::ByPolicy, |hook| hook(parts)), now);
    }

    /// Gives the session the next part of the body, or its end.
    #[inline]
    fn received(&mut self, frame: Option<Result<Frame<Bytes>, BoxError>>) {
        let cause = match frame {
            Some(Ok(frame)) => {
                // A frame of trailers has no data, and is received as an empty chunk: trailers mean nothing in an event
                // stream.
                if self.session.receive(frame.into_data().unwrap_or_default()) {
                    return;
                }
                Cause::EndOfStream
            }
            Some(Err(error)) => Cause::Broken(error.into()),
            None => Cause::EndOfStream,
        };
        self.session.finish_body(&cause);
        self.io = Io::Ended(cause);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The handles may outlive the driver. They then report that the event source is closed.
        self.shared.set(crate::ReadyState::Closed);
    }
}
