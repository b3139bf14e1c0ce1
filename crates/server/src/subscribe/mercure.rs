//! `GET /.well-known/mercure`, in both revisions of the protocol. A request with a matcher (`match…=`) belongs to the
//! newer revision. Any other request belongs to the older revision, whose selectors are given as `topic=`.
//!
//! With the parameter `envelope`, each update is sent as an unnamed event, whose data is JSON with the update's topics,
//! type, ID, data and time, as with `envelope` in the topic API. The hub's own page uses this to subscribe to patterns,
//! which the topic API does not have.
//!
//! `QUERY` ([RFC 10008](https://www.rfc-editor.org/rfc/rfc10008)) does the same with a form as its body, for clients
//! whose parameters do not fit into a URL.
use super::{Asking, EVENT_STREAM, Until, Wanted, gather, open};
use crate::{
    accept::Acceptance,
    app::App,
    auth::{Credentials, Purpose},
    body::{Roomed, collect, collect_of_stranger, strangers::MAX_STRANGERS_BYTES},
    cursor::{self, Cursor, LAST_EVENT_ID, MERCURE_LAST_EVENT_ID},
    delivery::head,
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

/// Answers with the stream of the updates that match the request's matchers or selectors.
///
/// # Errors
/// [`Problem`] if the request is refused.
pub async fn subscribe(State(app): State<App>, parts: Parts) -> Result<Response, Problem> {
    let credentials = app.auth.authenticate(&parts, Purpose::Subscribe).await?;
    let query = cursor::query_of(&parts.uri)?;
    let cursor = Cursor::of(&parts.headers, &[&query]);
    stream(&app, parts, credentials, query, cursor).await
}

/// Answers a `QUERY`. Its query string and its body are read together. If a parameter may have only one value, and both
/// the query string and the body give it, the value in the query string counts.
///
/// # Errors
/// [`Problem`] if the request is refused.
pub(crate) async fn query(app: App, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // The sender is authenticated before its body is read.
    let credentials = app.auth.authenticate(&parts, Purpose::Subscribe).await?;
    require_form(&parts.headers)?;
    let query = cursor::query_of(&parts.uri)?;
    let body = if credentials.signer.is_some() {
        Roomed::from(collect(&app, &parts.headers, body).await?)
    } else if let Some(body) = collect_of_stranger(&app, &parts.headers, body).await? {
        body
    } else {
        if app.crowded_by_bodies.is_due() {
            tracing::warn!(
                limit = MAX_STRANGERS_BYTES,
                "the bodies of QUERY requests without a token take too much memory: such a subscriber is asked to come \
                 back later"
            );
        }
        return head::come_back_later(Representation::EventStream);
    };
    let form = cursor::form(&body.bytes)?;
    let cursor = Cursor::of(&parts.headers, &[&query, &form]);
    let form = query.and(form)?;
    let Some((wanted, request)) = want(&app, &parts, &credentials, &form, cursor).await? else {
        return head::come_back_later(Representation::EventStream);
    };
    drop((parts, form, body));
    open(&app, request, credentials, wanted).await
}

async fn stream(
    app: &App,
    parts: Parts,
    credentials: Credentials,
    query: Form,
    cursor: Cursor,
) -> Result<Response, Problem> {
    let Some((wanted, request)) = want(app, &parts, &credentials, &query, cursor).await? else {
        return head::come_back_later(Representation::EventStream);
    };
    // The subscriber may wait long for the log. Only the matchers of its request are in memory then.
    drop((parts, query));
    open(app, request, credentials, wanted).await
}

/// Reads what a request asks for. Returns `None` if its sender has no token, and the patterns of too many such requests
/// wait to be compiled.
async fn want(
    app: &App,
    parts: &Parts,
    credentials: &Credentials,
    query: &Form,
    cursor: Cursor,
) -> Result<Option<(Wanted, Asking)>, Problem> {
    Acceptance::require(&parts.headers, EVENT_STREAM)?;
    let newer = query.iter().any(|(name, _)| names_a_matcher(name));
    let is_meant = |name: &str| if newer { names_a_matcher(name) } else { name == "topic" };
    let named: Vec<_> = query.iter().filter(|(name, _)| is_meant(name)).collect();
    let has_token = credentials.signer.is_some();
    let is_known = |(name, text): &(&str, &str)| match *name {
        "topic" => Matcher::is_known_selector(text),
        "match_urlpattern" => Matcher::is_known_url_pattern(text, &app.base_url),
        _ => true,
    };
    let matchers = if has_token || named.len() > app.settings.max_topics || named.iter().all(is_known) {
        gather(app, has_token, named.into_iter().map(|(name, text)| matcher(app, name, text)))?
    } else {
        let owned: Vec<_> = named.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let compiler = app.clone();
        let compile = move || gather(&compiler, false, owned.iter().map(|(name, text)| matcher(&compiler, name, text)));
        match app.compiling.in_turn(compile).await {
            Some(matchers) => matchers?,
            None => return Ok(None),
        }
    };
    let cursor = cursor.or_rewind(&[query], matchers.as_slice().len(), app.hub.now())?;
    let wanted = Wanted {
        matchers,
        cursor,
        representation: if query.has("envelope") { Representation::Envelope } else { Representation::EventStream },
        cursor_header: if newer { MERCURE_LAST_EVENT_ID } else { LAST_EVENT_ID },
        until: Until::Closed,
    };
    Ok(Some((wanted, Asking::of(parts))))
}

/// Returns true if the name of a parameter begins with `match`, in upper or lower case. All such names are reserved for
/// types of matchers. So a parameter with a type that the hub does not know is an error: if it were ignored, the
/// subscription would have fewer topics than the request wanted.
fn names_a_matcher(name: &str) -> bool {
    name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("match"))
}

fn matcher(app: &App, name: &str, value: &str) -> Result<Matcher, Problem> {
    match name {
        "topic" => Ok(Matcher::legacy_selector(value)?),
        "match" | "match_exact" => Ok(Matcher::exact(value)?),
        "match_urlpattern" => Ok(Matcher::url_pattern(value, &app.base_url)?),
        unknown => Err(Problem::MatcherType(unknown.chars().take(64).collect())),
    }
}
