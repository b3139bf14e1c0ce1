//! The turns in which the patterns of requests without a token are compiled.
//!
//! A pattern may take some milliseconds to compile, and anybody can send as many different ones as the network takes.
//! So the patterns of strangers are compiled one request after the other, on another thread than those that serve
//! connections, and with pauses: however many strangers there are, they take half of a core, and a publication does not
//! wait for them.
use crate::seldom::Seldom;
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex, Semaphore, oneshot},
    task::spawn_blocking,
    time::timeout,
};

/// The greatest number of requests without a token that wait until their patterns are compiled.
pub const MAX_WAITING: usize = 1_024;
/// The longest time that a request without a token waits for its turn. Proxies give up an answer that does not begin
/// within a minute, and their error status would close an EventSource for good.
pub const MAX_WAIT: Duration = Duration::from_secs(10);
/// The time of compiling that is followed by a pause, which is as long. Usual patterns take less, so several requests
/// are compiled before a pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The turns of all strangers.
#[derive(Debug)]
pub(crate) struct Compiling {
    room: Semaphore,
    /// The turn, with the time of compiling since the last pause.
    turn: Arc<Mutex<Duration>>,
    crowded: Seldom,
}

impl Default for Compiling {
    fn default() -> Self {
        Self { room: Semaphore::new(MAX_WAITING), turn: Arc::default(), crowded: Seldom::default() }
    }
}

impl Compiling {
    /// Calls `compile` when it is the request's turn, and returns the result; `None` if too many requests wait, or if
    /// the turn does not come in time.
    ///
    /// # Cancel safety
    /// If the future is dropped, the result is lost.
    pub(crate) async fn in_turn<T: Send + 'static>(&self, compile: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let Ok(_room) = self.room.try_acquire() else {
            if self.crowded.is_due() {
                tracing::warn!(
                    limit = MAX_WAITING,
                    "too many subscribers without a token wait until their patterns are compiled: further ones are \
                     asked to come back later"
                );
            }
            return None;
        };
        let mut turn = timeout(MAX_WAIT, self.turn.clone().lock_owned()).await.ok()?;
        let (answer, answered) = oneshot::channel();
        spawn_blocking(move || {
            let begun = Instant::now();
            // Sending fails only if the peer has left.
            _ = answer.send(compile());
            *turn += begun.elapsed();
            if *turn >= SHORTEST_PAUSE {
                thread::sleep(std::mem::take(&mut *turn));
            }
        });
        Some(answered.await.expect("compiling does not panic"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::{future::poll_fn, pin::pin, sync::mpsc, task::Poll};

    #[tokio::test]
    async fn one_is_compiled_at_a_time_and_only_so_many_wait() {
        let compiling = Compiling::default();
        let (go, gone) = mpsc::channel::<()>();
        let mut first = pin!(compiling.in_turn(move || gone.recv().is_ok()));
        let mut others: Vec<_> = (1..MAX_WAITING).map(|number| Box::pin(compiling.in_turn(move || number))).collect();
        poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            assert!(others.iter_mut().all(|other| other.as_mut().poll(cx).is_pending()));
            Poll::Ready(())
        })
        .await;
        assert_eq!(compiling.in_turn(|| 0).await, None, "too many wait");
        go.send(()).unwrap();
        assert_eq!(first.await, Some(true));
        for (number, other) in (1..).zip(others) {
            assert_eq!(other.await, Some(number));
        }
        assert_eq!(compiling.in_turn(|| 0).await, Some(0));
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let compiling = Compiling::default();
        let (go, gone) = mpsc::channel::<()>();
        let mut first = pin!(compiling.in_turn(move || gone.recv().is_ok()));
        tokio::time::pause();
        let mut next = pin!(compiling.in_turn(|| ()));
        let is_pending =
            poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending() && next.as_mut().poll(cx).is_pending()));
        assert!(is_pending.await);
        tokio::time::advance(MAX_WAIT + Duration::from_millis(1)).await;
        let waited = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
        assert_eq!(waited, Poll::Ready(None), "it is told to come back later");
        go.send(()).unwrap();
        assert_eq!(first.await, Some(true), "who has the turn keeps it");
    }

    /// However short each turn is, strangers take half of a core.
    #[tokio::test]
    async fn short_turns_are_followed_by_pauses_too() {
        const TURNS: u32 = 40;
        let compiling = Compiling::default();
        let (begun, short) = (Instant::now(), SHORTEST_PAUSE / 4);
        for _ in 0..TURNS {
            assert_eq!(compiling.in_turn(move || thread::sleep(short)).await, Some(()));
        }
        assert!(begun.elapsed() >= short * TURNS * 2 - 2 * SHORTEST_PAUSE, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn who_has_left_does_not_keep_the_turn() {
        let compiling = Compiling::default();
        {
            let mut gone = pin!(compiling.in_turn(|| thread::sleep(SHORTEST_PAUSE)));
            let is_pending = poll_fn(|cx| Poll::Ready(gone.as_mut().poll(cx).is_pending())).await;
            assert!(is_pending);
        }
        assert_eq!(compiling.in_turn(|| 1).await, Some(1));
    }
}
