//! The documents that describe subscriptions, in the shapes of both revisions of Mercure, and the paths of
//! subscriptions.
//!
//! Every subscription is published as two updates, one in each shape, whatever the revision of the subscriber's
//! request. Each update has one topic: the path of the subscription in the update's revision. So a client that follows
//! the paths of its own revision sees all subscriptions, in the shape that it knows. If one update had both topics,
//! each client would also get the other shape. A client that follows `*`, and is allowed to, gets both shapes. In the
//! older shape, two subscriptions of one subscriber share a document if their matchers have the same text and different
//! types.
use super::subscriber::Subscriber;
use crate::{hub_path::HUB_PATH, problem::Problem};
use fanfare_event_stream::EventType;
use fanfare_hub::{
    grant::Matchers,
    topic::{MAX_TOPIC_BYTES, Topic, matcher::Matcher},
    update::Update,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// The longest URL of a subscription, in bytes. It is the length of the longest topic, because the URL is a topic. A
/// subscription with a longer URL is refused.
pub const MAX_SUBSCRIPTION_URL_BYTES: usize = MAX_TOPIC_BYTES;

/// The path of all subscriptions, relative to the hub's path.
pub(super) const SUBSCRIPTIONS: &str = "/subscriptions";
/// The media type of documents in the newer shape.
const JSON: &str = "application/json";
const LD_JSON: &str = "application/ld+json";
const CONTEXT: &str = "https://mercure.rocks/";

/// The characters that are percent-encoded in a part of a path: all except those that RFC 3986 calls unreserved, as in
/// the simple expansion of RFC 6570.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The shape of a document. Each shape is for the clients of one revision of Mercure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The shape of draft 07 of Mercure and earlier drafts: JSON-LD.
    Legacy,
    /// The shape of draft 08 of Mercure, "1.0".
    Modern,
}

impl Shape {
    pub(super) const ALL: [Self; 2] = [Self::Modern, Self::Legacy];

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Modern => JSON,
            Self::Legacy => LD_JSON,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Modern => "subscription",
            Self::Legacy => "Subscription",
        }
    }

    fn context(self) -> Option<&'static str> {
        (self == Self::Legacy).then_some(CONTEXT)
    }

    /// Returns true if a document in this shape is published for the subscription with the matcher at `index`. In the
    /// older shape, no document is published if an earlier matcher of the subscriber has the same text, because the
    /// document of that matcher has the same path.
    pub(super) fn tells(self, matchers: &Matchers, index: usize) -> bool {
        let matchers = matchers.as_slice();
        let text = matchers[index].as_str();
        self == Self::Modern || !matchers[..index].iter().any(|earlier| earlier.as_str() == text)
    }
}

/// Returns the name of a matcher's type. Mercure's newer revision has no name for URI Templates, so they have the name
/// from the older revision.
pub(super) fn match_type(matcher: &Matcher) -> &'static str {
    match matcher {
        Matcher::Any | Matcher::Exact(_) => "exact",
        Matcher::UriTemplate(_) => "uritemplate",
        Matcher::UrlPattern(_) => "urlpattern",
    }
}

/// Returns the name of a subscriber, which is made from its ID.
pub(super) fn name(id: Uuid) -> String {
    id.urn().to_string()
}

/// Returns the path that consists of the path of all subscriptions and `parts`. Each part is percent-encoded once.
pub(super) fn path(parts: &[&str]) -> String {
    let mut path = format!("{HUB_PATH}{SUBSCRIPTIONS}");
    for part in parts {
        path.push('/');
        path.extend(utf8_percent_encode(part, RESERVED));
    }
    path
}

/// Returns the path of a subscription.
fn path_of(shape: Shape, matcher: &Matcher, subscriber: &str) -> String {
    match shape {
        Shape::Modern => path(&[match_type(matcher), matcher.as_str(), subscriber]),
        Shape::Legacy => path(&[matcher.as_str(), subscriber]),
    }
}

/// Refuses matchers if the URL of one of their subscriptions would be too long to be a topic.
pub(crate) fn check_length(matchers: &Matchers) -> Result<(), Problem> {
    let subscriber = name(Uuid::nil());
    let longest = matchers.as_slice().iter().map(|matcher| path_of(Shape::Modern, matcher, &subscriber).len()).max();
    match longest {
        Some(bytes) if bytes > MAX_SUBSCRIPTION_URL_BYTES => {
            Err(Problem::SubscriptionTooLong { bytes, limit: MAX_SUBSCRIPTION_URL_BYTES })
        }
        _ => Ok(()),
    }
}

/// The document of one subscription.
#[derive(Debug, Serialize)]
pub(super) struct Subscription<'a> {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    match_type: Option<&'static str>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matcher: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    subscriber: String,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Value>,
    #[serde(rename = "lastEventID", skip_serializing_if = "Option::is_none")]
    last_event_id: Option<&'a str>,
}

impl<'a> Subscription<'a> {
    /// Makes the document of the subscriber's subscription with the matcher at `index`. `active` is false if the
    /// subscription has ended.
    pub(super) fn new(shape: Shape, subscriber: &'a Subscriber, index: usize, active: bool) -> Self {
        let matcher = &subscriber.key.matchers.as_slice()[index];
        let name = name(subscriber.id);
        let is_modern = shape == Shape::Modern;
        Self {
            context: shape.context(),
            id: path_of(shape, matcher, &name),
            kind: shape.kind(),
            match_type: is_modern.then(|| match_type(matcher)),
            matcher: is_modern.then(|| matcher.as_str()),
            topic: (!is_modern).then(|| matcher.as_str()),
            subscriber: name,
            active,
            payload: subscriber.payload(index),
            last_event_id: None,
        }
    }

    /// Returns the document in the form that it has within a collection: without `@context`, since the collection has
    /// one `@context` for all its documents.
    pub(super) fn within(self) -> Self {
        Self { context: None, ..self }
    }

    /// Adds `cursor`: a client that subscribes with this event ID gets all changes that are not in the document. Only
    /// the older shape has the cursor in the document; in the newer shape, it is in a response header.
    pub(super) fn at(self, cursor: &'a str) -> Self {
        Self { last_event_id: self.context.map(|_| cursor), ..self }
    }
}

/// The document of several subscriptions.
#[derive(Debug, Serialize)]
pub(super) struct Collection<'a, M> {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "lastEventID", skip_serializing_if = "Option::is_none")]
    last_event_id: Option<&'a str>,
    subscriptions: M,
}

impl<'a, M> Collection<'a, M> {
    pub(super) fn new(shape: Shape, id: &'a str, cursor: &'a str, subscriptions: M) -> Self {
        let (kind, last_event_id) = match shape {
            Shape::Modern => ("subscriptions", None),
            Shape::Legacy => ("Subscriptions", Some(cursor)),
        };
        Self { context: shape.context(), id, kind, last_event_id, subscriptions }
    }
}

/// Returns the updates by which the hub publishes that a subscriber has come (`active`) or left.
pub(super) fn updates(subscriber: &Subscriber, active: bool) -> impl Iterator<Item = Update> {
    let count = subscriber.key.matchers.as_slice().len();
    let each = (0..count).flat_map(|index| Shape::ALL.map(|shape| (shape, index)));
    let told = each.filter(|(shape, index)| shape.tells(&subscriber.key.matchers, *index));
    told.map(move |(shape, index)| {
        let subscription = Subscription::new(shape, subscriber, index, active);
        let data = serde_json::to_string(&subscription).expect("strings and JSON make JSON");
        let topic = Topic::new(&subscription.id).expect("its length was checked, and it is ASCII");
        debug_assert!(topic.is_of_presence(), "the log keeps these updates apart from those of publishers");
        let event_type = (shape == Shape::Modern).then(|| EventType::new("mercure").expect("a word"));
        Update::of_hub(topic, data, event_type)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_hub::{audience_key::AudienceKey, representation::Representation};
    use serde_json::json;
    use std::sync::Arc;
    use url::Url;

    fn told(matchers: Vec<Matcher>, payload: Option<Value>) -> Vec<(String, Option<String>, Value)> {
        let key = AudienceKey::new(matchers.into_iter().collect(), Matchers::default(), Representation::EventStream);
        let subscriber = Subscriber::of(Uuid::nil(), Arc::new(key), payload);
        let told = updates(&subscriber, true).map(|update| {
            let [topic] = update.topics() else { panic!("one topic") };
            assert!(update.is_private() && update.id().is_none(), "its ID is its place in the log");
            assert!(update.is_of_presence(), "the log knows it by its topic");
            let event_type = update.event_type().map(|name| name.as_str().to_owned());
            (topic.as_str().to_owned(), event_type, serde_json::from_str(update.data()).unwrap())
        });
        told.collect()
    }

    /// B43, B45: the document of a subscription has these fields in each shape.
    #[test]
    fn a_subscription_is_told_in_both_shapes() {
        let subscriber = "urn:uuid:00000000-0000-0000-0000-000000000000";
        let told = told(vec![Matcher::exact("a b/é%20*").unwrap()], Some(json!({"who": "me"})));
        let end = "a%20b%2F%C3%A9%2520%2A/urn%3Auuid%3A00000000-0000-0000-0000-000000000000";
        let modern = format!("/.well-known/mercure/subscriptions/exact/{end}");
        let legacy = format!("/.well-known/mercure/subscriptions/{end}");
        let expected = [
            (
                modern.clone(),
                Some("mercure".into()),
                json!({
                    "id": modern, "type": "subscription", "match_type": "exact", "match": "a b/é%20*",
                    "subscriber": subscriber, "active": true, "payload": {"who": "me"},
                }),
            ),
            (
                legacy.clone(),
                None,
                json!({
                    "@context": "https://mercure.rocks/", "id": legacy, "type": "Subscription", "topic": "a b/é%20*",
                    "subscriber": subscriber, "active": true, "payload": {"who": "me"},
                }),
            ),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn each_matcher_is_a_subscription_of_its_type() {
        let base = Url::parse("http://localhost/").unwrap();
        let matchers = vec![
            Matcher::any(),
            Matcher::exact("/:a").unwrap(),
            Matcher::url_pattern("/:a", &base).unwrap(),
            Matcher::legacy_selector("/{a}").unwrap(),
        ];
        let told = told(matchers, None);
        let types: Vec<_> = told.iter().filter_map(|(.., document)| document["match_type"].as_str()).collect();
        assert_eq!(types, ["exact", "exact", "uritemplate", "urlpattern"]);
        let topics: Vec<_> = told.iter().filter_map(|(.., document)| document["topic"].as_str()).collect();
        assert_eq!(topics, ["*", "/:a", "/{a}"], "in the older shape two matchers of one text are one");
        assert!(told.iter().all(|(.., document)| document.get("payload").is_none()));
    }

    #[test]
    fn a_path_is_bounded() {
        let check = |matcher: &str| check_length(&[Matcher::exact(matcher).unwrap()].into_iter().collect());
        let around = path(&["exact", "", &name(Uuid::nil())]).len();
        let most = MAX_SUBSCRIPTION_URL_BYTES - around;
        assert!(check(&"x".repeat(most)).is_ok());
        let refused = check(&"x".repeat(most + 1));
        assert!(matches!(refused, Err(Problem::SubscriptionTooLong { bytes, limit }) if bytes == limit + 1));
        assert!(check(&"/".repeat(most / 3 + 1)).is_err(), "the encoded length counts");
    }
}
