//! The activity of a connection: what it is doing, and so how long it may go on like that.
//!
//! hyper has one timer for a head and for the silence before it. A proxy keeps silent connections for a minute and
//! sends its next request on one of them, while a head comes in one piece or is a stranger's that keeps a connection
//! busy with nothing. So the times are kept here: the service says when a request begins and when its answer is out,
//! the socket says when bytes come and go.
use fanfare_hub::log::writer::gather::UNHURRIED;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The time that each phase of a connection may last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The time until the first byte comes.
    pub(super) new: Duration,
    /// The time from the first byte of a request's head to its last one.
    pub(super) head: Duration,
    /// Between an answer and the next request.
    pub(super) idle: Duration,
}

impl Patience {
    /// The patience with a connection that may be silent between two requests for `idle`. A new one, which may be
    /// opened before it is needed, has no less time.
    pub(crate) fn new(head: Duration, idle: Duration) -> Self {
        Self { new: idle.max(head), head, idle }
    }
}

/// The activity of one connection. Its service, its socket and its task share it, and run in one task, so that the lock
/// is never waited for.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// The time when the phase began.
    since: Instant,
    /// The silence before this head or request, since the answer before was out; `None` if there was none.
    silence: Option<Duration>,
    /// True if the answer has no end of its own.
    endless: bool,
    /// True if everything that was to be sent is out.
    flushed: bool,
    /// True if hyper wants to refuse the head that has come.
    refusing: bool,
    /// The number of bytes that have come since the head began. What came before it with another request is not among
    /// them.
    head_bytes: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has come yet.
    New,
    /// An answer is out, and nothing has come since.
    Idle,
    /// Something of a request has come.
    Head,
    /// A request is under way: its body, its handler, or its answer.
    Busy,
}

impl Activity {
    /// The activity of a connection that begins now.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State::of(Phase::New))))
    }

    /// Notes that so many bytes have come; `None` if nobody counted them.
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

    /// The number of bytes that were read since the head began that is read now. `None` if it is not known, or if none
    /// is read.
    pub(super) fn head_bytes(&self) -> Option<usize> {
        self.lock().head_bytes
    }

    /// True if what comes now is the first of a head.
    pub(super) fn begins_head(&self) -> bool {
        matches!(self.lock().phase, Phase::New | Phase::Idle)
    }

    /// True if what comes now is a head.
    pub(super) fn reads_head(&self) -> bool {
        self.lock().phase != Phase::Busy
    }

    /// Bytes have gone out, perhaps of an answer that is complete for the service and not yet for the peer.
    pub(super) fn sent(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Idle {
            state.since = Instant::now();
        }
    }

    /// Everything is out.
    pub(super) fn flushed(&self) {
        self.lock().flushed = true;
    }

    /// True if what hyper sends now is an answer of its own, to a head that it refuses. That is then known from
    /// [`Self::take_refusal`].
    pub(super) fn refuses(&self) -> bool {
        let mut state = self.lock();
        state.refusing = matches!(state.phase, Phase::New | Phase::Head) && state.flushed;
        state.refusing
    }

    /// True if hyper wanted to refuse a head since this was asked last.
    pub(super) fn take_refusal(&self) -> bool {
        std::mem::take(&mut self.lock().refusing)
    }

    /// A request begins, and ends when what is returned is dropped.
    pub(super) fn begin(&self) -> Busy {
        let mut state = self.lock();
        let silence = state.silence;
        state.enter(Phase::Busy);
        state.silence = silence;
        Busy(self.clone())
    }

    /// Returns a mark if whoever sent the request that is under way is in no hurry.
    pub(super) fn unhurried(&self) -> Option<Unhurried> {
        // The first request of a connection may follow another one of the same program.
        self.lock().silence.filter(|silence| *silence >= UNHURRIED).map(|_| Unhurried)
    }

    /// The answer has no end: from here on the end of what the peer sends is the end of the peer.
    pub(crate) fn is_endless(&self) {
        self.lock().endless = true;
    }

    /// True if the end of what the peer sends ends the connection at once.
    pub(super) fn ends_with_peer(&self) -> bool {
        self.lock().endless
    }

    /// The time when the connection has been in its phase for too long; `None` while a request is under way.
    pub(super) fn deadline(&self, patience: &Patience) -> Option<Instant> {
        let state = self.lock();
        let patience = match state.phase {
            Phase::New => patience.new,
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
            since: Instant::now(),
            silence: None,
            endless: false,
            flushed: phase == Phase::New,
            refusing: false,
            head_bytes: None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        *self = Self::of(phase);
    }
}

/// A mark of requests: their sender has taken its time since the answer before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unhurried;

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Busy(Activity);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().enter(Phase::Idle);
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
        assert_eq!(left(&activity).await, Some(75));
        advance(Duration::from_secs(70)).await;
        activity.sent();
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
        // One that was sent before the answer to the one before.
        let busy = activity.begin();
        assert!(activity.unhurried().is_none());
        drop(busy);
    }
}
