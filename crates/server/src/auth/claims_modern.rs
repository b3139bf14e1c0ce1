//! The `authorization_details` claim of Mercure's newer revision: [RFC 9396](https://www.rfc-editor.org/rfc/rfc9396),
//! with entries of a type that Mercure defines.
use super::{claims::Claims, object::Object};
use fanfare_hub::{
    grant::{Grant, Matchers},
    topic::{
        Patterns,
        matcher::{InvalidMatcher, Matcher},
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use url::Url;

/// The greatest number of entries for Mercure that the `authorization_details` of a token may have.
pub const MAX_DETAILS: usize = 100;
/// The greatest number of topic matchers that the `authorization_details` of a token may have, in all entries for
/// Mercure together.
pub const MAX_DETAIL_TOPICS: usize = 100;

pub(super) const CLAIM: &str = "authorization_details";
/// The type of the entries that are for Mercure hubs.
pub const DETAIL_TYPE: &str = "https://mercure.rocks/authorization-detail";

/// The reason why a token's authorization details were refused. The whole token is then refused: it is never accepted
/// in part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidDetails {
    /// The claim is not a list of objects that each have a type, or a field of a Mercure entry is missing or has the
    /// wrong type.
    Shape,
    /// A Mercure entry names no action, or an action with an empty name.
    Actions,
    /// A Mercure entry names no topic.
    NoTopics,
    /// A Mercure entry has a type of matcher that the hub does not support.
    MatchType,
    /// A topic matcher is not valid.
    Matcher(InvalidMatcher),
    /// There are more than [`MAX_DETAILS`] Mercure entries.
    TooManyDetails {
        /// The number of Mercure entries.
        count: usize,
        /// The number of entries that is allowed.
        limit: usize,
    },
    /// There are more than [`MAX_DETAIL_TOPICS`] topic matchers.
    TooManyTopics {
        /// The number of topic matchers.
        count: usize,
        /// The number of topic matchers that is allowed.
        limit: usize,
    },
}

#[derive(Deserialize)]
struct Detail {
    actions: Vec<String>,
    topics: Vec<Object<DetailTopic>>,
    payload: Option<Value>,
}

#[derive(Deserialize)]
struct DetailTopic {
    r#match: String,
    match_type: Option<String>,
}

/// An entry that allows the token's bearer to subscribe: the matchers of the entry's topics, and the entry's payload.
pub(super) type Subscribable = (Matchers, Option<Value>);

/// Returns the grant of the claims, and the entries that allow subscribing, in their order. Entries of other types are
/// for other servers and are ignored. Patterns are compiled with the cache `patterns`.
pub(super) fn grant(
    claims: &Claims,
    hub_url: &Url,
    patterns: &Patterns,
) -> Result<(Grant, Vec<Subscribable>), InvalidDetails> {
    let details = match claims.get(CLAIM) {
        None => Vec::new(),
        Some(Value::Array(entries)) => mercure_details(entries)?,
        Some(_) => return Err(InvalidDetails::Shape),
    };
    // The number of topics is checked before the first pattern is compiled.
    let count = details.iter().map(|detail| detail.topics.len()).sum();
    if count > MAX_DETAIL_TOPICS {
        return Err(InvalidDetails::TooManyTopics { count, limit: MAX_DETAIL_TOPICS });
    }
    let (mut publish, mut subscribe, mut subscribable) = (Vec::new(), Vec::new(), Vec::new());
    for detail in details {
        let matchers = detail.matchers(hub_url, patterns)?;
        if detail.names("publish") {
            publish.extend(matchers.iter().cloned());
        }
        if detail.names("subscribe") {
            subscribe.extend(matchers.iter().cloned());
            subscribable.push((matchers.into_iter().collect(), detail.payload));
        }
    }
    let grant = Grant { publish: publish.into_iter().collect(), subscribe: subscribe.into_iter().collect() };
    Ok((grant, subscribable))
}

fn mercure_details(entries: &[Value]) -> Result<Vec<Detail>, InvalidDetails> {
    let mut details = Vec::new();
    for entry in entries {
        let detail_type = entry.get("type").and_then(Value::as_str).ok_or(InvalidDetails::Shape)?;
        if detail_type == DETAIL_TYPE {
            details.push(Detail::deserialize(entry).map_err(|_| InvalidDetails::Shape)?);
        }
    }
    let count = details.len();
    if count > MAX_DETAILS {
        return Err(InvalidDetails::TooManyDetails { count, limit: MAX_DETAILS });
    }
    Ok(details)
}

impl Detail {
    fn names(&self, action: &str) -> bool {
        self.actions.iter().any(|name| name == action)
    }

    /// Returns the matchers of the entry's topics, or an error if the entry breaks a rule. An action that the hub does
    /// not know is not an error, but grants nothing.
    fn matchers(&self, hub_url: &Url, patterns: &Patterns) -> Result<Vec<Matcher>, InvalidDetails> {
        if self.actions.is_empty() || self.names("") {
            return Err(InvalidDetails::Actions);
        }
        if self.topics.is_empty() {
            return Err(InvalidDetails::NoTopics);
        }
        let matcher = |Object(topic): &Object<DetailTopic>| {
            let matcher = match topic.match_type.as_deref() {
                None | Some("exact") => Matcher::exact(&topic.r#match),
                Some("urlpattern") => Matcher::url_pattern_in(patterns, &topic.r#match, hub_url),
                Some(_) => return Err(InvalidDetails::MatchType),
            };
            matcher.map_err(InvalidDetails::Matcher)
        };
        self.topics.iter().map(matcher).collect()
    }
}

impl fmt::Display for InvalidDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("they must be a list of objects in the format of Mercure and RFC 9396"),
            Self::Actions => f.write_str("an entry must name at least one action, and no action may be empty"),
            Self::NoTopics => f.write_str("an entry must name at least one topic"),
            Self::MatchType => f.write_str("a match_type must be 'exact' or 'urlpattern'"),
            Self::Matcher(invalid) => invalid.fmt(f),
            Self::TooManyDetails { count, limit } => write!(f, "there are {count} entries, {limit} are allowed"),
            Self::TooManyTopics { count, limit } => write!(f, "there are {count} topics, {limit} are allowed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hub_url() -> Url {
        Url::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    fn grant_of(details: &Value) -> Result<Grant, InvalidDetails> {
        grant(json!({CLAIM: details}).as_object().unwrap(), &hub_url(), &Patterns::default()).map(|(grant, _)| grant)
    }

    fn detail(actions: &[&str], topics: &Value) -> Value {
        json!({"type": DETAIL_TYPE, "actions": actions, "topics": topics})
    }

    fn exact(topics: &[&str]) -> Matchers {
        topics.iter().map(|topic| Matcher::exact(topic).unwrap()).collect()
    }

    /// B34: an entry grants its actions for its topics.
    #[test]
    fn details_become_a_grant() {
        let pattern = Matchers::from_iter([Matcher::url_pattern("/books/:id", &hub_url()).unwrap()]);
        let ab = json!([{"match": "a"}, {"match": "b", "match_type": "exact", "other": 1}]);
        let books = json!([{"match": "/books/:id", "match_type": "urlpattern"}]);
        let foreign = json!({"type": "payment", "actions": "pay", "topics": 1});
        let cases = [
            (json!([]), exact(&[]), exact(&[])),
            (json!([detail(&["publish"], &ab)]), exact(&["a", "b"]), exact(&[])),
            (json!([detail(&["subscribe", "publish", "subscribe"], &ab)]), exact(&["a", "b"]), exact(&["a", "b"])),
            (json!([detail(&["publish"], &ab), detail(&["subscribe"], &books)]), exact(&["a", "b"]), pattern),
            (json!([foreign, detail(&["subscribe"], &json!([{"match": "*"}]))]), exact(&[]), Matchers::any()),
            (json!([detail(&["burn", "PUBLISH"], &ab)]), exact(&[]), exact(&[])),
            (json!([{"type": "Https://mercure.rocks/authorization-detail"}]), exact(&[]), exact(&[])),
        ];
        for (details, publish, subscribe) in cases {
            assert_eq!(grant_of(&details), Ok(Grant { publish, subscribe }), "{details}");
        }
        let other = json!({"mercure": {"publish": ["*"]}});
        assert_eq!(
            grant(other.as_object().unwrap(), &hub_url(), &Patterns::default()),
            Ok((Grant::none(), Vec::new()))
        );
    }

    /// B34: one bad Mercure entry refuses the whole token.
    #[test]
    fn one_bad_detail_is_enough() {
        let topics = json!([{"match": "a"}]);
        let topic = |topic: Value| detail(&["publish"], &json!([{"match": "ok"}, topic]));
        let cases = [
            (detail(&[], &topics), InvalidDetails::Actions),
            (detail(&["publish", ""], &topics), InvalidDetails::Actions),
            (detail(&["publish"], &json!([])), InvalidDetails::NoTopics),
            (detail(&["publish"], &json!(["a"])), InvalidDetails::Shape),
            (detail(&["publish"], &json!("a")), InvalidDetails::Shape),
            (json!({"type": DETAIL_TYPE, "topics": topics}), InvalidDetails::Shape),
            (json!({"type": DETAIL_TYPE, "actions": ["publish"]}), InvalidDetails::Shape),
            (json!({"type": DETAIL_TYPE, "actions": [1], "topics": topics}), InvalidDetails::Shape),
            (json!({"actions": ["publish"], "topics": topics}), InvalidDetails::Shape),
            (json!("publish"), InvalidDetails::Shape),
            (topic(json!(["a", "exact"])), InvalidDetails::Shape),
            (topic(json!({})), InvalidDetails::Shape),
            (topic(json!({"match": null})), InvalidDetails::Shape),
            (topic(json!({"match": "a", "match_type": "Exact"})), InvalidDetails::MatchType),
            (topic(json!({"match": "a", "match_type": "uritemplate"})), InvalidDetails::MatchType),
            (topic(json!({"match": "*", "match_type": ""})), InvalidDetails::MatchType),
            (topic(json!({"match": ""})), InvalidDetails::Matcher(InvalidMatcher::Empty)),
            (topic(json!({"match": "a\u{200b}"})), InvalidDetails::Matcher(InvalidMatcher::Character('\u{200b}'))),
        ];
        for (bad, expected) in cases {
            let good = detail(&["publish"], &topics);
            assert_eq!(grant_of(&json!([good, bad])), Err(expected), "{bad}");
        }
        let malformed = topic(json!({"match": "/(", "match_type": "urlpattern"}));
        assert!(matches!(
            grant_of(&json!([malformed])),
            Err(InvalidDetails::Matcher(InvalidMatcher::InvalidPattern(_)))
        ));
        for claim in [json!({}), json!("*"), Value::Null] {
            assert_eq!(grant_of(&claim), Err(InvalidDetails::Shape), "{claim}");
        }
    }

    /// B34: the numbers of entries and of topics are limited.
    #[test]
    fn details_and_topics_are_limited() {
        let topics = |count| json!(vec![json!({"match": "a"}); count]);
        let details = |count| grant_of(&json!(vec![detail(&["publish"], &topics(1)); count]));
        assert!(details(MAX_DETAILS).is_ok());
        let (count, limit) = (MAX_DETAILS + 1, MAX_DETAILS);
        assert_eq!(details(count), Err(InvalidDetails::TooManyDetails { count, limit }));
        let over_two =
            |count| grant_of(&json!([detail(&["publish"], &topics(1)), detail(&["subscribe"], &topics(count - 1))]));
        assert!(over_two(MAX_DETAIL_TOPICS).is_ok());
        let (count, limit) = (MAX_DETAIL_TOPICS + 1, MAX_DETAIL_TOPICS);
        assert_eq!(over_two(count), Err(InvalidDetails::TooManyTopics { count, limit }));
    }
}
