//! The reading of a request's body within its limits.
mod steady;
pub mod strangers;

use crate::{app::App, problem::Problem};
use axum::{BoxError, body::Body};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;
use steady::Steady;
pub use steady::{BODY_RATE, BODY_TIMEOUT};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};

/// The time that the rest of a body may take to arrive when the server stops.
pub const STOPPED_BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Refuses a body that is compressed or coded in another way, according to its `Content-Encoding`. The hub does not
/// decode bodies, so the coded bytes would be published as the data.
pub(crate) fn require_no_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let codings = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let mut others = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"));
    match others.next() {
        Some(coding) => Err(Problem::ContentCoding(String::from_utf8_lossy(coding).chars().take(64).collect())),
        None => Ok(()),
    }
}

/// Reads the whole body, if it is within the limit on its size and has no content coding, such as compression.
pub(crate) async fn collect(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    within_bounds(app, headers, body, |body| async { Ok(body.collect().await?.to_bytes()) }).await
}

/// A body for which there was room.
pub(crate) struct Roomed {
    pub(crate) bytes: Bytes,
    /// The permits for the bytes. They are returned when this is dropped.
    _room: Option<OwnedSemaphorePermit>,
}

impl From<Bytes> for Roomed {
    /// Returns a body that needs no permits.
    fn from(bytes: Bytes) -> Self {
        Self { bytes, _room: None }
    }
}

/// Does the same as [`collect`] for the sender of a request without a token. It takes a permit for each byte that is in
/// memory. If there are too few permits, it returns `None` and does not wait: otherwise senders that never finish their
/// bodies could keep all others waiting. The whole body has to arrive within [`BODY_TIMEOUT`], however steadily it does:
/// it takes a part of what all of them share.
pub(crate) async fn collect_of_stranger(app: &App, headers: &HeaderMap, body: Body) -> Result<Option<Roomed>, Problem> {
    let read = within_bounds(app, headers, body, |mut body| async move {
        let (mut bytes, mut room) = (Vec::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            let count = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let Ok(more) = app.strangers_bytes.clone().try_acquire_many_owned(count) else { return Ok(None) };
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Some(Roomed { bytes: bytes.into(), _room: room }))
    });
    timeout(BODY_TIMEOUT, read).await.unwrap_or(Err(Problem::BodyIncomplete))
}

/// Reads a body with `read`, within the limits on its size and on the time that it may take to arrive.
async fn within_bounds<T, R: Future<Output = Result<T, BoxError>>>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    read: impl FnOnce(Limited<Steady<Body>>) -> R,
) -> Result<T, Problem> {
    require_no_coding(headers)?;
    let limit = app.settings.max_body_bytes;
    // A body whose `Content-Length` is above the limit is refused before a byte of it is read, and before the client is
    // asked for it by `100 Continue`.
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::BodyTooLarge { limit });
    }
    let reading = read(Limited::new(Steady::new(body), limit));
    // Usually the whole body has already arrived. So the branch that reads the body is polled first, and the branch
    // that waits for the server to stop is often never polled.
    let read = tokio::select! {
        biased;
        read = reading => read,
        () = late_for_stopping(app) => return Err(Problem::CutShort),
    };
    match read {
        Ok(read) => Ok(read),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::BodyTooLarge { limit }),
        Err(_) => Err(Problem::BodyIncomplete),
    }
}

/// Waits until the server begins to stop, and after that for the time that the rest of a body may still take to arrive.
/// If the hub has failed, there is no such time: nothing can be published any more.
async fn late_for_stopping(app: &App) {
    let mut stopping = app.stopping.clone();
    // If the sender of the signal is dropped, the server stops too, so the result does not matter.
    _ = stopping.wait_for(|stopping| *stopping).await;
    if app.hub.failure().is_none() {
        sleep(STOPPED_BODY_TIMEOUT).await;
    }
}

/// Converts the body to text. Fails if the body is not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<String, Problem> {
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| Problem::NotUtf8)
}
