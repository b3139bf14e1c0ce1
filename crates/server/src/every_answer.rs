//! The header fields that every answer has, also an answer that no route made.
//!
//! The fields tell browsers to use an answer only as the type that it declares, and to hide it from pages of other
//! origins. The data on a stream comes from strangers, and would run as code if a page could load the stream as a
//! script.
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

/// The header fields of every answer, and their values. The value `same-origin` of `Cross-Origin-Resource-Policy`
/// affects only requests without CORS: scripts, images, styles, and frames of isolated pages. An `EventSource` and a
/// `fetch` from another origin use CORS. `cors.rs` decides about these requests, and this field does not affect them
/// ([Fetch, 3.7](https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header)).
const ON_EVERY_ANSWER: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Returns the answer with the fields that every answer has.
pub(crate) fn with_fields(mut answer: Response) -> Response {
    answer.headers_mut().extend(ON_EVERY_ANSWER);
    answer
}

/// Returns the fields that every answer has, in the form of the lines of a response's head.
pub(crate) fn fields() -> Vec<u8> {
    let line = |(name, value): &(HeaderName, HeaderValue)| {
        [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
    };
    ON_EVERY_ANSWER.iter().flat_map(line).collect()
}
