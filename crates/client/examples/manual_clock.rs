//! A test that does not wait although minutes pass on its clock: `cargo run -p fanfare-client --example manual_clock`.
//! In a real test, `main` would be a `#[test]`.
use bytes::Bytes;
use fanfare_client::{Cause, EventSource, ManualClock, Reconnect, Signal, transport::RequestBody};
use futures_util::{FutureExt as _, StreamExt as _};
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use std::{
    convert::Infallible,
    error::Error,
    future::{Ready, pending, ready},
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

/// Answers each request with one event, and then says nothing more.
#[derive(Clone)]
struct Silent;

impl Service<Request<RequestBody>> for Silent {
    type Response = Response<UnsyncBoxBody<Bytes, Infallible>>;
    type Error = http::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        let event = Full::new(Bytes::from_static(b"data: hello\n\n"));
        // The trailers never come, so the body never ends.
        let body = event.with_trailers(pending()).boxed_unsync();
        ready(Response::builder().header(CONTENT_TYPE, "text/event-stream").body(body))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    const MINUTE: Duration = Duration::from_secs(60);
    let clock = ManualClock::new();
    let mut signals = EventSource::builder("http://silent.example/")
        .transport(Silent)
        .clock(clock.clone())
        .idle_timeout(MINUTE)
        .reconnect(Reconnect::spec().reconnection_time(5 * MINUTE))
        .build()?
        .signals();
    // Nothing happens between two calls: a signal that is not ready now comes only after the clock has advanced.
    let mut next = || signals.next().now_or_never().flatten().transpose();

    assert!(matches!(next()?, Some(Signal::Open(_))));
    assert!(matches!(next()?, Some(Signal::Event(_))));
    assert!(next()?.is_none());
    clock.advance(MINUTE);
    assert!(matches!(next()?, Some(Signal::Reconnecting { cause: Cause::IdleTimeout(MINUTE), .. })));
    assert!(next()?.is_none());
    assert_eq!(clock.next_due(), Some(5 * MINUTE));
    clock.advance(5 * MINUTE);
    assert!(matches!(next()?, Some(Signal::Open(_))));
    println!("six minutes have passed");
    Ok(())
}
