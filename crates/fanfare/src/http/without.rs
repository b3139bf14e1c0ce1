//! A transport that removes headers from requests.
use http::{HeaderName, Request};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// A transport that removes headers from requests before `inner` sends them.
#[derive(Clone, Debug)]
pub(crate) struct Without<S> {
    inner: S,
    names: Arc<[HeaderName]>,
}

impl<S> Without<S> {
    /// Makes a transport that removes the headers with these names.
    pub(crate) fn new(inner: S, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self { inner, names: names.into_iter().collect() }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Without<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        for name in &*self.names {
            request.headers_mut().remove(name);
        }
        self.inner.call(request)
    }
}
