//! The payloads of a token: data about its bearer, for clients that may see the bearer's active subscriptions.
use super::{claims::Claims, claims_legacy, claims_modern};
use fanfare_hub::{
    grant::Matchers,
    topic::{Topic, matcher::Matcher},
};
use serde_json::Value;
use std::sync::Arc;

/// The payloads of a token. A token of Mercure's older revision has one payload for all subscriptions. A token of the
/// newer revision may have a different payload in each entry of its `authorization_details` that allows subscribing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payloads(Vec<(Matchers, Option<Arc<Value>>)>);

impl Payloads {
    /// Returns the payload that subscriptions with this matcher show. The text of `matcher` is treated as a topic, and
    /// the first entry of the token that matches this topic gives the payload. `None` if this entry has no payload, or
    /// if no entry matches.
    #[must_use]
    pub fn of(&self, matcher: &Matcher) -> Option<&Arc<Value>> {
        let topic = Topic::new(matcher.as_str()).ok();
        // The text `*` is not a valid topic, and only the matcher `*` covers it. Every other text is a topic.
        let covers = |matchers: &Matchers| match &topic {
            Some(topic) => matchers.matches(topic),
            None => matchers.as_slice().contains(&Matcher::Any),
        };
        self.0.iter().find(|(matchers, _)| covers(matchers))?.1.as_ref()
    }

    /// Returns the payload in the claims of a token of Mercure's older revision.
    pub(super) fn legacy(claims: &Claims) -> Self {
        Self::new(vec![(Matchers::any(), claims_legacy::payload(claims).cloned())])
    }

    /// Returns the payloads in a token of Mercure's newer revision. `details` are the token's entries that allow
    /// subscribing, in their order.
    pub(super) fn modern(details: Vec<claims_modern::Subscribable>) -> Self {
        Self::new(details)
    }

    fn new(entries: Vec<(Matchers, Option<Value>)>) -> Self {
        let shows_something =
            |(_, payload): &(_, Option<Value>)| payload.as_ref().is_some_and(|payload| !payload.is_null());
        if !entries.iter().any(shows_something) {
            return Self::default();
        }
        let shared = |payload: Option<Value>| payload.filter(|payload| !payload.is_null()).map(Arc::new);
        Self(entries.into_iter().map(|(matchers, payload)| (matchers, shared(payload))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matchers(texts: &[&str]) -> Matchers {
        texts.iter().map(|text| Matcher::exact(text).unwrap()).collect()
    }

    /// B46: the first entry that covers the matcher's text counts, even if it has no payload.
    #[test]
    fn the_first_entry_that_covers_the_matcher_has_its_payload() {
        let payloads = Payloads::new(vec![
            (matchers(&["a", "/{x}"]), Some(json!(1))),
            (matchers(&["b"]), None),
            (matchers(&["c"]), Some(Value::Null)),
            (Matchers::any(), Some(json!({"all": true}))),
        ]);
        let all = json!({"all": true});
        let cases = [("a", Some(json!(1))), ("/{x}", Some(json!(1))), ("b", None), ("c", None)];
        let cases = cases.into_iter().chain([("d", Some(all.clone())), ("*", Some(all))]);
        for (text, expected) in cases {
            let matcher = Matcher::legacy_selector(text).unwrap();
            assert_eq!(payloads.of(&matcher).map(|payload| (**payload).clone()), expected, "{text}");
        }
        assert_eq!(Payloads::new(vec![(Matchers::any(), None)]), Payloads::default());
    }
}
