//! Checks the status and the headers of the response: what they tell browsers, and proxies between server and browser.
use super::{
    finding::{Finding, Rule, Severity, excerpt},
    observe::Observation,
};
use http::{
    HeaderName, StatusCode, Version,
    header::{AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VIA},
};

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Headers that proxies and content delivery networks add to a response.
const PASSED_THROUGH: [HeaderName; 4] = [
    VIA,
    HeaderName::from_static("x-cache"),
    HeaderName::from_static("cf-ray"),
    HeaderName::from_static("x-served-by"),
];
const EVENT_STREAM: &str = "text/event-stream";

const STATUS: Rule = Rule {
    name: "status",
    severity: Severity::Error,
    why: "an EventSource does not reconnect after a status other than 200; 204 tells it to stop",
    advice: "answer 200; if the server has too many subscribers, answer 200 with `retry: 60000` and end the stream, so \
             that browsers come back later",
};
const NO_TYPE: Rule = Rule {
    name: "content-type-missing",
    severity: Severity::Error,
    why: "without Content-Type: text/event-stream an EventSource fails and does not reconnect",
    advice: "send `Content-Type: text/event-stream`",
};
const WRONG_TYPE: Rule = Rule { name: "content-type-wrong", ..NO_TYPE };
const CHARSET: Rule = Rule {
    name: "charset",
    severity: Severity::Warning,
    why: "event streams are always UTF-8: browsers ignore another charset in the header, but other programs may use it",
    advice: "send `Content-Type: text/event-stream` and write UTF-8",
};
const CACHED: Rule = Rule {
    name: "from-a-cache",
    severity: Severity::Warning,
    why: "the response comes from a cache: all clients get the same old events",
    advice: "send `Cache-Control: no-cache, no-transform`, and configure the cache not to store this path",
};
const CACHEABLE: Rule = Rule {
    name: "cache-control",
    severity: Severity::Warning,
    why: "caches between server and client may store the stream, or hold it back until it ends",
    advice: "send `Cache-Control: no-cache, no-transform`",
};
const TRANSFORMABLE: Rule = Rule {
    name: "no-transform",
    severity: Severity::Note,
    why: "proxies may compress the response, which can delay events; `no-transform` forbids compression",
    advice: "send `Cache-Control: no-cache, no-transform`",
};
const BUFFERING: Rule = Rule {
    name: "x-accel-buffering",
    severity: Severity::Warning,
    why: "nginx and similar proxies collect some KiB of a response before they send it, unless this header forbids it",
    advice: "send `X-Accel-Buffering: no`",
};
const FINITE: Rule = Rule {
    name: "content-length",
    severity: Severity::Warning,
    why: "a response with a known length is complete before it is sent: browsers get all events at once, and then \
          request the stream again and again",
    advice: "do not send Content-Length, keep the response open and flush after each event",
};
const HTTP1: Rule = Rule {
    name: "http-1",
    severity: Severity::Note,
    why: "browsers open six connections per origin over HTTP/1: if six tabs have a stream open, nothing else loads",
    advice: "serve browsers over HTTP/2, which needs TLS; a proxy in front of the server can do that",
};
const PROXY: Rule = Rule {
    name: "through-a-proxy",
    severity: Severity::Note,
    why: "a proxy between server and client has its own buffers and time limits",
    advice: "also check the server without the proxy, and compare the two reports",
};
/// All checks of the status and the headers of the response.
pub(super) const CHECKS: [fn(&Observation) -> Option<Finding>; 8] =
    [status, content_type, cached, cache_control, accel_buffering, content_length, version, proxy];

/// Returns true if the response counts as an event stream. A response without a content type counts too, although
/// browsers refuse it.
pub(super) fn is_stream(observation: &Observation) -> bool {
    let has_type = |value: &str| essence(value).eq_ignore_ascii_case(EVENT_STREAM);
    observation.head.status == StatusCode::OK && value(observation, &CONTENT_TYPE).as_deref().is_none_or(has_type)
}

fn status(observation: &Observation) -> Option<Finding> {
    let status = observation.head.status;
    (status != StatusCode::OK).then(|| STATUS.broken(format!("status {status}")))
}

fn content_type(observation: &Observation) -> Option<Finding> {
    if observation.head.status != StatusCode::OK {
        return None;
    }
    let Some(value) = value(observation, &CONTENT_TYPE) else {
        return Some(NO_TYPE.broken("the response has no Content-Type"));
    };
    if !essence(&value).eq_ignore_ascii_case(EVENT_STREAM) {
        return Some(WRONG_TYPE.broken(line("Content-Type", &value)));
    }
    let charset = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charset = charset.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let is_other = |(_, charset): (&str, &str)| !charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8");
    charset.any(is_other).then(|| CHARSET.broken(line("Content-Type", &value)))
}

fn cached(observation: &Observation) -> Option<Finding> {
    value(observation, &AGE).map(|value| CACHED.broken(line("Age", &value)))
}

fn cache_control(observation: &Observation) -> Option<Finding> {
    let value = value(observation, &CACHE_CONTROL);
    let has =
        |name: &str| value.iter().flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(name));
    let rule = match (has("no-cache") || has("no-store"), has("no-transform")) {
        (true, true) => return None,
        (true, false) => &TRANSFORMABLE,
        (false, _) => &CACHEABLE,
    };
    Some(rule.broken(
        value.as_ref().map_or("the response has no Cache-Control".into(), |value| line("Cache-Control", value)),
    ))
}

fn accel_buffering(observation: &Observation) -> Option<Finding> {
    match value(observation, &X_ACCEL_BUFFERING) {
        Some(value) if value.eq_ignore_ascii_case("no") => None,
        Some(value) => Some(BUFFERING.broken(line("X-Accel-Buffering", &value))),
        None => Some(BUFFERING.broken("the response has no X-Accel-Buffering")),
    }
}

fn content_length(observation: &Observation) -> Option<Finding> {
    value(observation, &CONTENT_LENGTH).map(|value| FINITE.broken(line("Content-Length", &value)))
}

fn version(observation: &Observation) -> Option<Finding> {
    let version = observation.head.version;
    (version < Version::HTTP_2).then(|| HTTP1.broken(format!("{version:?}")))
}

fn proxy(observation: &Observation) -> Option<Finding> {
    let told = PASSED_THROUGH.into_iter().filter_map(|name| Some(line(name.as_str(), &value(observation, &name)?)));
    let told = told.collect::<Vec<_>>().join(", ");
    (!told.is_empty()).then(|| PROXY.broken(told))
}

/// Returns all values of a header, joined by commas; `None` if the response does not have the header.
pub(super) fn value(observation: &Observation, name: &HeaderName) -> Option<String> {
    let values = observation.head.headers.get_all(name).iter();
    let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Returns a header as a report shows it.
pub(super) fn line(name: &str, value: &str) -> String {
    format!("{name}: {}", excerpt(value.as_bytes()))
}

fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, observe::tests::observed};

    const GOOD: [(&str, &str); 3] = [
        ("content-type", "text/event-stream"),
        ("cache-control", "private, no-cache, no-store, no-transform, must-revalidate, max-age=0"),
        ("x-accel-buffering", "no"),
    ];

    fn found(observation: &Observation) -> Vec<&'static str> {
        names(CHECKS.iter().filter_map(|check| check(observation)))
    }

    #[test]
    fn each_check_has_its_header() {
        let cases: [(&'static str, Option<&'static str>, &[&str]); 20] = [
            ("x", None, &[]),
            ("content-type", None, &["content-type-missing"]),
            ("content-type", Some("text/html"), &["content-type-wrong"]),
            ("content-type", Some("application/x-ndjson; text/event-stream"), &["content-type-wrong"]),
            ("content-type", Some("Text/Event-Stream; charset=\"UTF-8\""), &[]),
            ("content-type", Some("text/event-stream;charset=utf-8;"), &[]),
            ("content-type", Some("text/event-stream; charset=iso-8859-1"), &["charset"]),
            ("cache-control", None, &["cache-control"]),
            ("cache-control", Some("no-transform, max-age=0"), &["cache-control"]),
            ("cache-control", Some("No-Cache"), &["no-transform"]),
            ("cache-control", Some("no-store, no-transform"), &[]),
            ("x-accel-buffering", None, &["x-accel-buffering"]),
            ("x-accel-buffering", Some("yes"), &["x-accel-buffering"]),
            ("x-accel-buffering", Some("No"), &[]),
            ("content-length", Some("7"), &["content-length"]),
            ("age", Some("7"), &["from-a-cache"]),
            ("via", Some("1.1 varnish"), &["through-a-proxy"]),
            ("x-cache", Some("MISS"), &["through-a-proxy"]),
            ("cf-ray", Some("x"), &["through-a-proxy"]),
            ("x-served-by", Some("x"), &["through-a-proxy"]),
        ];
        for (name, value, expected) in cases {
            let kept = GOOD.into_iter().filter(|(other, _)| *other != name);
            let headers: Vec<_> = kept.chain(value.map(|value| (name, value))).collect();
            assert_eq!(found(&observed(&headers, &[])), expected, "{name}: {value:?}");
        }
    }

    #[test]
    fn the_status_and_the_version_count() {
        let mut observation = observed(&GOOD, &[]);
        for (version, expected) in
            [(Version::HTTP_10, &["http-1"][..]), (Version::HTTP_11, &["http-1"]), (Version::HTTP_2, &[])]
        {
            observation.head.version = version;
            assert_eq!(found(&observation), expected);
        }
        // A response whose status is not 200 needs no content type.
        observation.head.headers.remove(CONTENT_TYPE);
        assert!(is_stream(&observation));
        for status in [204, 206, 302, 404, 503] {
            observation.head.status = StatusCode::from_u16(status).unwrap();
            assert_eq!((found(&observation), is_stream(&observation)), (vec!["status"], false), "{status}");
        }
    }
}
