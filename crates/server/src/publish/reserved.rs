//! The hub's own namespace: topics at and below its path name subscriptions, and nobody but the hub publishes them.
//!
//! Both revisions ask both questions. The newer one's is where a topic leads, as a URL. The older one's is whether the
//! topic says the hub's path anywhere: its subscribers match by templates, to which a topic is a text, so that an
//! update of `https://evil.example/?/.well-known/mercure/subscriptions/…` would be told to them as if the hub had told
//! it. Since an update reaches subscribers of either revision, whoever its publisher is, one question would not do.
use crate::{app::App, auth::Revision, hub_path::HUB_PATH, problem::Problem};
use fanfare_hub::{topic::Topic, update::Update};
use std::borrow::Cow;
use url::Url;

/// Refuses an update of which a topic is reserved, in the words of the publisher's revision.
pub(crate) fn check(app: &App, revision: Revision, update: &Update) -> Result<(), Problem> {
    let reserved = |topic: &Topic| match revision {
        // To the older revision, what only begins like the hub's path says it too.
        Revision::Legacy => topic.as_str().contains(HUB_PATH) || is_reserved(&app.base_url, topic),
        Revision::Modern => is_reserved(&app.base_url, topic),
    };
    if update.topics().iter().any(reserved) { Err(Problem::TopicReserved(revision)) } else { Ok(()) }
}

/// True if a topic leads to the hub's path or below it when it is resolved against `base`, the hub's URL, on whatever
/// host; or says that path somewhere. In either case it is read as those would read it who take percent-encoding, dot
/// segments and backslashes for what they stand for, however often they are encoded. Letters have a case, as in all
/// paths.
#[must_use]
pub fn is_reserved(base: &Url, topic: &Topic) -> bool {
    needs_a_look(topic.as_str()) && (says(&plain(topic.as_str())) || leads(base, topic))
}

/// True if a topic could be reserved at all, for most are not, and to read one as a URL takes time. It has to say the
/// last word of the hub's path, or encode it; or to name nothing but the place that it is relative to, which is the
/// hub.
fn needs_a_look(text: &str) -> bool {
    let trimmed = text.trim();
    text.contains("mercure") || text.contains(['%', '\\', '?', '#']) || trimmed.is_empty() || trimmed.ends_with(':')
}

/// True if the hub's path stands somewhere in the text, or would if dot segments were removed. At its beginning it need
/// not have its first slash.
fn says(text: &str) -> bool {
    let has_dots = text.starts_with('.') || text.contains("/.");
    contains_path(text) || (has_dots && contains_path(&without_dots(&format!("/{text}"))))
}

/// True if the topic as a URL has the hub's path or one below it. The URL parser has removed dot segments; more of them
/// can only come out of what it left encoded.
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

/// True if what stands behind the hub's path leaves it what it is: `/.well-known/mercure-news` is another path.
fn ends_a_segment(rest: &str) -> bool {
    !rest.starts_with(|character: char| character.is_alphanumeric() || "-._~".contains(character))
}

/// The text with all percent-encoding undone, also where undoing some makes more, and with slashes for backslashes.
/// Takes one pass: each byte is put behind those before it, and what is then an encoded byte at the end becomes that
/// byte.
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

/// The text without the segments `.`, and without each `..` and the segment before it.
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
            // What only says so.
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
            // What is another name.
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
        /// A topic that is not looked at would not be found to be reserved.
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
