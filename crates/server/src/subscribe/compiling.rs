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
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
};

/// The greatest number of requests without a token that wait until their patterns are compiled.
pub const MAX_WAITING: usize = 1_024;
/// The shortest time of compiling that is followed by a pause, which is as long. Usual patterns take less.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The turns of all strangers.
#[derive(Debug)]
pub(crate) struct Compiling {
    room: Semaphore,
    turn: Arc<Semaphore>,
    crowded: Seldom,
}

impl Default for Compiling {
    fn default() -> Self {
        Self { room: Semaphore::new(MAX_WAITING), turn: Arc::new(Semaphore::new(1)), crowded: Seldom::default() }
    }
}

impl Compiling {
    /// Calls `compile` when it is the request's turn, and returns the result; `None` if too many requests wait.
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
        let turn = self.turn.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (answer, answered) = oneshot::channel();
        spawn_blocking(move || {
            let _turn = turn;
            let begun = Instant::now();
            // Sending fails only if the peer has left.
            _ = answer.send(compile());
            let took = begun.elapsed();
            if took >= SHORTEST_PAUSE {
                thread::sleep(took);
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
