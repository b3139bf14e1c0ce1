//! A transport whose concrete types are hidden (type erasure), and the types that all transports share.
use crate::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
};
use tower_service::Service;

/// The body of a request. It is in memory as a whole, so that it can be sent again.
pub type RequestBody = Full<Bytes>;

/// The body of a response from any transport.
pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// A future of any transport.
#[cfg(any(feature = "hyper", feature = "reqwest"))]
pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A transport whose concrete types are hidden.
pub(crate) trait Erased: Send + Sync {
    /// Sends `request` and waits for the head of the response.
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, BoxError>> + Send>>;
}

/// Hides the concrete types of `service`.
pub(crate) fn erase<S, B>(service: S) -> Box<dyn Erased>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Box::new(Erasing(service))
}

struct Erasing<S>(S);

impl<S, B> Erased for Erasing<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, BoxError>> + Send>> {
        let sent = oneshot(self.0.clone(), request);
        Box::pin(async move {
            let response = sent.await.map_err(Into::into)?;
            Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
        })
    }
}

/// Calls `service` once it is ready.
pub(super) async fn oneshot<S: Service<R>, R>(mut service: S, request: R) -> Result<S::Response, S::Error> {
    poll_fn(|context| service.poll_ready(context)).await?;
    service.call(request).await
}
