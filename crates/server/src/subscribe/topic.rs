//! `GET /topics/{topic}` and `GET /topics?topic=…`: the topic API, and the aliases of other paths.
use super::{Until, Wanted, gather, open};
use crate::{
    app::App,
    cursor::{Cursor, LAST_EVENT_ID},
    form::Form,
    path::topic_of_path,
    problem::Problem,
};
use axum::{extract::State, response::Response};
use fanfare_hub::{topic::matcher::Matcher, wire::Representation};
use http::{HeaderMap, header, request::Parts};

/// Answers with the stream of the topic in the path and of those in the query.
///
/// # Errors
/// [`Problem`] says why there is none.
pub async fn subscribe(State(app): State<App>, parts: Parts) -> Result<Response, Problem> {
    let query = Form::of_query(&parts.uri)?;
    let in_path = topic_of_path(&parts.uri)?;
    let topics: Vec<_> = in_path.as_deref().into_iter().chain(query.all("topic")).collect();
    stream(&app, &topics, &parts, &query).await
}

/// Answers with the stream that an alias stands for.
pub(crate) async fn alias(app: &App, topics: &[String], parts: &Parts) -> Result<Response, Problem> {
    let topics: Vec<_> = topics.iter().map(String::as_str).collect();
    stream(app, &topics, parts, &Form::of_query(&parts.uri)?).await
}

async fn stream(app: &App, topics: &[&str], parts: &Parts, query: &Form) -> Result<Response, Problem> {
    let wanted = Wanted {
        matchers: gather(app, topics.iter().map(|topic| Ok(Matcher::exact(topic)?)))?,
        cursor: Cursor::of(&parts.headers, query)?,
        representation: representation(&parts.headers, query),
        cursor_header: LAST_EVENT_ID,
        until: until(query)?,
    };
    open(app, parts, wanted).await
}

/// `until=now` asks for what is held and no more.
fn until(query: &Form) -> Result<Until, Problem> {
    match query.get("until") {
        None => Ok(Until::Closed),
        Some("now") => Ok(Until::Now),
        Some(_) => Err(Problem::Until),
    }
}

fn representation(headers: &HeaderMap, query: &Form) -> Representation {
    let accepts_lines = headers.get_all(header::ACCEPT).iter().any(|accept| {
        // A byte that is no text, in a parameter of one type, says nothing of the others.
        let accept = String::from_utf8_lossy(accept.as_bytes());
        accept.split(',').map(essence).any(|essence| essence.eq_ignore_ascii_case("application/x-ndjson"))
    });
    if accepts_lines {
        Representation::JsonLines
    } else if query.has("envelope") {
        Representation::Envelope
    } else {
        Representation::EventStream
    }
}

/// A media type without its parameters.
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
