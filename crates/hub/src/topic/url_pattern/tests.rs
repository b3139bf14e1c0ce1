//! Tests of the parts of the URL Pattern Standard that Mercure needs, and of hostile patterns.
use super::{
    super::{InvalidTopic, MAX_COMPILED_BYTES, Topic},
    InvalidMatcher, UrlPattern,
};
use url::Url;

fn compile(pattern: &str) -> Result<UrlPattern, InvalidMatcher> {
    UrlPattern::compile(pattern, &Url::parse("https://hub.example/.well-known/mercure").unwrap())
}

fn matches(pattern: &str, topic: &str) -> bool {
    compile(pattern).expect(pattern).matches(&Topic::new(topic).expect(topic))
}

/// B18: per the URL Pattern Standard; relative patterns and topics resolve against the hub's URL.
#[test]
fn patterns_match_as_the_standard_says() {
    #[rustfmt::skip]
    let cases: &[(&str, &[&str], &[&str])] = &[
        // Fixed text is compared after URL canonicalisation of both sides.
        ("https://example.com/a", &["https://example.com/a", "https://EXAMPLE.com:443/b/../a", "https://example.com/a?q#f"],
            &["https://example.com/A", "https://example.com/a/", "http://example.com/a", "https://example.com:8443/a", "https://sub.example.com/a"]),
        ("https://example.com/café", &["https://example.com/café", "https://example.com/caf%C3%A9"], &["https://example.com/cafe"]),
        ("https://münchen.example/*", &["https://xn--mnchen-3ya.example/a"], &["https://munchen.example/a"]),
        // A named group matches one path segment, which is not empty.
        ("https://example.com/books/:id", &["https://example.com/books/1", "https://example.com/books/%2F"],
            &["https://example.com/books/", "https://example.com/books", "https://example.com/books/1/2", "https://example.com/books/1/"]),
        ("https://example.com/:a/:b", &["https://example.com/1/2"], &["https://example.com/1", "https://example.com/1/2/3"]),
        ("https://example.com/:name.html", &["https://example.com/a.html"], &["https://example.com/a.htm", "https://example.com/.html"]),
        // A modifier also applies to the slash before its group.
        ("https://example.com/a/:b?", &["https://example.com/a", "https://example.com/a/1"], &["https://example.com/a/", "https://example.com/a/1/2"]),
        ("https://example.com/a/:b+", &["https://example.com/a/1", "https://example.com/a/1/2/3"], &["https://example.com/a", "https://example.com/a/1//2"]),
        ("https://example.com/a/:b*", &["https://example.com/a", "https://example.com/a/1/2"], &["https://example.com/ab", "https://example.com/a/"]),
        ("https://example.com/a{/b}?", &["https://example.com/a", "https://example.com/a/b"], &["https://example.com/a/c", "https://example.com/a/b/b"]),
        ("https://example.com/{a-}*b", &["https://example.com/b", "https://example.com/a-a-b"], &["https://example.com/a-"]),
        // An asterisk matches any text, including slashes.
        ("https://example.com/a/*", &["https://example.com/a/", "https://example.com/a/1/2"], &["https://example.com/a", "https://example.com/ab"]),
        ("https://*.example.com/*", &["https://a.example.com/", "https://a.b.example.com/x"], &["https://example.com/", "https://a.example.org/"]),
        ("*://example.com/*", &["https://example.com/", "ftp://example.com/a"], &["https://example.org/"]),
        ("http{s}?://example.com/", &["http://example.com/", "https://example.com"], &["ws://example.com/"]),
        // Regular expressions.
        (r"https://example.com/:id(\d+)", &["https://example.com/42"], &["https://example.com/4x", "https://example.com/"]),
        (r"https://example.com/(a|b)/:rest(.*)", &["https://example.com/a/x/y", "https://example.com/b/"], &["https://example.com/c/x"]),
        (r"https://example.com/([^\/]+?)x", &["https://example.com/ax"], &["https://example.com/a/x"]),
        (r"https://example.com/(\w{2})", &["https://example.com/ab"], &["https://example.com/%C3%A9", "https://example.com/abc"]),
        // Query, fragment and port may be anything if the pattern ends before them; otherwise they are compared.
        ("https://example.com/a?q=:q", &["https://example.com/a?q=1", "https://example.com/a?q=1&r=2#f"], &["https://example.com/a", "https://example.com/a?r=1"]),
        ("https://example.com/a#:f", &["https://example.com/a#x"], &["https://example.com/a", "https://example.com/a?q#x"]),
        ("https://example.com:8443/*", &["https://example.com:8443/a"], &["https://example.com/a"]),
        ("https://example.com:*/", &["https://example.com:8443/", "https://example.com/"], &["https://example.org/"]),
        (r"https://[\:\:1]/*", &["https://[::1]/a", "https://[0:0::1]/a"], &["https://[::2]/a"]),
        // Opaque paths. Unescaped, `:isbn` would be a group.
        (r"urn\:isbn\:*", &["urn:isbn:0451450523"], &["urn:issn:0451450523", "https://example.com/urn:isbn:1"]),
        (r"data\:foobar", &["data:foobar"], &["data:foo"]),
        // Relative patterns, which are resolved against the hub's URL.
        ("/books/:id", &["/books/1", "../books/1", "https://hub.example/books/1"], &["https://example.com/books/1", "http://hub.example/books/1", "books/1"]),
        ("books/:id", &["books/1", "/.well-known/books/1"], &["/books/1"]),
        ("?q=*", &["?q=1", "/.well-known/mercure?q=1"], &["?r=1", "/?q=1"]),
    ];
    for (pattern, fitting, others) in cases {
        for topic in *fitting {
            assert!(matches(pattern, topic), "{topic} fits {pattern}");
        }
        for topic in *others {
            assert!(!matches(pattern, topic), "{topic} does not fit {pattern}");
        }
    }
}

/// B18: a topic that is not a URL does not match, even with the widest pattern. B20: it is still a topic.
#[test]
fn an_unparsable_topic_does_not_match() {
    for topic in ["https://", "https://[", "https://exa mple.com/", "http://example.com:99999/", "//a:b"] {
        assert_ne!(Topic::new(topic), Err(InvalidTopic::Empty));
        assert!(!matches("*://*:*/*", topic) && !matches("*", topic), "{topic}");
    }
}

/// B10: a malformed URL Pattern is an error.
#[test]
fn malformed_patterns_are_told() {
    #[rustfmt::skip]
    let malformed = [
        "https://example.com/(",
        "https://example.com/{",
        "https://example.com/{a",
        "https://example.com/}",
        "https://example.com/:",
        "https://example.com/:a/:a",
        "https://example.com/(?a)",
        "https://example.com/()",
        "https://example.com/(é)",
        "https://example.com/([z-a])",
        "https://exa%mple.com/",
        "https://example.com/\\",
        "ex(a/",
    ];
    for pattern in malformed {
        let Err(InvalidMatcher::InvalidPattern(reason)) = compile(pattern) else { panic!("{pattern} compiles") };
        assert!(!reason.is_empty(), "{pattern}");
    }
    for unsupported in ["/((?=a)b)", "/(?<=a)", "/((a)\\1)"] {
        assert!(
            matches!(compile(unsupported), Err(InvalidMatcher::InvalidPattern(_))),
            "{unsupported} takes backtracking"
        );
    }
}

/// B18: matching takes linear time, or has a cost limit. Each of these patterns makes a backtracking matcher run for
/// years.
#[test]
fn hostile_patterns_are_bounded() {
    for hostile in [r"/((?:a{1000}){1000})", r"/([a-z]{100000})", r"/((?:(?:(?:x{50}){50}){50}){50})"] {
        assert_eq!(
            compile(hostile).unwrap_err(),
            InvalidMatcher::TooComplex { limit: MAX_COMPILED_BYTES },
            "{hostile}"
        );
    }
    let long = format!("/{}!", "a".repeat(4_000));
    for catastrophic in
        [r"/((?:a+)+)", r"/((?:a|a)*)", r"/((?:a*)*b)", r"/((?:a?){200}(?:a){200}b)", "/:a*:b*:c*:d*:e*z"]
    {
        assert!(!matches(catastrophic, &long), "{catastrophic}");
    }
    let many_groups: String = (0..500).map(|n| format!("/:g{n}")).collect();
    assert!(matches!(compile(&many_groups), Ok(_) | Err(InvalidMatcher::TooComplex { .. })));
    let deep = format!("/({}a{})", "(?:".repeat(300), ")".repeat(300));
    assert!(compile(&deep).is_err());
}
