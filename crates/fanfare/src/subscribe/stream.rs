//! The way of one subscription: ask, read, and when the connection is lost ask again from the last event ID, as
//! [WHATWG HTML, 9.2.3](https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model) has it.
//!
//! It departs from an `EventSource` in two ways, both for people at a terminal: the first attempt must succeed, so that a
//! wrong address is told at once; and after that an answer that the server is overloaded or failing (429, 5xx) is waited
//! out, as a restart behind a proxy is.
use super::{
    SubscribeError,
    output::Output,
    received::Received,
    source::{Source, stream_uri},
};
use crate::{
    config::Secret,
    http::{self, Http, Refusal},
};
use fanfare_event_stream::{Chunk, EventId, Parser};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION},
};
use std::{ops::ControlFlow, time::Duration};
use url::Url;

/// How long to wait before asking again, where the server has not said.
const RECONNECTION_TIME: Duration = Duration::from_secs(3);
/// The longest wait that failed attempts, each of which doubles it, lead to; the server may tell a longer one.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// How often an answer may send on: as often as browsers follow.
const MAX_REDIRECTS: usize = 20;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How an attempt ended without an event stream.
enum Attempt {
    /// The server says that there will be no more (204).
    Stop,
    /// Another attempt may succeed.
    Retry(SubscribeError),
    /// No attempt will.
    Fail(SubscribeError),
}

/// Prints the events of `source` until the output has enough or the server says stop.
///
/// # Errors
/// [`SubscribeError`] if the first attempt fails, or a later one in a way that will not change.
pub(super) async fn follow(
    source: Source,
    token: Option<Secret>,
    last_event_id: Option<String>,
    mut output: Output,
) -> Result<(), SubscribeError> {
    let mut parser = Parser::new();
    if let Some(id) = last_event_id {
        let id = EventId::new(id.as_str()).map_err(|_| SubscribeError::LastEventId { id })?;
        parser = parser.resuming_from(&id);
    }
    let (mut opened, mut failures) = (false, 0);
    loop {
        match connect(&source.uri, token.as_ref(), parser.last_event_id()).await {
            Ok(answer) => {
                (opened, failures) = (true, 0);
                parser.reset();
                if read(answer, &mut parser, source.enveloped, &mut output).await?.is_break() {
                    return Ok(());
                }
                notice("the connection was lost");
            }
            Err(Attempt::Stop) => return Ok(()),
            Err(Attempt::Fail(error)) => return Err(error),
            Err(Attempt::Retry(error)) if !opened => return Err(error),
            Err(Attempt::Retry(error)) => {
                failures += 1;
                notice(&error.to_string());
            }
        }
        let wait = wait(parser.reconnection_time().unwrap_or(RECONNECTION_TIME), failures);
        notice(&format!("asking again in {:.1} s", wait.as_secs_f64()));
        tokio::time::sleep(wait).await;
    }
}

/// Prints the events of one answer. Breaks when the output has enough, continues when the connection ends.
async fn read(
    answer: Response<Incoming>,
    parser: &mut Parser,
    enveloped: bool,
    output: &mut Output,
) -> Result<ControlFlow<()>, SubscribeError> {
    let mut body = answer.into_body();
    // A connection that breaks is not told from one that ends: either way the rest is asked for.
    while let Some(Ok(frame)) = body.frame().await {
        let Some(bytes) = frame.data_ref() else { continue };
        let mut chunk = Chunk::new(bytes);
        while let Some(event) = parser.next_event(&mut chunk).map_err(SubscribeError::Parse)? {
            if output.print(&Received::new(&event, enveloped))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if output.flush()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

async fn connect(uri: &Uri, token: Option<&Secret>, last_event_id: &str) -> Result<Response<Incoming>, Attempt> {
    let mut uri = uri.clone();
    let mut token = token;
    for _ in 0..=MAX_REDIRECTS {
        let request = request(&uri, last_event_id).map_err(Attempt::Fail)?;
        let http = Http::new(&uri, token).map_err(|error| Attempt::Fail(error.into()))?;
        let answer = match http.send(request).await {
            Ok(answer) => answer,
            Err(error) => return Err(Attempt::Retry(error.into())),
        };
        match redirect(&uri, &answer) {
            Some(target) => {
                let target = stream_uri(&target).map_err(Attempt::Fail)?;
                if (uri.scheme(), uri.authority()) != (target.scheme(), target.authority()) {
                    // The token is for the server that was named.
                    token = None;
                }
                uri = target;
            }
            None => return accept(answer).await,
        }
    }
    Err(Attempt::Fail(SubscribeError::TooManyRedirects { limit: MAX_REDIRECTS }))
}

fn request(uri: &Uri, last_event_id: &str) -> Result<Request<Full<Bytes>>, SubscribeError> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri.clone();
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    request.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if !last_event_id.is_empty() {
        // The bytes go out as they are, beyond ASCII too; control characters cannot.
        let id = HeaderValue::from_bytes(last_event_id.as_bytes())
            .map_err(|_| SubscribeError::LastEventId { id: last_event_id.to_owned() })?;
        request.headers_mut().insert(LAST_EVENT_ID, id);
    }
    Ok(request)
}

/// Where the answer sends on, if it does.
fn redirect(uri: &Uri, answer: &Response<Incoming>) -> Option<String> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = str::from_utf8(answer.headers().get(LOCATION)?.as_bytes()).ok()?;
    Url::parse(&uri.to_string()).ok()?.join(location).ok().map(String::from)
}

async fn accept(answer: Response<Incoming>) -> Result<Response<Incoming>, Attempt> {
    let status = answer.status();
    if status == StatusCode::NO_CONTENT {
        return Err(Attempt::Stop);
    }
    if status != StatusCode::OK {
        let reason = http::read_text(answer.into_body()).await.unwrap_or_default();
        let error = SubscribeError::Refused(Refusal::new(status, &reason));
        let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        return Err(if passing { Attempt::Retry(error) } else { Attempt::Fail(error) });
    }
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/event-stream") {
        return Ok(answer);
    }
    Err(Attempt::Fail(SubscribeError::NoEventStream { content_type: content_type.to_owned() }))
}

/// The told time, doubled with each failed attempt.
fn wait(told: Duration, failures: u32) -> Duration {
    let doubled = told.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
    doubled.min(MAX_BACKOFF.max(told))
}

fn notice(text: &str) {
    let style = anstyle::Style::new().dimmed();
    anstream::eprintln!("{style}fanfare: {text}{style:#}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest_and_never_undercuts_what_was_told() {
        let seconds = Duration::from_secs;
        let cases = [
            (3, 0, 3),
            (3, 1, 6),
            (3, 4, 48),
            (3, 5, 60),
            (3, 31, 60),
            (3, 32, 60),
            (90, 0, 90),
            (90, 9, 90),
            (0, 40, 0),
        ];
        for (told, failures, wanted) in cases {
            assert_eq!(wait(seconds(told), failures), seconds(wanted), "{told} s after {failures} failures");
        }
    }

    /// C11: set if and only if it is not empty, as raw UTF-8.
    #[test]
    fn only_a_last_event_id_that_is_not_empty_is_sent() {
        let uri: Uri = "http://127.0.0.1/".parse().unwrap();
        assert!(!request(&uri, "").unwrap().headers().contains_key(LAST_EVENT_ID));
        assert_eq!(request(&uri, "…").unwrap().headers()[LAST_EVENT_ID].as_bytes(), [0xE2, 0x80, 0xA6]);
        assert!(matches!(request(&uri, "\u{c}"), Err(SubscribeError::LastEventId { .. })));
    }
}
