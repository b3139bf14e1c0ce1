//! Recognises an event that reports that the server's answer failed, as in the answers of language models: once the
//! status 200 is sent, a server can report an error only in an event.
use super::{args::SubscribeArgs, json::Json, received::Received};
use crate::{http::excerpt, request::Source};

/// The event type, or the value of the field `type` or `object` in JSON data, that reports an error.
const ERROR: &str = "error";
/// The event type, or the value of the field `type` in JSON data, that reports an error in an answer whose event types
/// begin with `response`.
const FAILED: &str = "response.failed";

/// The reaction of the command to an event that looks like a report of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heeded {
    /// The command treats an event that looks like a report of an error like any other event. This is the reaction for
    /// a hub and for a stream with `--state`, because their publishers may give such an event another meaning, and if
    /// the user selects error events.
    Nowhere,
    /// The command continues after an event that looks like a report of an error, because the stream may have no end,
    /// and an application may give the event another meaning. When the command ends, its exit code reports the error.
    AtTheEnd,
    /// The command ends at once, because all events are parts of one answer, which is useless if it is not complete.
    /// This is the reaction if the request is not repeated, such as a POST, or if the user has given the end or the
    /// form of the answer (`--until`, `--field`, `--join`).
    AtOnce,
}

/// Returns the reaction to an event of `source` that looks like a report of an error.
pub(super) fn heeded(source: &Source, args: &SubscribeArgs) -> Heeded {
    let is_sent_once = !args.request.message.is_safe();
    let select = &args.select;
    let is_known = select.until.is_some() || select.field.is_some() || args.print.join;
    let wants_errors = select.types.iter().any(|name| name == ERROR || name == FAILED)
        || select.field.as_ref().is_some_and(|field| field.first() == ERROR);
    if source.is_enveloped() || args.resume.state.is_some() || wants_errors {
        Heeded::Nowhere
    } else if is_sent_once || is_known {
        Heeded::AtOnce
    } else {
        Heeded::AtTheEnd
    }
}

/// Returns the reason of the failure if `event` says that the answer failed; otherwise `None`.
pub(super) fn reason(event: &Received) -> Option<String> {
    let is_named = matches!(event.event_type.as_str(), ERROR | FAILED);
    let object = Json::parse(&event.data).filter(|data| data.is_object());
    let says_so = |data: Json<'_>| {
        let is =
            |name: &str| data.member(name).and_then(Json::string).is_some_and(|kind| kind == ERROR || kind == FAILED);
        is("type") || is("object") || data.member(ERROR).is_some_and(|error| !error.is_nothing())
    };
    if !is_named && !object.is_some_and(says_so) {
        return None;
    }
    let said = object.map_or_else(|| event.data.clone(), message);
    Some(if said.is_empty() { "the event does not say why".to_owned() } else { excerpt(&said) })
}

/// Returns the text of an error object: its kind and its message, wherever they are in the object.
fn message(data: Json<'_>) -> String {
    let error = data.member(ERROR).filter(|error| !error.is_nothing());
    let error = error.or_else(|| data.member("response")?.member(ERROR)).unwrap_or(data);
    let text = |name: &str| error.member(name).filter(|value| !value.is_nothing()).map(Json::text);
    let message = ["message", "detail", "reason"].iter().find_map(|name| text(name));
    let kind = ["type", "code", "status"].iter().find_map(|name| text(name).filter(|kind| kind != ERROR));
    match (kind, message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message,
        (_, None) => error.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(event_type: &str, data: &str) -> Option<String> {
        super::reason(&Received { event_type: event_type.into(), data: data.into(), ..Received::default() })
    }

    #[test]
    fn what_servers_say_of_errors_is_understood() {
        let cases = [
            (
                "message",
                r#"{"error":{"message":"slow down","type":"rate_limit","code":null}}"#,
                "rate_limit: slow down",
            ),
            (
                "error",
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                "overloaded_error: Overloaded",
            ),
            ("message", r#"{"error":{"code":503,"message":"full","status":"UNAVAILABLE"}}"#, "503: full"),
            ("message", r#"{"error":"model not found"}"#, "model not found"),
            ("error", "out of memory", "out of memory"),
            ("error", "", "the event does not say why"),
            ("message", r#"{"object":"error","message":"too long","code":400}"#, "400: too long"),
            ("error", r#"{"type":"error","code":"server_error","message":"sorry"}"#, "server_error: sorry"),
            (
                "response.failed",
                r#"{"type":"response.failed","response":{"error":{"code":"x","message":"y"}}}"#,
                "x: y",
            ),
            ("message", r#"{"choices":[{"delta":{"content":""}}],"error":{"code":502,"message":"gone"}}"#, "502: gone"),
            ("message", r#"{"error":[1.10]}"#, "[1.10]"),
            ("error", "a\u{1b}[31m", "a\\u{1b}[31m"),
        ];
        for (event_type, data, said) in cases {
            assert_eq!(reason(event_type, data).as_deref(), Some(said), "{data}");
        }
        let fine = [
            r#"{"error":null,"choices":[]}"#,
            r#"{"error":false}"#,
            r#"{"error":""}"#,
            r#"{"type":"message"}"#,
            r#"{"text":"error"}"#,
            r#"["error"]"#,
            "error",
            "",
        ];
        for data in fine {
            assert_eq!(reason("message", data), None, "{data}");
        }
    }
}
