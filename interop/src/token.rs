//! Tokens of Mercure's older revision, made by the crate `mercure`.
use mercure::{PublisherJwt, SubscriberJwt, TopicSelector};

/// The hub's key: the one that the reference hub's documentation has everywhere.
pub const KEY: &str = "!ChangeThisMercureHubJWTSecretKey!";

/// A token that may publish under what this URI Template, or `*`, matches.
#[must_use]
pub fn publisher(template: &str) -> PublisherJwt {
    PublisherJwt::new(&KEY.as_bytes().to_vec().into(), vec![selector(template)]).unwrap()
}

/// A token to which private updates may go under what this URI Template, or `*`, matches.
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
