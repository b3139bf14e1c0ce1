//! The looks at what the peer of one connection has acknowledged, while hyper serves the connection.
use crate::progress::{Sent, Verdict, Wait, WriteTimeout};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, Sleep, sleep, sleep_until},
};

/// The first pause between two looks after an answer was written completely. Most peers take the rest at once.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The looks at one connection. There is one look in each interval in which something was written or is on its way, and
/// none while the connection is silent.
pub(super) struct Looks {
    /// `None` if no peer is given up.
    rule: Option<WriteTimeout>,
    /// The wait that the last look has found.
    wait: Option<Wait>,
    /// Fires when the next look is due. The timer is kept when no look is due, so that it can be set again.
    alarm: Option<Pin<Box<Sleep>>>,
    /// True if a look is due when the alarm fires.
    is_set: bool,
    /// True if the peer is given up.
    is_overdue: bool,
}

impl Looks {
    /// Creates the looks at a connection on which nothing was written yet.
    pub(super) fn new(rule: Option<WriteTimeout>) -> Self {
        Self { rule, wait: None, alarm: None, is_set: false, is_overdue: false }
    }

    /// Returns true if the peer is given up.
    pub(super) fn is_overdue(&self) -> bool {
        self.is_overdue
    }

    /// Notes that something was written, or could not be written because there was no room.
    pub(super) fn wrote(&mut self) {
        if !self.is_set
            && let Some(rule) = self.rule
        {
            self.set(rule);
        }
    }

    /// Looks at the connection if a look is due. The task is woken when the next look is due.
    ///
    /// # Errors
    /// If the peer is given up.
    pub(super) fn poll(&mut self, socket: &TcpStream, cx: &mut Context<'_>) -> io::Result<()> {
        while self.is_set
            && let (Some(rule), Some(alarm)) = (self.rule, &mut self.alarm)
            && alarm.as_mut().poll(cx) == Poll::Ready(())
        {
            if self.look(rule, Sent::of(socket)) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.is_set = false;
            if self.wait.is_some() {
                self.set(rule);
            }
        }
        Ok(())
    }

    /// Waits until the system has sent everything, or until the peer is given up. What the system has sent fits into
    /// the room of the peer, so the system needs no help with it.
    pub(super) async fn until_sent(&mut self, socket: &TcpStream) {
        let Some(rule) = self.rule else { return };
        let mut pause = FIRST_PAUSE;
        while let Some(sent) = Sent::of(socket).filter(|sent| sent.unsent_bytes > 0) {
            if self.look(rule, Some(sent)) {
                return;
            }
            let next = Instant::from_std(rule.next_look(self.wait.as_ref(), Instant::now().into_std()));
            sleep(pause.min(next.saturating_duration_since(Instant::now()))).await;
            pause = pause.saturating_mul(2);
        }
    }

    /// Returns true if the peer is given up.
    fn look(&mut self, rule: WriteTimeout, sent: Option<Sent>) -> bool {
        self.wait = match rule.judge(sent, self.wait, Instant::now().into_std()) {
            Verdict::Complete => None,
            Verdict::Waits(wait) => Some(wait),
            Verdict::Overdue => {
                self.is_overdue = true;
                None
            }
        };
        self.is_overdue
    }

    fn set(&mut self, rule: WriteTimeout) {
        let at = Instant::from_std(rule.next_look(self.wait.as_ref(), Instant::now().into_std()));
        match &mut self.alarm {
            Some(alarm) => alarm.as_mut().reset(at),
            None => self.alarm = Some(Box::pin(sleep_until(at))),
        }
        self.is_set = true;
    }
}
