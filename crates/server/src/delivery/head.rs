//! The head of a response whose body is a stream: its status line and headers. The headers stop caches, proxies and
//! browsers from delaying the stream.
use crate::problem::Problem;
use axum::{body::Body, response::Response};
use bytes::Bytes;
use fanfare_hub::{
    ending::{EndReason, Ending},
    framing::Framing,
    representation::Representation,
};
use http::{HeaderName, HeaderValue, Response as HttpResponse, StatusCode, Version, header, response::Parts};
use http_body::Frame;
use httpdate::HttpDate;
use std::{
    convert::Infallible,
    io::Write as _,
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

/// The header that tells nginx not to buffer the response. Many other proxies understand it as well.
pub const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The header that tells proxies to pass each piece of the body on at once ([RFC
/// 10036](https://www.rfc-editor.org/rfc/rfc10036)). Its value is a boolean of structured fields.
pub const INCREMENTAL: HeaderName = HeaderName::from_static("incremental");

/// The value of `Cache-Control`: nobody may store, reuse or transform a stream.
const CACHE_CONTROL: &str = "private, no-cache, no-store, no-transform, must-revalidate, max-age=0";

/// Returns the response whose body `body` is a stream in this representation.
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
    headers.insert(INCREMENTAL, HeaderValue::from_static("?1"));
    response
}

/// Returns the answer to `HEAD` for a path at which `GET` is answered with a stream.
#[must_use]
pub fn alone(representation: Representation) -> Response {
    stream(representation, Body::new(Unsent))
}

/// The empty body of an answer to `HEAD`. hyper does not know its length: otherwise hyper would add a `Content-Length`,
/// which the answer with a stream does not have.
struct Unsent;

impl http_body::Body for Unsent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

/// Returns the framing of a stream that answers a request of this version. HTTP/1.0 has no chunks, so there the end of
/// the connection marks the end of the body ([RFC 9112, 6.3](https://www.rfc-editor.org/rfc/rfc9112#section-6.3)).
#[must_use]
pub fn framing_of(version: Version) -> Framing {
    if version == Version::HTTP_10 { Framing::Plain } else { Framing::Chunked }
}

/// Encodes the first bytes of a stream that a shard delivers: the head of its response, and the first heartbeat,
/// because some proxies wait for the first byte of the body.
///
/// The head has all header fields of the handler's answer, except that fields which describe the framing of the body
/// are those of `framing`. The connection is closed after the body in any case.
#[must_use]
pub fn encode(parts: &Parts, framing: Framing, representation: Representation) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let (version, coding) = match framing {
        Framing::Plain => ("HTTP/1.0", ""),
        Framing::Chunked => ("HTTP/1.1", "transfer-encoding: chunked\r\n"),
    };
    let (status, reason) = (parts.status.as_str(), parts.status.canonical_reason().unwrap_or_default());
    // Writing to memory cannot fail.
    let _ = write!(head, "{version} {status} {reason}\r\n");
    for (name, value) in parts.headers.iter().filter(|(name, _)| !FRAMING.contains(name)) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    if !parts.headers.contains_key(header::DATE) {
        let _ = write!(head, "date: {}\r\n", HttpDate::from(SystemTime::now()));
    }
    head.extend_from_slice(coding.as_bytes());
    head.extend_from_slice(b"connection: close\r\n\r\n");
    head.extend_from_slice(representation.heartbeat_in(framing));
    head
}

/// The number of bytes of memory that are reserved for a head: enough for a head with the fields of CORS.
const HEAD_BYTES: usize = 896;
/// The fields that describe the connection or the framing of the body.
const FRAMING: [HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// Returns the answer that tells a subscriber to come back later. It is a stream that ends at once and names the time
/// after which an EventSource reconnects; after an error status, an EventSource would never reconnect. The time comes
/// with an event of a type of its own: some clients pass a block that only has a time to the application, as an empty
/// event. The connection is closed: kept alive, it would keep one of the few files that subscribers leave to others.
///
/// # Errors
/// [`Problem::Later`] for lines of JSON. No EventSource reads them, and an answer without a line would look complete.
pub fn come_back_later(representation: Representation) -> Result<Response, Problem> {
    let retry_ms = EndReason::Later.retry_ms(&mut fastrand::Rng::new()).unwrap_or_default();
    if representation == Representation::JsonLines {
        return Err(Problem::Later { seconds: retry_ms / 1_000 });
    }
    let (r#type, reason) = (Ending::EVENT_TYPE, EndReason::Later.as_str());
    let body = format!("retry: {retry_ms}\nevent: {type}\ndata: {{\"reason\":\"{reason}\"}}\n\n");
    let mut response = stream(representation, body.into());
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an encoded head, without its date.
    fn encoded(change: impl FnOnce(&mut Parts), framing: Framing, representation: Representation) -> String {
        let (mut parts, ()) = stream(representation, ()).into_parts();
        change(&mut parts);
        let text = String::from_utf8(encode(&parts, framing, representation)).unwrap();
        let (before, date) = text.split_once("date: ").unwrap();
        let (date, after) = date.split_once("\r\n").unwrap();
        let age = SystemTime::now().duration_since(httpdate::parse_http_date(date).unwrap()).unwrap();
        assert!(age.as_secs() < 60, "{date}");
        format!("{before}{after}")
    }

    #[test]
    fn a_head_is_the_handlers_and_says_how_the_body_ends() {
        let fields = format!("cache-control: {CACHE_CONTROL}\r\nx-accel-buffering: no\r\nincremental: ?1\r\n");
        let (plain, chunked) = ("connection: close\r\n\r\n", "transfer-encoding: chunked\r\nconnection: close\r\n\r\n");
        let cases = [
            (Version::HTTP_11, Representation::EventStream, "HTTP/1.1", "text/event-stream", chunked, "2\r\n:\n\r\n"),
            (Version::HTTP_10, Representation::Envelope, "HTTP/1.0", "text/event-stream", plain, ":\n"),
            (Version::HTTP_11, Representation::JsonLines, "HTTP/1.1", "application/x-ndjson", chunked, "1\r\n\n\r\n"),
        ];
        for (version, representation, shown, content_type, end, heartbeat) in cases {
            let expected = format!("{shown} 200 OK\r\ncontent-type: {content_type}\r\n{fields}{end}{heartbeat}");
            assert_eq!(encoded(|_| {}, framing_of(version), representation), expected);
        }
    }

    #[test]
    fn repeated_fields_stay_and_framing_goes() {
        let with_more = |parts: &mut Parts| {
            for (name, value) in [
                ("vary", "origin"),
                ("connection", "keep-alive"),
                ("vary", "accept"),
                ("content-length", "7"),
                ("transfer-encoding", "chunked"),
            ] {
                parts.headers.append(name, HeaderValue::from_static(value));
            }
            parts.headers.append("x-bytes", HeaderValue::from_bytes("café".as_bytes()).unwrap());
        };
        let head = encoded(with_more, Framing::Plain, Representation::EventStream);
        assert!(head.contains("vary: origin\r\nvary: accept\r\n") && head.contains("x-bytes: café\r\n"), "{head}");
        assert_eq!(head.matches("connection").count(), 1, "{head}");
        assert!(!head.contains("length") && !head.contains("encoding"), "{head}");
    }
}
