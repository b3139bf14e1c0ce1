//! The hub's own namespace: topics at and below its path name subscriptions, and nobody but the hub publishes them.
use crate::{app::App, auth::Revision, problem::Problem};
use fanfare_hub::{topic::Topic, update::Update};
use percent_encoding::percent_decode_str;
use url::Url;

/// The path of the hub.
pub const HUB_PATH: &str = "/.well-known/mercure";

/// Refuses an update of which a topic is reserved.
pub(crate) fn check(app: &App, revision: Revision, update: &Update) -> Result<(), Problem> {
    let reserved = |topic: &Topic| match revision {
        // The older revision asks only whether the path occurs in the topic; the newer one, where it leads.
        Revision::Legacy => topic.as_str().contains(HUB_PATH) || leads_to_the_hub(&app.base_url, topic),
        Revision::Modern => leads_to_the_hub(&app.base_url, topic),
    };
    if update.topics().iter().any(reserved) { Err(Problem::TopicReserved(revision)) } else { Ok(()) }
}

/// Whether the topic, resolved against the hub's URL, has the hub's path or one below it, whatever its host. The URL
/// parser has removed dot segments by then; what it leaves encoded, also twice, is decoded.
fn leads_to_the_hub(base: &Url, topic: &Topic) -> bool {
    let Ok(url) = base.join(topic.as_str()) else { return false };
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    path.strip_prefix(HUB_PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_reserved_by_where_it_leads() {
        let base = Url::parse("https://hub.example/.well-known/mercure").unwrap();
        let cases = [
            ("/.well-known/mercure", true),
            ("/.well-known/mercure/subscriptions/a", true),
            ("https://other.example/x/../.well-known/mercure", true),
            ("/.well%2dknown/mercur%65", true),
            ("mercure", true),
            ("/.well-known/mercured", false),
            ("https://example.com/?u=/.well-known/mercure", false),
            ("/books/1", false),
            ("http://[", false),
        ];
        for (topic, reserved) in cases {
            assert_eq!(leads_to_the_hub(&base, &Topic::new(topic).unwrap()), reserved, "{topic}");
        }
    }
}
