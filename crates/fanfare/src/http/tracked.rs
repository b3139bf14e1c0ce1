//! A transport that stores the address of the latest request. If a request fails after a redirect, the message about
//! the failure names this address.
use super::Party;
use http::{Request, Uri};
use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tower_service::Service;

/// The address of the latest request. All clones share one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct LatestAddress(Arc<Mutex<Option<Uri>>>);

/// A transport that stores the address of each request before `inner` sends it.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<S> {
    inner: S,
    latest: LatestAddress,
}

impl LatestAddress {
    /// Returns the party that the latest request was sent to. The first request was sent to `first`.
    pub(crate) fn party(&self, first: &Party) -> Party {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(uri) => first.redirected(uri),
            None => first.clone(),
        }
    }
}

impl<S> Tracked<S> {
    /// Makes a transport that stores the address of each request in `latest`.
    pub(crate) fn new(inner: S, latest: LatestAddress) -> Self {
        Self { inner, latest }
    }

    /// Returns the party that the latest request was sent to. The first request was sent to `first`.
    pub(crate) fn party(&self, first: &Party) -> Party {
        self.latest.party(first)
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Tracked<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        *self.latest.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.uri().clone());
        self.inner.call(request)
    }
}
