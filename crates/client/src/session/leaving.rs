//! The end of a connection, and what follows it: another attempt, or the end of the event source.
use super::{
    judge::When,
    machine::{Order, Phase, Session},
};
use crate::{BoxError, Cause, Error, Signal};
use std::{mem, time::Duration};

impl Session {
    /// Handles a connection that has ended or could not be made. This is the only place that decides if there is
    /// another attempt, and when.
    pub(super) fn left(&mut self, cause: Cause, when: When, now: Duration) {
        if let Some(time) = self.parser.reconnection_time() {
            self.backoff.set_reconnection_time(time);
        }
        self.judge_connection(&cause, now);
        let attempts = self.backoff.attempt_ended();
        if let When::NotBefore(_) = when
            && let Err(error) = self.may_repeat(&cause, attempts)
        {
            return self.end(error);
        }
        let at_least = if let When::NotBefore(delay) = when { delay } else { Duration::ZERO };
        let Some(delay) = self.backoff.next_delay(at_least) else {
            return self.end(Some(Error::GaveUp { attempts, cause }));
        };
        let delay = if let When::After(delay) = when { delay } else { delay };
        self.wait(cause, delay, now);
    }

    /// Makes a new attempt at once, because the program asked for it.
    pub(crate) fn reconnect_now(&mut self, now: Duration) {
        match self.phase {
            Phase::Waiting(_) => self.connect(now),
            Phase::Open(_) if self.rules.repeat => {
                self.judge_connection(&Cause::Requested, now);
                self.backoff.attempt_left();
                self.wait(Cause::Requested, Duration::ZERO, now);
            }
            _ => {}
        }
    }

    fn wait(&mut self, cause: Cause, delay: Duration, now: Duration) {
        self.cause = Some(cause.clone());
        self.signals.push_back(Signal::Reconnecting { cause, delay });
        self.enter(Phase::Waiting(now.saturating_add(delay)), Order::Rest);
    }

    /// Decides if a connection that ended because of `cause` was healthy: it brought a comment, or it was open long
    /// enough and was not ended by the idle timeout. A healthy connection is treated as if it had brought an event, so
    /// its end is not a failure.
    fn judge_connection(&mut self, cause: &Cause, now: Duration) {
        let Some((_, since)) = self.opened.take() else { return };
        let stood = now.saturating_sub(since);
        let was_quiet = !matches!(cause, Cause::IdleTimeout(_)) && stood >= self.rules.reconnect.healthy();
        if self.parser.take_commented() || was_quiet {
            self.backoff.event();
        }
    }

    /// Returns `Ok` if the request may be sent again; otherwise the error with which the event source ends, or `None`
    /// if it ends without an error.
    fn may_repeat(&self, cause: &Cause, attempts: u32) -> Result<(), Option<Error>> {
        let never = self.rules.reconnect.is_never();
        match cause {
            // If the hook for attempts failed, this attempt sent no request. So another attempt is allowed even for a
            // request that must not be sent twice.
            Cause::Hook(_) if !never => Ok(()),
            _ if self.rules.repeat && !never => Ok(()),
            Cause::EndOfStream => Err(None),
            cause if never => Err(Some(Error::GaveUp { attempts, cause: cause.clone() })),
            cause => Err(Some(Error::NotRepeated { cause: cause.clone() })),
        }
    }

    /// Ends the event source, because the program asked for it. Acknowledged IDs are still saved.
    pub(crate) fn close(&mut self) {
        if !self.is_ending() && !self.is_closed() {
            self.end(None);
        }
    }

    /// Ends the event source with an error, because the store could not save an acknowledged ID.
    pub(crate) fn not_kept(&mut self, error: BoxError) {
        self.progress = None;
        if !matches!(self.phase, Phase::Ending(Some(_)) | Phase::Closed) {
            self.end(Some(Error::Store(error)));
        }
    }

    pub(super) fn end(&mut self, error: Option<Error>) {
        self.enter(Phase::Ending(error), Order::Rest);
    }

    /// Closes the session, once all IDs are saved. Returns the error that has to be given to the program, if there is
    /// one.
    pub(crate) fn finish(&mut self) -> Option<Error> {
        match mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Ending(error) => error,
            _ => None,
        }
    }
}
