//! The body of a request, as long as it arrives steadily.
use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The time for which the body of a publication may stop arriving. The whole body may take longer only if it arrives at
/// [`BODY_RATE`] or faster.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The slowest rate of the body of a publication that takes longer than [`BODY_TIMEOUT`], on average, in bytes per
/// second. A slow mobile connection sends faster.
pub const BODY_RATE: u64 = 4 << 10;
/// The time by which a body is noticed too late to be too slow, from which on it is not given up: not its sender has
/// stood still, but this process, or the whole machine.
const STANDSTILL: Duration = Duration::from_secs(5);

/// A body that fails if it stops arriving for [`BODY_TIMEOUT`]. It also fails if it takes longer than this time in all,
/// and arrives more slowly than [`BODY_RATE`]: otherwise a peer could hold the connection with a byte every now and
/// then.
pub(super) struct Steady<B> {
    body: B,
    begun: Instant,
    received: u64,
    /// The time since which nothing has arrived; `None` if the body has not been waited for since the last bytes.
    silent_since: Option<Instant>,
    /// Fires at the time by which more must have arrived. It is made when the body is first waited for: most bodies
    /// have arrived completely with the head.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The error of a body that arrives too slowly.
#[derive(Debug)]
struct TooSlow;

impl<B> Steady<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, begun: Instant::now(), received: 0, silent_since: None, alarm: None }
    }

    /// Returns the time by which more must have arrived.
    fn deadline(&self, silent_since: Instant) -> Instant {
        let steady = self.begun + BODY_TIMEOUT + Duration::from_secs(self.received / BODY_RATE);
        steady.min(silent_since + BODY_TIMEOUT)
    }

    /// Ready when the body has to be given up.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let silent_since = *self.silent_since.get_or_insert(now);
        let mut deadline = self.deadline(silent_since);
        let late = now.saturating_duration_since(deadline);
        if late > STANDSTILL {
            self.begun += late + BODY_TIMEOUT;
            self.silent_since = Some(now);
            deadline = self.deadline(now);
        }
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(cx)
    }
}

impl<B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + Unpin> Body for Steady<B> {
    type Data = B::Data;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => self.poll_late(cx).map(|()| Some(Err(TooSlow.into()))),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.remaining());
                self.received += bytes as u64;
                if bytes > 0 {
                    self.silent_since = None;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(other) => Poll::Ready(other.map(|frame| frame.map_err(Into::into))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Display for TooSlow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the body arrives too slowly")
    }
}

impl Error for TooSlow {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::BodyExt as _;
    use std::task::Waker;
    use tokio::time::{advance, sleep};

    /// A body that sends `piece` bytes after each `pause`, `count` times.
    struct Pieces {
        piece: usize,
        count: u32,
        pause: Duration,
        next: Pin<Box<Sleep>>,
    }

    impl Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.count == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.next.as_mut().poll(cx));
            self.count -= 1;
            let at = self.next.deadline() + self.pause;
            self.next.as_mut().reset(at);
            Poll::Ready(Some(Ok(Frame::data(vec![b'x'; self.piece].into()))))
        }
    }

    /// Returns the size of a body that arrives completely, or the seconds after which it is given up.
    async fn received(piece: usize, count: u32, pause: Duration) -> Result<usize, u64> {
        let begun = Instant::now();
        let body = Steady::new(Pieces { piece, count, pause, next: Box::pin(sleep(pause)) });
        body.collect().await.map(|body| body.to_bytes().len()).map_err(|_| begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_but_must_be_steady() {
        let (second, rate) = (Duration::from_secs(1), usize::try_from(BODY_RATE).unwrap());
        assert_eq!(received(rate, 1_000, second).await, Ok(1_000 * rate), "as slow as it may be");
        assert_eq!(received(1, 29, second).await, Ok(29), "a body that is over soon may be slower");
        assert_eq!(received(rate, 100, 29 * second).await, Err(30 + 1), "slow on average, although it never stops");
        assert_eq!(received(1, 1_000, 20 * second).await, Err(30), "a byte now and then");
        assert_eq!(received(100 * rate, 3, 29 * second).await, Ok(300 * rate), "steady enough, in large pieces");
        assert_eq!(received(100 * rate, 3, 31 * second).await, Err(30), "nothing for too long");
        assert_eq!(received(1, 0, second).await, Ok(0));
    }

    /// The body may have been on its way meanwhile.
    #[tokio::test(start_paused = true)]
    async fn a_body_is_not_given_up_because_the_machine_has_stood_still() {
        let hour = Duration::from_secs(3_600);
        let mut body = Steady::new(Pieces { piece: 1, count: 1, pause: hour, next: Box::pin(sleep(hour)) });
        let mut poll = || Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending());
        // Nobody polls the body in this time, although its alarm is over.
        advance(Duration::from_secs(100)).await;
        assert!(poll().is_pending(), "it has its time again");
        advance(BODY_TIMEOUT - Duration::from_secs(1)).await;
        assert!(poll().is_pending());
        advance(Duration::from_secs(2)).await;
        assert!(matches!(poll(), Poll::Ready(Some(Err(_)))));
    }

    /// A peer that has sent much at first may not stop for longer than another one.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_is_given_up() {
        let begun = Instant::now();
        let first = Pieces { piece: 1 << 20, count: 1, pause: Duration::ZERO, next: Box::pin(sleep(Duration::ZERO)) };
        let mut body = Steady::new(Pieces { count: 2, pause: Duration::from_secs(3_600), ..first });
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(begun.elapsed().as_secs(), BODY_TIMEOUT.as_secs());
    }
}
