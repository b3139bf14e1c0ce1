//! Any service will do.

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

/// Is ready at the second time of asking, and answers with what it was sent. Clones begin again.
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
