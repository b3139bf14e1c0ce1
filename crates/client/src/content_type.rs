//! Recognizes an event stream by its `Content-Type`.
use http::{HeaderMap, header::CONTENT_TYPE};

const EVENT_STREAM: &str = "text/event-stream";

/// Returns true if the headers say `text/event-stream`, with or without parameters, in upper or lower case. If there
/// are several values, the last one that is a valid type is used ([Fetch, "extract a MIME
/// type"](https://fetch.spec.whatwg.org/#concept-header-extract-mime-type)).
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    // A parameter may contain bytes that are not UTF-8. The type before the parameter is used nevertheless.
    let values: Vec<_> =
        headers.get_all(CONTENT_TYPE).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let essences = values.iter().flat_map(|value| value.split(',')).map(essence);
    let is_type =
        |essence: &&str| essence.split_once('/').is_some_and(|(kind, sub)| !kind.is_empty() && !sub.is_empty());
    let counts = |essence: &&str| is_type(essence) && *essence != "*/*";
    essences.rev().find(counts).is_some_and(|last| last.eq_ignore_ascii_case(EVENT_STREAM))
}

/// Returns the type in a value of `Content-Type`, without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim_matches([' ', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_essence_decides() {
        let cases: [(&[&str], bool); 15] = [
            (&["text/event-stream; charset=\"é\""], true),
            (&["text/event-stream"], true),
            (&["text/event-stream;"], true),
            (&["text/event-stream; charset=utf-8"], true),
            (&["text/event-stream;charset=windows-1251"], true),
            (&[" TEXT/Event-Stream\t; x"], true),
            (&["text/plain, text/event-stream"], true),
            (&["text/plain", "text/event-stream"], true),
            (&["text/event-stream", "*/*"], true),
            (&["text/event-stream, text/plain"], false),
            (&["text/event-stream-x"], false),
            (&["x text/event-stream"], false),
            (&["text/plain"], false),
            (&[""], false),
            (&[], false),
        ];
        for (values, yes) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(is_event_stream(&headers), yes, "{values:?}");
        }
    }
}
