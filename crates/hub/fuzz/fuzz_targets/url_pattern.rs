//! URL Patterns that strangers send: a pattern, a line feed, a topic. Nothing may panic or grow; what is compiled
//! agrees with the library that reads patterns, wherever that compiles the same regular expressions.
#![no_main]
use fanfare_hub::topic::{MAX_COMPILED_BYTES, Topic, url_pattern::UrlPattern};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use url::Url;
use urlpattern::{UrlPattern as Reference, UrlPatternInit, UrlPatternMatchInput, UrlPatternOptions};

static HUB: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://hub.example/.well-known/mercure").expect("the URL is valid"));

fuzz_target!(|input: &str| {
    let (source, topic) = input.split_once('\n').unwrap_or((input, input));
    let (Ok(pattern), Ok(topic)) = (UrlPattern::compile(source, &HUB), Topic::new(topic)) else { return };
    assert!(pattern.compiled_bytes() <= 8 * MAX_COMPILED_BYTES, "each component of a URL has its own");
    let matches = pattern.matches(&topic);
    let Some(url) = topic.resolve(&HUB) else { return assert!(!matches, "it is no URL") };
    // Text outside ASCII and classes mean something else to the library's expressions, and it wants a base where ours
    // does not.
    let plain = source.is_ascii() && !source.contains(['(', '\\', ':', '[']);
    let init = UrlPatternInit::parse_constructor_string::<regex::Regex>(source, Some(HUB.clone()));
    if plain
        && let Ok(init) = init
        && let Ok(reference) = <Reference>::parse(init, UrlPatternOptions::default())
        && let Ok(expected) = reference.test(UrlPatternMatchInput::Url(url))
    {
        assert_eq!(matches, expected, "{source} and {topic}");
    }
});
