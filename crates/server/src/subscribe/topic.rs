//! The topic API: `GET /topics/{topic}` and `GET /topics?topic=…`. Aliases are read here too: other paths at which
//! fixed topics are served.
use super::{Asking, EVENT_STREAM, Until, Wanted, gather, open};
use crate::{
    accept::{Acceptance, Range},
    app::App,
    auth::{Credentials, Purpose},
    cursor::{self, Cursor, LAST_EVENT_ID},
    form::Form,
    path::topic_of_path,
    problem::Problem,
};
use axum::{extract::State, response::Response};
use fanfare_hub::{representation::Representation, topic::matcher::Matcher};
use http::{HeaderMap, request::Parts};

/// Answers with the stream of the topics in the path and in the query.
///
/// # Errors
/// [`Problem`] if the request is refused.
pub async fn subscribe(State(app): State<App>, parts: Parts) -> Result<Response, Problem> {
    let credentials = app.auth.authenticate(&parts, Purpose::Subscribe).await?;
    let (wanted, request) = {
        let query = cursor::query_of(&parts.uri)?;
        let in_path = topic_of_path(&parts.uri)?;
        let topics: Vec<_> = in_path.as_deref().into_iter().chain(query.all("topic")).collect();
        want(&app, &parts, &credentials, &topics, &query)?
    };
    // The texts of the request are dropped before the stream is waited for.
    drop(parts);
    open(&app, request, credentials, wanted).await
}

/// Answers with the stream of the topics that an alias names.
pub(crate) async fn alias(app: &App, topics: &[String], parts: Parts) -> Result<Response, Problem> {
    let credentials = app.auth.authenticate(&parts, Purpose::Subscribe).await?;
    let topics: Vec<_> = topics.iter().map(String::as_str).collect();
    let (wanted, request) = want(app, &parts, &credentials, &topics, &cursor::query_of(&parts.uri)?)?;
    drop(parts);
    open(app, request, credentials, wanted).await
}

/// Reads what a request for these topics asks for.
fn want(
    app: &App,
    parts: &Parts,
    credentials: &Credentials,
    topics: &[&str],
    query: &Form,
) -> Result<(Wanted, Asking), Problem> {
    let has_token = credentials.signer.is_some();
    let matchers = gather(app, has_token, topics.iter().map(|topic| Ok(Matcher::exact(topic)?)))?;
    let cursor = Cursor::of(&parts.headers, &[query]).or_rewind(&[query], topics.len(), app.hub.now())?;
    let representation = representation(&parts.headers, query)?;
    let wanted =
        Wanted { matchers, cursor, representation, cursor_header: LAST_EVENT_ID, until: until(query, representation)? };
    Ok((wanted, Asking::of(parts)))
}

/// Reads the parameter `until`. With `until=now`, the stream ends after the updates that are already in the log, and an
/// event stream with the place that it has reached. Lines of JSON end with this place only if the query has the
/// parameter `place`: their reader may expect that each line is an update.
fn until(query: &Form, representation: Representation) -> Result<Until, Problem> {
    match query.get("until") {
        None => Ok(Until::Closed),
        Some("now") => Ok(Until::Now { tells_place: representation.has_start_events() || query.has("place") }),
        Some(_) => Err(Problem::Until),
    }
}

/// Returns the format of the stream. It is lines of JSON if `Accept` gives this type a higher weight than an event
/// stream, or the same weight and its full name. Otherwise it is an event stream, unless `Accept` refuses event
/// streams.
fn representation(headers: &HeaderMap, query: &Form) -> Result<Representation, Problem> {
    let lines = Acceptance::of(headers, "application/x-ndjson").filter(|lines| lines.weight > 0);
    let events = Acceptance::of(headers, EVENT_STREAM);
    let prefers_lines = lines.is_some_and(|lines| match events {
        Some(events) if events.weight == lines.weight => lines.range == Range::Exact,
        events => lines.weight > events.map_or(0, |events| events.weight),
    });
    if prefers_lines {
        Ok(Representation::JsonLines)
    } else if Acceptance::is_refusal(events) {
        Err(Problem::NotAcceptable { available: "text/event-stream or application/x-ndjson" })
    } else if query.has("envelope") {
        Ok(Representation::Envelope)
    } else {
        Ok(Representation::EventStream)
    }
}
