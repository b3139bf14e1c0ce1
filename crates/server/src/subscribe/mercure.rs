//! `GET /.well-known/mercure`, both revisions of the protocol. A request that names a matcher (`match…=`) is of the
//! newer revision, any other of the older one, whose selectors come as `topic=`.
//!
//! `envelope` asks for each update as an unnamed event that holds its topics, type, ID, data and time as JSON, as in
//! the topic API: the hub's own page subscribes to patterns with it.
//!
//! `QUERY` ([RFC 10008](https://www.rfc-editor.org/rfc/rfc10008)) asks for the same with a form as its body, for those
//! who want more than fits a URL.
use super::{EVENT_STREAM, Until, Wanted, gather, open};
use crate::{
    accept::Acceptance,
    app::App,
    auth::Purpose,
    body::collect,
    cursor::{self, Cursor, LAST_EVENT_ID, MERCURE_LAST_EVENT_ID},
    form::Form,
    media_type::require_form,
    problem::Problem,
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use fanfare_hub::{representation::Representation, topic::matcher::Matcher};
use http::request::Parts;

/// Answers with the stream of what matches.
///
/// # Errors
/// [`Problem`] says why there is none.
pub async fn subscribe(State(app): State<App>, parts: Parts) -> Result<Response, Problem> {
    let query = cursor::query_of(&parts.uri)?;
    stream(&app, &parts, &query, Cursor::of(&parts.headers, &[&query])).await
}

/// The same for a `QUERY`, whose query string and body are taken together. Where both say the same thing once, the
/// query string does.
///
/// # Errors
/// [`Problem`] says why there is no stream.
pub(crate) async fn query(app: App, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Before a body of somebody unknown is read.
    app.auth.authenticate(&parts, Purpose::Subscribe).await?;
    require_form(&parts.headers)?;
    let (query, body) = (cursor::query_of(&parts.uri)?, cursor::form(&collect(&app, &parts.headers, body).await?)?);
    let cursor = Cursor::of(&parts.headers, &[&query, &body]);
    stream(&app, &parts, &query.and(body)?, cursor).await
}

async fn stream(app: &App, parts: &Parts, query: &Form, cursor: Cursor) -> Result<Response, Problem> {
    Acceptance::require(&parts.headers, EVENT_STREAM)?;
    let newer = query.iter().any(|(name, _)| names_a_matcher(name));
    let matchers = if newer {
        let named: Vec<_> = query.iter().filter(|(name, _)| names_a_matcher(name)).collect();
        gather(app, named.into_iter().map(|(name, value)| newer_matcher(app, name, value)))?
    } else {
        let selectors: Vec<_> = query.all("topic").collect();
        gather(app, selectors.into_iter().map(|selector| Ok(Matcher::legacy_selector(selector)?)))?
    };
    let cursor = cursor.or_rewind(&[query], matchers.as_slice().len(), app.hub.now())?;
    let wanted = Wanted {
        matchers,
        cursor,
        representation: if query.has("envelope") { Representation::Envelope } else { Representation::EventStream },
        cursor_header: if newer { MERCURE_LAST_EVENT_ID } else { LAST_EVENT_ID },
        until: Until::Closed,
    };
    open(app, parts, wanted).await
}

/// Every name that begins so, in whatever case, is kept for types of matchers, so that a type that the hub does not
/// know is an error and never a subscription to less than was asked for.
fn names_a_matcher(name: &str) -> bool {
    name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("match"))
}

fn newer_matcher(app: &App, name: &str, value: &str) -> Result<Matcher, Problem> {
    match name {
        "match" | "match_exact" => Ok(Matcher::exact(value)?),
        "match_urlpattern" => Ok(Matcher::url_pattern(value, &app.base_url)?),
        unknown => Err(Problem::MatcherType(unknown.chars().take(64).collect())),
    }
}
