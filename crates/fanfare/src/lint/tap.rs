//! A transport that records responses: their heads, their bytes, and the times at which the heads and the bytes
//! arrived.
use super::recording::Recording;
use crate::request::Transport;
use fanfare_client::transport::{HyperBody, HyperError, RequestBody};
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version,
    header::{Entry, ORIGIN},
};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::Instant;
use tower_service::Service;

/// The `Origin` of the request, as a browser sends it for a page of another origin. The domain is reserved, so it
/// belongs to nobody.
pub(super) const PAGE_ORIGIN: &str = "https://page.example";
/// The number of bytes of a stream after which `fanfare lint` stops reading.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// The head of a response.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The URL of the request that this head answers.
    pub uri: Uri,
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap,
    /// The time from the request to the head, including the time to connect.
    pub after: Duration,
}

/// The reason why the recording of a response ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server ended the response.
    Closed,
    /// The connection broke, with this error.
    Broken(String),
    /// The observation stopped before the response ended: its time was over, or enough was seen.
    Stopped,
}

/// The responses that were recorded.
#[derive(Debug)]
pub(super) struct Passed {
    /// The heads of all responses, in order: first the heads of redirects, and last the head of the response that is
    /// not a redirect.
    pub heads: Vec<Head>,
    /// The body of the last response.
    pub recording: Recording,
    /// The time at which the last head arrived.
    pub since: Instant,
    /// True while the latest request has no answer.
    pub is_waiting: bool,
    pub end: Option<End>,
}

/// A transport that records the responses it gets. All clones write to the same recording.
#[derive(Clone)]
pub(super) struct Tap {
    transport: Transport,
    passed: Arc<Mutex<Passed>>,
}

impl Tap {
    pub(super) fn new(transport: Transport) -> Self {
        let passed = Passed {
            heads: Vec::new(),
            recording: Recording::new(),
            since: Instant::now(),
            is_waiting: false,
            end: None,
        };
        Self { transport, passed: Arc::new(Mutex::new(passed)) }
    }

    /// Locks the responses that were recorded so far, and returns them. The lock must not be held across an `await`.
    pub(super) fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service<Request<RequestBody>> for Tap {
    type Response = Response<Tapped>;
    type Error = HyperError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, HyperError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), HyperError>> {
        self.transport.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        if let Entry::Vacant(entry) = request.headers_mut().entry(ORIGIN) {
            entry.insert(HeaderValue::from_static(PAGE_ORIGIN));
        }
        let (tap, uri, asked) = (self.clone(), request.uri().clone(), Instant::now());
        self.passed().is_waiting = true;
        let sent = self.transport.call(request);
        Box::pin(async move {
            let response = sent.await?;
            let (status, version, headers) = (response.status(), response.version(), response.headers().clone());
            {
                let mut passed = tap.passed();
                passed.is_waiting = false;
                passed.since = Instant::now();
                passed.heads.push(Head { uri, status, version, headers, after: asked.elapsed() });
                passed.recording = Recording::new();
            }
            Ok(response.map(|body| Tapped { body, tap }))
        })
    }
}

/// The body of a response. What the client reads from it is recorded.
pub(super) struct Tapped {
    body: HyperBody,
    tap: Tap,
}

impl Body for Tapped {
    type Data = <HyperBody as Body>::Data;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, hyper::Error>>> {
        if self.tap.passed().recording.bytes.len() >= MAX_BYTES {
            self.tap.passed().end = Some(End::Stopped);
            return Poll::Ready(None);
        }
        let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
        let mut passed = self.tap.passed();
        let at = passed.since.elapsed();
        match &polled {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    passed.recording.push(at, data);
                }
            }
            Some(Err(error)) => passed.end = Some(End::Broken(said(error))),
            None => passed.end = Some(End::Closed),
        }
        drop(passed);
        Poll::Ready(polled)
    }
}

/// Returns the text of an error and of its cause, because hyper's own text says little.
fn said(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
