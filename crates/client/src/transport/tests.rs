//! Tests that any service can be a transport.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use super::erased::{BoxFuture, RequestBody, erase};

/// A service that is ready at the second call of `poll_ready`, and answers with the request's content. A clone is not
/// ready at first.
struct Echo {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Echo {
    fn clone(&self) -> Self {
        Self { is_ready: false, calls: self.calls.clone() }
    }
}

impl Service<Request<RequestBody>> for Echo {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if std::mem::replace(&mut self.is_ready, true) {
            return Poll::Ready(Ok(()));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        assert!(self.is_ready, "a service is called before it is ready");
        self.calls.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { Ok(Response::new(request.into_body())) })
    }
}

#[tokio::test]
async fn a_service_is_driven_until_it_is_ready_once_a_call() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = erase(Echo { is_ready: false, calls: calls.clone() });
    for _ in 0..2 {
        let request = Request::new(RequestBody::from("said"));
        let response = transport.send(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), "said");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}
