//! Replays: a response that sends the matching events that are in the log, and then ends.
use bytes::Bytes;
use fanfare_hub::{log::LogError, opening::Opening, replay::Replay};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::OwnedSemaphorePermit;

/// The result of reading one piece of the log: the replay to continue with, and the bytes; `None` at the end.
type Piece = (Replay, Result<Option<Bytes>, LogError>);

/// The wire events of a replay. If the log cannot be read, the body ends with an error, so that nobody takes it for
/// complete.
pub struct ReplayBody {
    reading: Option<Pin<Box<dyn Future<Output = Piece> + Send>>>,
    /// The permit for one subscriber, which is released when the body ends.
    _place: OwnedSemaphorePermit,
}

impl ReplayBody {
    /// Creates the body that begins where `opening` begins.
    #[must_use]
    pub fn new(opening: Opening, place: OwnedSemaphorePermit) -> Self {
        Self { reading: Some(Box::pin(async move { read(opening.replay().await).await })), _place: place }
    }
}

async fn read(mut replay: Replay) -> Piece {
    let bytes = replay.next().await;
    (replay, bytes)
}

impl Body for ReplayBody {
    type Data = Bytes;
    type Error = LogError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LogError>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let (replay, bytes) = ready!(reading.as_mut().poll(cx));
        self.reading = matches!(bytes, Ok(Some(_))).then(|| Box::pin(read(replay)) as Pin<Box<_>>);
        let bytes = bytes.inspect_err(|error| tracing::error!("a replay ends early because {error}"));
        Poll::Ready(bytes.transpose().map(|bytes| bytes.map(Frame::data)))
    }
}
