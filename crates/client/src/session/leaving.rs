//! The end of a connection, and what comes after it: another one, or the end of the event source.
use super::{
    judge::When,
    machine::{Order, Phase, Session},
};
use crate::{BoxError, Cause, Error, Signal};
use std::{mem, time::Duration};

impl Session {
    /// A connection has ended, or could not be made. Decides in one place whether there is another, and when.
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

    /// The program asks for another connection at once.
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

    /// Counts a connection that has ended for `cause` as a healthy one, if it was, although it may have brought no
    /// event. A silence that was too long is no sign of health.
    fn judge_connection(&mut self, cause: &Cause, now: Duration) {
        let Some((_, since)) = self.opened.take() else { return };
        let stood = now.saturating_sub(since);
        let was_quiet = !matches!(cause, Cause::IdleTimeout(_)) && stood >= self.rules.reconnect.healthy();
        if self.parser.take_commented() || was_quiet {
            self.backoff.event();
        }
    }

    /// Allows another attempt, or returns the error with which the event source ends.
    fn may_repeat(&self, cause: &Cause, attempts: u32) -> Result<(), Option<Error>> {
        let never = self.rules.reconnect.is_never();
        match cause {
            // Where the hook failed nothing was sent.
            Cause::Hook(_) if !never => Ok(()),
            _ if self.rules.repeat && !never => Ok(()),
            Cause::EndOfStream => Err(None),
            cause if never => Err(Some(Error::GaveUp { attempts, cause: cause.clone() })),
            cause => Err(Some(Error::NotRepeated { cause: cause.clone() })),
        }
    }

    /// The program ends the event source. What was acknowledged is still to be kept.
    pub(crate) fn close(&mut self) {
        if !self.is_ending() && !self.is_closed() {
            self.end(None);
        }
    }

    /// The store cannot keep what was acknowledged.
    pub(crate) fn not_kept(&mut self, error: BoxError) {
        self.progress = None;
        if !matches!(self.phase, Phase::Ending(Some(_)) | Phase::Closed) {
            self.end(Some(Error::Store(error)));
        }
    }

    pub(super) fn end(&mut self, error: Option<Error>) {
        self.enter(Phase::Ending(error), Order::Rest);
    }

    /// All is kept: this is the end. Returns the error to tell, if there is one.
    pub(crate) fn finish(&mut self) -> Option<Error> {
        match mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Ending(error) => error,
            _ => None,
        }
    }
}
