//! The activity of a connection: the phase that it is in, and how long this phase may last.
//!
//! hyper has a single timer for the silence before a request and for the head of the request, but the two need
//! different times. Silence must be allowed: a proxy keeps silent connections open for a minute, and then sends its
//! next request on one of them. A head must not take long: it usually arrives at once, and a client that sends it
//! slowly may only want to occupy the connection. So this module measures both times. The connection's service reports
//! to it when a request begins and when its answer is complete, and the connection's socket reports when bytes are
//! received and sent.
use fanfare_hub::log::writer::gather::UNHURRIED;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The time that each phase of a connection may last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The time from the start of the connection to its first byte.
    pub(super) new: Duration,
    /// The time from the first byte of a request's head to the head's last byte.
    pub(super) head: Duration,
    /// The time from the end of an answer to the first byte of the next request.
    pub(super) idle: Duration,
}

impl Patience {
    /// Makes the times for a connection on which the head of a request may take `head`, and the silence between two
    /// requests may last `idle`. A new connection may be silent for the longer of both times, because a client may open
    /// it before it needs it.
    pub(crate) fn new(head: Duration, idle: Duration) -> Self {
        Self { new: idle.max(head), head, idle }
    }
}

/// The activity of one connection. The connection's service, socket and task share it. All three run in one task, so no
/// thread ever waits for the lock.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// The number of requests that are under way: at most one, except with HTTP/2.
    requests: usize,
    /// The time when the phase began.
    since: Instant,
    /// The time between the previous answer and the first byte of the current request; `None` if there was no previous
    /// answer.
    silence: Option<Duration>,
    /// True if the answer to the current request is a stream without an end.
    endless: bool,
    /// True if everything that had to be sent in this phase has been sent.
    flushed: bool,
    /// True if the connection ends after the current answer.
    is_last: bool,
    /// True if much came behind the head of the current request, and together with it.
    has_more: bool,
    /// True if hyper wants to refuse the head of the request that is being received.
    refusing: bool,
    /// The number of bytes that were received since the head began. Bytes that arrived together with the previous
    /// request are not counted. `None` if the number is not known, or if no head is being read.
    head_bytes: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No byte has been received on the connection.
    New,
    /// An answer has been handed to hyper completely, and no byte of a further request has been received since.
    Idle,
    /// A part of a request's head has been received.
    Head,
    /// A request is under way: its body, its handler, or its answer.
    Busy,
}

impl Activity {
    /// Creates the activity of a new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State::of(Phase::New))))
    }

    /// Notes that `count` bytes have been received. `count` is `None` if the number is not known.
    pub(super) fn received(&self, count: Option<usize>) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::New | Phase::Idle) {
            let (flushed, was_idle, before) = (state.flushed, state.phase == Phase::Idle, state.since);
            state.enter(Phase::Head);
            (state.flushed, state.head_bytes) = (flushed, Some(0));
            state.silence = was_idle.then(|| state.since - before);
        }
        state.head_bytes = state.head_bytes.zip(count).map(|(before, count)| before + count);
    }

    /// Returns the number of bytes that were read since the current head began. `None` if it is not known, or if no
    /// head is being read.
    pub(super) fn head_bytes(&self) -> Option<usize> {
        self.lock().head_bytes
    }

    /// Returns true if the next byte that is received is the first byte of a request's head.
    pub(super) fn begins_head(&self) -> bool {
        matches!(self.lock().phase, Phase::New | Phase::Idle)
    }

    /// Returns true if the next byte that is received belongs to a request's head.
    pub(super) fn reads_head(&self) -> bool {
        self.lock().phase != Phase::Busy
    }

    /// Returns true if a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().phase == Phase::Busy
    }

    /// Returns true if the head of the connection's first request is being received.
    pub(super) fn is_at_first_head(&self) -> bool {
        let state = self.lock();
        state.phase == Phase::Head && state.silence.is_none()
    }

    /// Notes that bytes have been sent. If the connection is waiting for the next request, the bytes belong to the
    /// previous answer, which was not sent completely before. So the time for the wait is counted from now on.
    pub(super) fn sent(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Idle {
            state.since = Instant::now();
        }
    }

    /// Notes that everything that had to be sent has been sent.
    pub(super) fn flushed(&self) {
        self.lock().flushed = true;
    }

    /// Returns true if the answer that hyper is about to write comes from hyper itself, because it refuses the head of
    /// a request. In this case, the next call of [`Self::take_refusal`] also returns true.
    pub(super) fn refuses(&self) -> bool {
        let mut state = self.lock();
        state.refusing = matches!(state.phase, Phase::New | Phase::Head) && state.flushed;
        state.refusing
    }

    /// Returns true if hyper has wanted to refuse the head of a request since the last call of this function.
    pub(super) fn take_refusal(&self) -> bool {
        std::mem::take(&mut self.lock().refusing)
    }

    /// Notes that the head of a request is complete and the request is under way. The request ends when the returned
    /// value is dropped.
    pub(super) fn begin(&self) -> Busy {
        let mut state = self.lock();
        let (silence, has_more, requests) = (state.silence, state.has_more, state.requests);
        state.enter(Phase::Busy);
        (state.silence, state.has_more, state.requests) = (silence, has_more, requests + 1);
        Busy(self.clone())
    }

    /// Returns the mark [`Unhurried`] if the sender of the current request had waited for some time before it sent the
    /// request, and otherwise `None`.
    pub(super) fn unhurried(&self) -> Option<Unhurried> {
        // The first request of a connection gets no mark, since the same program may just have sent another request on
        // another connection.
        self.lock().silence.filter(|silence| *silence >= UNHURRIED).map(|_| Unhurried)
    }

    /// Notes that the answer has no end: from now on, the connection ends when the peer closes its sending side.
    pub(crate) fn is_endless(&self) {
        self.lock().endless = true;
    }

    /// Notes that the connection ends after the answer to the request that is being received.
    pub(super) fn ends_with_answer(&self) {
        self.lock().is_last = true;
    }

    /// Returns true if the connection ends after the answer to the current request.
    pub(super) fn is_last(&self) -> bool {
        self.lock().is_last
    }

    /// Notes that much came behind the head that is being received, and together with it.
    pub(super) fn more_came(&self) {
        self.lock().has_more = true;
    }

    /// Returns true if much came behind the head of the current request, and together with it: a body or, if the
    /// request has none, further requests.
    pub(super) fn has_more(&self) -> bool {
        self.lock().has_more
    }

    /// Returns true if the connection ends as soon as the peer closes its sending side.
    pub(super) fn ends_with_peer(&self) -> bool {
        self.lock().endless
    }

    /// Returns the time at which the current phase has lasted too long; `None` while a request is under way, or while
    /// hyper still has bytes of the answer that the socket has no room for.
    pub(super) fn deadline(&self, patience: &Patience) -> Option<Instant> {
        let state = self.lock();
        let patience = match state.phase {
            Phase::New => patience.new,
            Phase::Idle if !state.flushed => return None,
            Phase::Idle => patience.idle,
            Phase::Head => patience.head,
            Phase::Busy => return None,
        };
        state.since.checked_add(patience)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(phase: Phase) -> Self {
        Self {
            phase,
            requests: 0,
            since: Instant::now(),
            silence: None,
            endless: false,
            flushed: phase == Phase::New,
            is_last: false,
            has_more: false,
            refusing: false,
            head_bytes: None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        *self = Self { is_last: self.is_last, ..Self::of(phase) };
    }
}

/// An extension of requests: the mark for a request whose sender is in no hurry. The sender had waited for some time
/// after the previous answer before it sent the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unhurried;

/// A guard for a request that is under way. Dropping it means that the request has ended.
#[derive(Debug)]
pub(super) struct Busy(Activity);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests -= 1;
        if state.requests == 0 {
            state.enter(Phase::Idle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const PATIENCE: Patience =
        Patience { new: Duration::from_secs(76), head: Duration::from_secs(60), idle: Duration::from_secs(75) };

    async fn left(activity: &Activity) -> Option<u64> {
        advance(Duration::ZERO).await;
        activity.deadline(&PATIENCE).map(|at| at.saturating_duration_since(Instant::now()).as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_and_the_silence_before_it_have_times_of_their_own() {
        let activity = Activity::new();
        assert_eq!(left(&activity).await, Some(76), "a connection may be opened before it is needed");
        advance(Duration::from_secs(50)).await;
        activity.received(None);
        assert_eq!(left(&activity).await, Some(60), "from the first byte of the head");
        advance(Duration::from_secs(50)).await;
        activity.received(None);
        assert_eq!(left(&activity).await, Some(10), "more bytes give no more time");
        let busy = activity.begin();
        advance(Duration::from_secs(1_000)).await;
        activity.received(None);
        assert_eq!(left(&activity).await, None, "a request takes as long as it takes");
        drop(busy);
        assert_eq!(left(&activity).await, None, "the socket has no room for the rest of the answer");
        advance(Duration::from_secs(1_000)).await;
        activity.sent();
        activity.flushed();
        assert_eq!(left(&activity).await, Some(75), "the peer has only now taken the answer");
        advance(Duration::from_secs(70)).await;
        activity.received(None);
        activity.sent();
        assert_eq!(left(&activity).await, Some(60));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_its_time_is_in_no_hurry() {
        let activity = Activity::new();
        // The silence before a request, and whether its sender is in no hurry.
        let cases = [(Duration::from_secs(1), false), (UNHURRIED, true), (UNHURRIED / 2, false), (UNHURRIED * 2, true)];
        for (silence, unhurried) in cases {
            advance(silence).await;
            activity.received(None);
            advance(Duration::from_secs(1)).await;
            let busy = activity.begin();
            assert_eq!(activity.unhurried().is_some(), unhurried, "{silence:?}");
            drop(busy);
        }
        // A request that was sent before the previous one was answered.
        let busy = activity.begin();
        assert!(activity.unhurried().is_none());
        drop(busy);
    }
}
