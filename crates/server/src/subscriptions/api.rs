//! `GET …/subscriptions`: the active subscriptions. Each revision of Mercure has three kinds of path: all
//! subscriptions, the subscriptions with one matcher, and a single subscription.
//!
//! An answer contains all changes that happened before the request. It also has a cursor, which is an event ID: a
//! client that then subscribes with this ID as its last event ID gets all later changes. If the answer has several
//! pages, the client must use the cursor of the first page.
use super::{
    ActiveSubscriptions,
    document::{Collection, SUBSCRIPTIONS, Shape, Subscription, name, path},
    index::Index,
    page::{Page, Selection, candidates},
    subscriber::Subscriber,
};
use crate::{
    accept::{Acceptance, Range},
    app::App,
    auth::{AuthError, Purpose, Revision},
    form::Form,
    hub_path::HUB_PATH,
    problem::Problem,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use fanfare_hub::topic::Topic;
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use uuid::Uuid;

/// The types of matchers that may stand in a path.
const MATCH_TYPES: [&str; 3] = ["exact", "urlpattern", "uritemplate"];

/// The contents of a request's path: the subscriptions that the request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    shape: Shape,
    /// The path in its normal encoding. The request may encode it differently.
    path: String,
    selection: Selection,
    /// The name of the subscriber, if the path asks for a single subscription.
    subscriber: Option<String>,
}

/// Answers with the subscriptions that the path asks for.
///
/// # Errors
/// [`Problem`] if the token does not allow subscribing to the path, or if there is nothing at the path.
pub async fn get(State(app): State<App>, parts: Parts) -> Result<Response, Problem> {
    let credentials = app.auth.authenticate(&parts, Purpose::Subscribe).await?;
    let asked = Asked::of(parts.uri.path(), shape_of_all(credentials.revision, &parts.headers));
    let path = asked.as_ref().map_or(parts.uri.path(), |asked| &asked.path);
    if !Topic::new(path).is_ok_and(|path| credentials.grant.subscribe.matches(&path)) {
        return Err(app.auth.refuse(&credentials, AuthError::Insufficient).into());
    }
    let active = app.subscriptions.as_ref().ok_or(Problem::NotFound)?;
    let asked = asked.ok_or(Problem::NotFound)?;
    Acceptance::require(&parts.headers, asked.shape.content_type())?;
    let start = match Form::of_query(&parts.uri)?.get("page") {
        Some(page) => Some(Uuid::try_parse(page).map_err(|_| Problem::Page)?),
        None => None,
    };
    active.all_told().await?;
    asked.answer(active, start, &parts.headers)
}

/// Returns the shape of the document of all subscriptions, whose path is the same in both revisions. It is the older
/// shape if the token is of the older revision, or if `Accept` prefers JSON-LD.
fn shape_of_all(revision: Revision, headers: &HeaderMap) -> Shape {
    let [json_ld, json] = ["application/ld+json", "application/json"].map(|kind| Acceptance::of(headers, kind));
    // JSON-LD counts only if `Accept` names it in full: a client that accepts every type has not asked for JSON-LD.
    let named = json_ld.is_some_and(|json_ld| json_ld.range == Range::Exact && json_ld.weight > 0);
    let wants_json_ld = named && json_ld.map(|json_ld| json_ld.weight) >= json.map(|json| json.weight);
    if revision == Revision::Legacy || wants_json_ld { Shape::Legacy } else { Shape::Modern }
}

impl Asked {
    /// Reads the path `requested`; `None` if it is not a path of subscriptions. The number of parts after the path of
    /// all subscriptions decides which shape the answer has. Only two parts may have two meanings: a type and a matcher
    /// in the newer shape, or a topic and a subscriber in the older shape. If both meanings are possible, the shape is
    /// `of_all`, the shape of the document of all subscriptions.
    fn of(requested: &str, of_all: Shape) -> Option<Self> {
        let rest = requested.strip_prefix(HUB_PATH)?.strip_prefix(SUBSCRIPTIONS)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let parts: Vec<_> = rest.split('/').skip(1).map(|part| percent_decode_str(part).decode_utf8().ok()).collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let of_type = |kind: &str, text: &str| Selection::Matcher { match_type: Some(kind.into()), text: text.into() };
        let of_topic = |text: &str| Selection::Matcher { match_type: None, text: text.into() };
        let is_type = |kind: &str| MATCH_TYPES.contains(&kind);
        let (shape, selection, subscriber) = match parts[..] {
            [] => (of_all, Selection::All, None),
            [topic] => (Shape::Legacy, of_topic(topic), None),
            [kind, text] if is_type(kind) && of_all == Shape::Modern => (Shape::Modern, of_type(kind, text), None),
            [topic, subscriber] => (Shape::Legacy, of_topic(topic), Some(subscriber)),
            [kind, text, subscriber] if is_type(kind) => (Shape::Modern, of_type(kind, text), Some(subscriber)),
            _ => return None,
        };
        Some(Self { shape, path: path(&parts), selection, subscriber: subscriber.map(str::to_owned) })
    }

    fn answer(
        self,
        active: &ActiveSubscriptions,
        start: Option<Uuid>,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let reading = active.read(|index| match &self.subscriber {
            Some(name) => self.single(index, name).into_iter().collect(),
            None => candidates(index, &self.selection, start),
        });
        let (found, cursor) = (reading.found, reading.cursor);
        let (body, next) = match (&self.subscriber, found.first()) {
            (Some(_), None) => return Err(Problem::NotFound),
            (Some(_), Some(subscriber)) => {
                let index = self.selection.of(subscriber).next().ok_or(Problem::NotFound)?;
                (json(&Subscription::new(self.shape, subscriber, index, true).at(&cursor)), None)
            }
            (None, _) => {
                let page = Page::of(self.shape, &found, &self.selection);
                (json(&Collection::new(self.shape, &self.path, &cursor, page.subscriptions)), page.next)
            }
        };
        // The two documents of all subscriptions, one in each shape, have the same URL, so their entity tags must
        // differ.
        let tag = format!("W/\"{}-{:?}\"", reading.version, self.shape);
        let is_known = knows(headers, &tag);
        let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
        let into = response.headers_mut();
        into.insert(header::ETAG, HeaderValue::try_from(tag).expect("printable ASCII"));
        into.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        into.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie"));
        if !is_known {
            into.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.shape.content_type()));
        }
        self.link(into, &cursor, next);
        Ok(response)
    }

    /// Returns the subscriber with the name `name_asked`, if it has a subscription that the path asks for.
    fn single(&self, index: &Index, name_asked: &str) -> Option<Arc<Subscriber>> {
        let id = Uuid::try_parse(name_asked).ok()?;
        let subscriber = index.get(id).filter(|_| name(id) == name_asked)?;
        self.selection.of(subscriber).next().map(|_| subscriber.clone())
    }

    fn link(&self, headers: &mut HeaderMap, cursor: &str, next: Option<Uuid>) {
        let add = |headers: &mut HeaderMap, link: String| {
            headers.append(header::LINK, HeaderValue::try_from(link).expect("paths and IDs of the hub are ASCII"));
        };
        if self.shape == Shape::Modern {
            let attributes = r#"type="mercure"; content-type="application/json""#;
            add(headers, format!(r#"<{HUB_PATH}>; rel="mercure"; last-event-id="{cursor}"; {attributes}"#));
        }
        if let Some(next) = next {
            add(headers, format!(r#"<{}?page={next}>; rel="next""#, self.path));
        }
    }
}

/// Returns true if the client already has the version of the document that has this entity tag.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let mut tags = headers.get_all(header::IF_NONE_MATCH).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    tags.any(|tags| tags.split(',').map(str::trim).any(|known| known == "*" || known == tag))
}

fn json(document: &impl serde::Serialize) -> String {
    serde_json::to_string(document).expect("strings and JSON make JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_is_asked_for() {
        let topic = |text: &str| Selection::Matcher { match_type: None, text: text.into() };
        let typed = |kind: &str, text: &str| Selection::Matcher { match_type: Some(kind.into()), text: text.into() };
        let (legacy, modern) = (Shape::Legacy, Shape::Modern);
        let cases = [
            ("", modern, Some((modern, Selection::All, None))),
            ("", legacy, Some((legacy, Selection::All, None))),
            ("/a%2Fb%2520", modern, Some((legacy, topic("a/b%20"), None))),
            ("/exact/a", modern, Some((modern, typed("exact", "a"), None))),
            ("/exact/a", legacy, Some((legacy, topic("exact"), Some("a")))),
            ("/books/urn%3Ax", modern, Some((legacy, topic("books"), Some("urn:x")))),
            ("/urlpattern/%2A/x", legacy, Some((modern, typed("urlpattern", "*"), Some("x")))),
            ("/regexp/a/x", modern, None),
            ("/", modern, None),
            ("/exact//x", modern, None),
            ("/exact/a/x/y", modern, None),
            ("/%ff", modern, None),
            ("x", modern, None),
        ];
        for (end, of_all, expected) in cases {
            let asked = Asked::of(&format!("{HUB_PATH}{SUBSCRIPTIONS}{end}"), of_all);
            let asked = asked.map(|asked| (asked.shape, asked.selection, asked.subscriber));
            let expected = expected.map(|(shape, selection, name)| (shape, selection, name.map(str::to_owned)));
            assert_eq!(asked, expected, "{end}");
        }
    }

    #[test]
    fn a_path_has_one_spelling_when_it_is_compared_with_grants() {
        let spelt = Asked::of(&format!("{HUB_PATH}{SUBSCRIPTIONS}/exact/%61(1)"), Shape::Modern).unwrap();
        assert_eq!(spelt.path, format!("{HUB_PATH}{SUBSCRIPTIONS}/exact/a%281%29"));
    }
}
