//! `GET /.well-known/mercure`, both revisions of the protocol. A request that names a matcher (`match…=`) is of the newer
//! revision, any other of the older one, whose selectors come as `topic=`.
use super::{Until, Wanted, gather, open};
use crate::{
    app::App,
    cursor::{Cursor, LAST_EVENT_ID, MERCURE_LAST_EVENT_ID},
    form::Form,
    problem::Problem,
};
use axum::{extract::State, response::Response};
use fanfare_hub::{topic::matcher::Matcher, wire::Representation};
use http::request::Parts;

/// Answers with the stream of what matches.
///
/// # Errors
/// [`Problem`] says why there is none.
pub async fn subscribe(State(app): State<App>, parts: Parts) -> Result<Response, Problem> {
    let query = Form::of_query(&parts.uri)?;
    let newer = query.iter().any(|(name, _)| names_a_matcher(name));
    let matchers = if newer {
        let named: Vec<_> = query.iter().filter(|(name, _)| names_a_matcher(name)).collect();
        gather(&app, named.into_iter().map(|(name, value)| newer_matcher(&app, name, value)))?
    } else {
        let selectors: Vec<_> = query.all("topic").collect();
        gather(&app, selectors.into_iter().map(|selector| Ok(Matcher::legacy_selector(selector)?)))?
    };
    let wanted = Wanted {
        matchers,
        cursor: Cursor::of(&parts.headers, &query)?,
        representation: Representation::EventStream,
        cursor_header: if newer { MERCURE_LAST_EVENT_ID } else { LAST_EVENT_ID },
        until: Until::Closed,
    };
    open(&app, &parts, wanted).await
}

/// Every name that begins so, in whatever case, is kept for types of matchers, so that a type that the hub does not know
/// is an error and never a subscription to less than was asked for.
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
