//! Replays: what the log holds as the body of a response that ends, a stream without the future.
use bytes::Bytes;
use fanfare_hub::{log::LogError, opening::Opening, replay::Replay};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::OwnedSemaphorePermit;

/// The result of one piece of reading: where it goes on, and what there was.
type Piece = (Replay, Result<Option<Bytes>, LogError>);

/// The wire events of a replay. That the log cannot be read breaks the body off, so that nobody takes it for whole.
pub struct ReplayBody {
    reading: Option<Pin<Box<dyn Future<Output = Piece> + Send>>>,
    /// Frees the subscriber's place when the body ends.
    _place: OwnedSemaphorePermit,
}

impl ReplayBody {
    /// The body that reads on from where `opening` begins.
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
        let bytes = bytes.inspect_err(|error| tracing::error!("a replay breaks off because {error}"));
        Poll::Ready(bytes.transpose().map(|bytes| bytes.map(Frame::data)))
    }
}
