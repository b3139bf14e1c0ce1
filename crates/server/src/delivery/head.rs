//! What a stream's response begins with: the headers that keep caches, proxies and browsers from holding it back.
use axum::response::Response;
use fanfare_hub::wire::Representation;
use http::{HeaderName, HeaderValue, Response as HttpResponse, StatusCode, header};

/// Tells nginx, and the many proxies that learnt it from nginx, not to buffer this response.
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Nobody may store, reuse or transform a stream.
const CACHE_CONTROL: &str = "private, no-cache, no-store, no-transform, must-revalidate, max-age=0";

/// The head of a stream in this representation, around its body.
pub fn stream<B>(representation: Representation, body: B) -> HttpResponse<B> {
    let content_type = match representation {
        Representation::EventStream | Representation::Envelope => "text/event-stream",
        Representation::JsonLines => "application/x-ndjson",
    };
    let mut response = HttpResponse::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// The shortest and longest time after which a subscriber that finds no room is told to come back.
const RETRY_SECONDS: std::ops::RangeInclusive<u64> = 30..=120;

/// Sends a subscriber away until later. An error status would end a browser's EventSource for good; a stream that ends at
/// once makes it come back, after the time it was told.
#[must_use]
pub fn come_back_later(representation: Representation) -> Response {
    let body = match representation {
        Representation::EventStream | Representation::Envelope => {
            format!("retry: {}\n\n", fastrand::u64(RETRY_SECONDS) * 1_000 + fastrand::u64(0..1_000))
        }
        Representation::JsonLines => String::new(),
    };
    stream(representation, body.into())
}
