//! The topics that are reserved for the hub: those at and below the hub's path name subscriptions, and only the hub may
//! publish them.
//!
//! Two properties of a topic are checked. The newer revision of Mercure looks at the URL to which the topic resolves.
//! The older revision looks whether the topic contains the hub's path anywhere: its subscribers match topics as texts,
//! by templates, and could take an update of `https://evil.example/?/.well-known/mercure/subscriptions/…` for one that
//! the hub published. An update reaches subscribers of both revisions, whatever the revision of its publisher. So both
//! properties are checked for each update.
use crate::{app::App, auth::Revision, hub_path::HUB_PATH, problem::Problem};
use fanfare_hub::{topic::Topic, update::Update};
use std::borrow::Cow;
use url::Url;

/// Refuses an update that has a reserved topic. Which topics are reserved depends on `revision`, the revision of the
/// Mercure protocol to which the publisher's token belongs.
pub(crate) fn check(app: &App, revision: Revision, update: &Update) -> Result<(), Problem> {
    let reserved = |topic: &Topic| match revision {
        // In the older revision, a topic is also reserved if it contains a path that only begins like the hub's path.
        Revision::Legacy => topic.as_str().contains(HUB_PATH) || is_reserved(&app.base_url, topic),
        Revision::Modern => is_reserved(&app.base_url, topic),
    };
    if update.topics().iter().any(reserved) { Err(Problem::TopicReserved(revision)) } else { Ok(()) }
}

/// Returns true if the topic contains the hub's path, or if it resolves, against the hub's URL `base`, to the hub's
/// path or a path below it, on any host. Before the check, percent-encoding is decoded, even if the topic was encoded
/// several times, dot segments are removed, and backslashes become slashes, because some subscribers read topics in
/// this way. Upper and lower case differ, as in all paths.
#[must_use]
pub fn is_reserved(base: &Url, topic: &Topic) -> bool {
    needs_a_look(topic.as_str()) && (says(&plain(topic.as_str())) || leads(base, topic))
}

/// Returns true if the topic may be reserved, so that it must be parsed as a URL and checked. For most topics this fast
/// test returns false. A reserved topic contains the last word of the hub's path, perhaps encoded, or it is a relative
/// URL that resolves to the hub's URL itself.
fn needs_a_look(text: &str) -> bool {
    let trimmed = text.trim();
    text.contains("mercure") || text.contains(['%', '\\', '?', '#']) || trimmed.is_empty() || trimmed.ends_with(':')
}

/// Returns true if the text contains the hub's path, or contains it after the removal of dot segments. At the beginning
/// of the text, the first slash of the path may be missing.
fn says(text: &str) -> bool {
    let has_dots = text.starts_with('.') || text.contains("/.");
    contains_path(text) || (has_dots && contains_path(&without_dots(&format!("/{text}"))))
}

/// Returns true if the topic, resolved as a URL, has the hub's path or a path below it. The URL parser has removed dot
/// segments, but decoding the path may produce new ones.
fn leads(base: &Url, topic: &Topic) -> bool {
    let Some(url) = topic.resolve(base) else { return false };
    let path = match plain(url.path()) {
        Cow::Owned(path) => without_dots(&path).into(),
        path => path,
    };
    path.strip_prefix(HUB_PATH).is_some_and(ends_a_segment)
}

fn contains_path(text: &str) -> bool {
    text.match_indices(HUB_PATH).any(|(place, path)| ends_a_segment(&text[place + path.len()..]))
}

/// Returns true if `rest`, the text that follows the hub's path, does not continue the last segment of the path:
/// `/.well-known/mercure-news` is another path.
fn ends_a_segment(rest: &str) -> bool {
    !rest.starts_with(|character: char| character.is_alphanumeric() || "-._~".contains(character))
}

/// Returns the text with all percent-encoding decoded, even if decoding produces further percent-encoding, and with
/// backslashes replaced by slashes. The text is read only once: each byte is appended to the result, and whenever the
/// result then ends in an encoded byte, this byte is decoded.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '\\']) {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        bytes.push(byte);
        while let [.., b'%', high, low] = bytes[..]
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            bytes.truncate(bytes.len() - 3);
            bytes.push(high << 4 | low);
        }
    }
    String::from_utf8_lossy(&bytes).replace('\\', "/").into()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Returns the text without its segments `.`, and without each segment `..` and the segment before it.
fn without_dots(text: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment {
            "." => {}
            ".." if segments.len() > 1 => drop(segments.pop()),
            ".." => {}
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_reserved_by_where_it_leads_and_by_what_it_says() {
        let base = Url::parse("https://hub.example/.well-known/mercure").unwrap();
        let cases = [
            ("/.well-known/mercure", true),
            ("/.well-known/mercure/subscriptions/a", true),
            ("https://other.example/x/../.well-known/mercure", true),
            ("/.well%2dknown/mercur%65", true),
            ("/.well%252dknown/mercur%25%36%35", true),
            ("/.well-known%2Fmercure%2fsubscriptions", true),
            ("mercure", true),
            ("?x", true),
            ("#x", true),
            ("https:", true),
            (" ", true),
            ("mercure/subscriptions/a", true),
            ("./x/../mercure", true),
            ("https:mercure", true),
            ("HTTPS://EVIL.EXAMPLE/.well-known/mercure", true),
            ("https://evil.example\\.well-known\\mercure\\x", true),
            ("/.well-known\\mercure", true),
            ("/.well-known%5Cmercure", true),
            ("x/%2e%2e/.well-known/./mercure", true),
            ("/.well-known/a/%2e./mercure/x", true),
            // Topics that only contain the hub's path.
            ("https://example.com/?u=/.well-known/mercure", true),
            ("https://example.com/?u=/.well-known/mercure/subscriptions/a/b", true),
            ("https://example.com/#/.well-known/mercure/x", true),
            ("https://example.com/?u=%2F.well-known%2Fmercure", true),
            ("https://example.com/?/.well-known/x/../mercure", true),
            ("https://example.com/x/.well-known/mercure", true),
            ("urn:x:/.well-known/mercure/subscriptions", true),
            ("http://[/.well-known/mercure/subscriptions", true),
            ("a text, and /.well-known/mercure; in it", true),
            (".well-known/mercure", true),
            // Topics with another name.
            ("/.well-known/mercury", false),
            ("/.well-known/%6Dercure-news", false),
            ("/.WELL-KNOWN/mercure", false),
            ("subscriptions/a", false),
            ("mercured", false),
            ("../mercure/x", false),
            ("/books/1", false),
            ("/books/100%", false),
            ("/books/%zz%4", false),
            ("http://[", false),
            ("a b", false),
            ("%", false),
        ];
        for (topic, reserved) in cases {
            assert_eq!(is_reserved(&base, &Topic::new(topic).unwrap()), reserved, "{topic}");
        }
    }

    proptest::proptest! {
        /// A topic that `needs_a_look` leaves out must not be reserved.
        #[test]
        fn the_short_way_leads_to_the_same(text in "(https:|http:|x:|/|//|\\.|\\.\\.|\\?|#|%2e|\\\\|:| |a|\\.well-known|mercur|e|é){1,9}") {
            let base = Url::parse("https://hub.example/.well-known/mercure").unwrap();
            if let Ok(topic) = Topic::new(&text) {
                let expected = says(&plain(&text)) || leads(&base, &topic);
                proptest::prop_assert_eq!(is_reserved(&base, &topic), expected, "{}", text);
            }
        }
    }

    #[test]
    fn encoding_is_undone_however_deep_it_is() {
        let cases =
            [("%41", "A"), ("%2541", "A"), ("%%34%31", "A"), ("%25252541x", "Ax"), ("%4", "%4"), ("\\%5c", "//")];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
        let deep = format!("%{}41", "25".repeat(2_000));
        assert_eq!(plain(&deep), "A");
    }
}
