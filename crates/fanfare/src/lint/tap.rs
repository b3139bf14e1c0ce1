//! A transport that writes down what passes: heads and bytes as they come, and when.
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

/// The origin that asks, as a browser would say for a page of another origin. The name is reserved: nobody has it.
pub(super) const PAGE_ORIGIN: &str = "https://page.example";
/// The most bytes of a stream that `fanfare lint` looks at.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// The head of a response.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The request.
    pub uri: Uri,
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap,
    /// The time since the request, connecting included.
    pub after: Duration,
}

/// The end of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server ended it.
    Closed,
    /// The connection broke.
    Broken(String),
    /// Enough was seen.
    Stopped,
}

/// The bytes that passed.
#[derive(Debug)]
pub(super) struct Passed {
    /// The heads of all responses: redirects, and the last one.
    pub heads: Vec<Head>,
    /// The body of the last.
    pub recording: Recording,
    /// The time at which the last head came.
    pub since: Instant,
    pub end: Option<End>,
}

/// The transport. Clones write down the same.
#[derive(Clone)]
pub(super) struct Tap {
    transport: Transport,
    passed: Arc<Mutex<Passed>>,
}

impl Tap {
    pub(super) fn new(transport: Transport) -> Self {
        let passed = Passed { heads: Vec::new(), recording: Recording::new(), since: Instant::now(), end: None };
        Self { transport, passed: Arc::new(Mutex::new(passed)) }
    }

    /// Returns what has passed so far. It must not be held while anything is waited for.
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
        let sent = self.transport.call(request);
        Box::pin(async move {
            let response = sent.await?;
            let (status, version, headers) = (response.status(), response.version(), response.headers().clone());
            {
                let mut passed = tap.passed();
                passed.since = Instant::now();
                passed.heads.push(Head { uri, status, version, headers, after: asked.elapsed() });
                passed.recording = Recording::new();
            }
            Ok(response.map(|body| Tapped { body, tap }))
        })
    }
}

/// A body that is written down while it is read.
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

/// An error with what is behind it: hyper's own words say little.
fn said(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
