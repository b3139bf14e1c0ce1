//! The header fields that every answer has, whether a route gave it or not.
//!
//! They tell browsers to take an answer for what it says it is, and to keep it from other origins: the data on a stream
//! comes from strangers, and would run if a page of theirs could load it as a script.
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

/// The fields. `same-origin` is about requests without CORS alone: scripts, images, styles, frames of pages with
/// isolation. An `EventSource` and a `fetch` of another origin ask with CORS, which `cors.rs` decides, and which this
/// leaves as it is ([Fetch, 3.7](https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header)).
const ON_EVERY_ANSWER: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Returns the answer with these fields.
pub(crate) fn with_fields(mut answer: Response) -> Response {
    answer.headers_mut().extend(ON_EVERY_ANSWER);
    answer
}

/// Returns the fields as lines of a head.
pub(crate) fn fields() -> Vec<u8> {
    let line = |(name, value): &(HeaderName, HeaderValue)| {
        [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
    };
    ON_EVERY_ANSWER.iter().flat_map(line).collect()
}
