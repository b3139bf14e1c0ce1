//! The `mercure` claim of Mercure's older revision: topic selectors to publish and to subscribe.
use super::{claims::Claims, invalid_token::InvalidToken, object::Object};
use fanfare_hub::{
    grant::{Grant, Matchers},
    topic::{Patterns, matcher::Matcher},
};
use serde::Deserialize;
use serde_json::Value;

/// The greatest number of topic selectors that a token may hold to publish, and also the greatest number that it may
/// hold to subscribe.
pub const MAX_SELECTORS: usize = 1_000;

const CLAIM: &str = "mercure";
/// The other name of the `mercure` claim: a URL, so that no other application uses the same name. If a token has a
/// claim of each name, only the claim with this name counts.
const NAMESPACED_CLAIM: &str = "https://mercure.rocks/";

#[derive(Default, Deserialize)]
struct MercureClaim {
    publish: Option<Vec<String>>,
    subscribe: Option<Vec<String>>,
}

/// Returns the grant of the claims. Without a list of topics to publish, nothing may be published; without a list of
/// topics to subscribe, no private update is received. Patterns are compiled with the cache `patterns`.
pub(super) fn grant(claims: &Claims, patterns: &Patterns) -> Result<Grant, InvalidToken> {
    let claim = match claim(claims) {
        Some(value) => Option::<Object<MercureClaim>>::deserialize(value).map_err(|_| InvalidToken::Claim(CLAIM))?,
        None => None,
    };
    let Object(MercureClaim { publish, subscribe }) = claim.unwrap_or_default();
    Ok(Grant { publish: matchers(publish, patterns)?, subscribe: matchers(subscribe, patterns)? })
}

/// Returns the payload: the data that all active subscriptions of the token's bearer show to clients that may see them.
pub(super) fn payload(claims: &Claims) -> Option<&Value> {
    claim(claims)?.get("payload")
}

fn claim(claims: &Claims) -> Option<&Value> {
    claims.get(NAMESPACED_CLAIM).or_else(|| claims.get(CLAIM))
}

fn matchers(selectors: Option<Vec<String>>, patterns: &Patterns) -> Result<Matchers, InvalidToken> {
    let selectors = selectors.unwrap_or_default();
    let count = selectors.len();
    if count > MAX_SELECTORS {
        return Err(InvalidToken::TooManySelectors { count, limit: MAX_SELECTORS });
    }
    selectors
        .iter()
        .map(|selector| Matcher::legacy_selector_in(patterns, selector))
        .collect::<Result<_, _>>()
        .map_err(InvalidToken::Selector)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Purpose;
    use fanfare_hub::topic::{MAX_CACHED_PATTERNS, matcher::InvalidMatcher};
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn grant_of(claims: &Value) -> Result<Grant, InvalidToken> {
        grant(claims.as_object().unwrap(), &Patterns::default())
    }

    fn matchers_of(selectors: &[&str]) -> Matchers {
        selectors.iter().map(|selector| Matcher::legacy_selector(selector).unwrap()).collect()
    }

    /// B L, B27: absent or empty lists grant nothing.
    #[test]
    fn the_claim_becomes_a_grant() {
        let cases: &[(Value, &[&str], &[&str])] = &[
            (json!({}), &[], &[]),
            (json!({"mercure": {}}), &[], &[]),
            (json!({"mercure": null}), &[], &[]),
            (json!({"mercure": {"publish": [], "subscribe": null, "payload": {"a": 1}}}), &[], &[]),
            (json!({"mercure": {"publish": ["*"], "other": 1}}), &["*"], &[]),
            (json!({"mercure": {"publish": ["a"], "subscribe": ["/{x}", "b"]}}), &["a"], &["/{x}", "b"]),
            (json!({"https://mercure.rocks/": {"subscribe": ["a"]}, "sub": "me"}), &[], &["a"]),
            (json!({"https://mercure.rocks/": {"subscribe": ["a"]}, "mercure": {"subscribe": ["b"]}}), &[], &["a"]),
        ];
        for (claims, publish, subscribe) in cases {
            let expected = Grant { publish: matchers_of(publish), subscribe: matchers_of(subscribe) };
            assert_eq!(grant_of(claims), Ok(expected), "{claims}");
        }
    }

    #[test]
    fn a_malformed_claim_is_an_error() {
        let array = json!([["*"], ["*"]]);
        for claim in [json!("*"), json!([]), array, json!({"publish": "*"}), json!({"subscribe": [1]}), json!(1)] {
            assert_eq!(grant_of(&json!({"mercure": claim})), Err(InvalidToken::Claim("mercure")), "{claim}");
            assert_eq!(grant_of(&json!({"https://mercure.rocks/": claim})), Err(InvalidToken::Claim("mercure")));
        }
        let selector = |text: &str| grant_of(&json!({"mercure": {"publish": [text]}}));
        assert_eq!(selector("a\nb"), Err(InvalidToken::Selector(InvalidMatcher::Character('\n'))));
        assert_eq!(selector(""), Err(InvalidToken::Selector(InvalidMatcher::Empty)));
    }

    #[test]
    fn the_number_of_selectors_is_limited() {
        let selectors = |count| grant_of(&json!({"mercure": {"subscribe": vec!["a"; count]}}));
        assert!(selectors(MAX_SELECTORS).is_ok());
        let (count, limit) = (MAX_SELECTORS + 1, MAX_SELECTORS);
        assert_eq!(selectors(count), Err(InvalidToken::TooManySelectors { count, limit }));
    }

    /// Patterns in use stay in a cache, so subscribers can fill theirs. The publisher's stays compiled nevertheless.
    #[test]
    fn the_patterns_of_publishers_are_compiled_once_whatever_subscribers_use() {
        let many = || (0..=MAX_CACHED_PATTERNS).map(|number| format!("/{number}/{{x}}"));
        let wanted: Vec<_> = many().map(|text| Matcher::legacy_selector(&text).unwrap()).collect();
        let of_subscribers = Purpose::Subscribe.patterns();
        let granted: Vec<_> = many().map(|text| Matcher::legacy_selector_in(of_subscribers, &text).unwrap()).collect();
        let claims = json!({"mercure": {"publish": ["/books/{x}"]}});
        let template = || {
            let grant = grant(claims.as_object().unwrap(), Purpose::Publish.patterns()).unwrap();
            match grant.publish.as_slice() {
                [Matcher::UriTemplate(template)] => Arc::downgrade(template),
                other => panic!("{other:?}"),
            }
        };
        // Between two publications nobody holds the grant: only the cache can have the template.
        let compiled = template().upgrade().expect("the template is kept");
        assert!(Arc::ptr_eq(&compiled, &template().upgrade().unwrap()));
        drop((wanted, granted));
    }
}
