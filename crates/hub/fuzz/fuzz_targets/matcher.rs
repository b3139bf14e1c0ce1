//! Matchers and topics that strangers send: a pattern, a line feed, a topic. Nothing may panic, take long or take much
//! memory; what matches must match again.
#![no_main]
use fanfare_hub::topic::{MAX_COMPILED_BYTES, Topic, matcher::Matcher};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use url::Url;

static HUB: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://hub.example/.well-known/mercure").expect("the URL is valid"));

fuzz_target!(|input: &str| {
    let (pattern, topic) = input.split_once('\n').unwrap_or((input, input));
    let Ok(topic) = Topic::new(topic) else { return };
    let matchers = [Matcher::exact(pattern), Matcher::legacy_selector(pattern), Matcher::url_pattern(pattern, &HUB)];
    for matcher in matchers.into_iter().flatten() {
        let matches = matcher.matches(&topic);
        assert_eq!(matches, matcher.clone().matches(&topic));
        assert!(matcher.compiled_bytes() <= 8 * MAX_COMPILED_BYTES, "each component of a URL has its own");
        match &matcher {
            Matcher::Any => assert!(matches),
            Matcher::Exact(exact) => assert_eq!(matches, exact == &topic),
            Matcher::UriTemplate(template) => assert!(matches || template.as_str() != topic.as_str()),
            _ => {}
        }
    }
});
