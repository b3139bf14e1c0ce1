//! Tokens of Mercure's older revision, made by the crate `mercure`.
use mercure::{PublisherJwt, SubscriberJwt, TopicSelector};

/// The key of the hub's tokens. The reference hub's documentation uses the same key everywhere.
pub const KEY: &str = "!ChangeThisMercureHubJWTSecretKey!";

/// Returns a token that allows publishing to the topics that this URI Template, or `*`, matches.
#[must_use]
pub fn publisher(template: &str) -> PublisherJwt {
    PublisherJwt::new(&KEY.as_bytes().to_vec().into(), vec![selector(template)]).unwrap()
}

/// Returns a token that allows receiving the private updates of the topics that this URI Template, or `*`, matches.
#[must_use]
pub fn subscriber(template: &str) -> String {
    SubscriberJwt::new(&KEY.as_bytes().to_vec().into(), None, vec![selector(template)]).unwrap().to_string()
}

fn selector(template: &str) -> TopicSelector {
    match template {
        "*" => TopicSelector::Wildcard,
        _ => TopicSelector::UriTemplate(template.try_into().unwrap()),
    }
}
